#ifndef API_WEB_INTERNAL_H
#define API_WEB_INTERNAL_H

/* The dashboard's files as they were built into this binary (script/embed-web). */

#include "loop/http.h"
#include <stddef.h>

struct web_file {
    const char *path; /* "/assets/app-1A2B3C4D.js"; NULL ends the list */
    const char *tag;  /* of the content, hex: the entity tag */
    const unsigned char *bytes;
    size_t length;
    const unsigned char *gzip; /* NULL: only as it is */
    size_t gzip_length;
};
extern const struct web_file web_files[];

/* Whether a GET of this path is for the page rather than the API. */
bool web_handles(const struct http_exchange *exchange);
/* Answers it: a file, or the page itself for every path without a dot, so that deep links work. */
void web_answer(struct http_exchange *exchange, const char *trace);

#endif
