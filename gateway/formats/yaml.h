#ifndef FORMATS_YAML_H
#define FORMATS_YAML_H

/*
 * Strict YAML: a tree with positions, made from libyaml's events. Refused with line and column and
 * what to write instead: aliases, anchors, tags, merge keys, directives, a second document,
 * duplicate keys, non-UTF-8, more than 16 levels, 20,000 events or YAML_BYTES_MAX bytes. Scalars
 * are text; types come from the reader's schema and are never guessed: `NO`, `0777` and `12:30:45`
 * are what the schema says, or an error. Only this room includes libyaml.
 */

#include "base/arena.h"
#include "base/error.h"
#include <stddef.h>
#include <stdint.h>

enum { YAML_BYTES_MAX = 256 * 1024, YAML_DEPTH_MAX = 16, YAML_EVENTS_MAX = 20000 };

enum yaml_type { YAML_SCALAR, YAML_SEQUENCE, YAML_MAPPING };

struct yaml_node {
    enum yaml_type type;
    int line, column;           /* 1-based start; columns count characters */
    int text_line, text_column; /* scalar: where its first character stands, behind a quote or on
                                   the line after | or >: lines of a literal block follow one to
                                   one, each begins at text_column */
    const char *text;           /* scalar: its text */
    size_t length;
    bool is_plain;            /* scalar written without quotes and not as a block */
    bool is_block;            /* scalar written with | or > */
    bool is_folded;           /* scalar written with >: its lines were joined */
    bool is_double_quoted;    /* scalar written with "", where backslashes are escapes */
    bool has_comment;         /* plain scalar with ` #` on its last line: perhaps cut short */
    size_t count;             /* sequence elements or mapping pairs */
    struct yaml_node **items; /* elements, or values of pairs */
    struct yaml_node **keys;  /* mapping only: scalar nodes */
};

/* Parses one document into `arena`. `name` is the file name for errors (error.subject). An empty
 * document is refused. */
struct yaml_node *yaml_parse(const char *name, const char *bytes, size_t length,
                             struct arena *arena, struct error *error) MUST_CHECK;

/* Schema readers. Each fails with INVALID, the file, line and column, and says what was expected.
 */
const struct yaml_node *yaml_member(const struct yaml_node *mapping,
                                    const char *key); /* NULL when absent */
bool yaml_only_keys(const char *name, const struct yaml_node *mapping, const char *const *keys,
                    struct error *error) MUST_CHECK; /* names the nearest known key */
/* Plain null-like (`null`, `~`, empty) is refused for text: quote it. */
bool yaml_read_text(const char *name, const struct yaml_node *node, const char **out_text,
                    struct error *error) MUST_CHECK;
bool yaml_read_bool(const char *name, const struct yaml_node *node, bool *out_value,
                    struct error *error) MUST_CHECK; /* exactly true or false, plain */
bool yaml_read_integer(const char *name, const struct yaml_node *node, int64_t least, int64_t most,
                       int64_t *out_value, struct error *error) MUST_CHECK; /* exactly [0-9]+ */
bool yaml_read_duration(const char *name, const struct yaml_node *node, int64_t least_ms,
                        int64_t most_ms, int64_t *out_ms, struct error *error) MUST_CHECK;
/* A sequence of texts (or one scalar where `accepts_one`); a plain element that YAML 1.1 reads as
 * bool, null or number must be quoted. */
bool yaml_read_texts(const char *name, const struct yaml_node *node, bool accepts_one,
                     struct arena *arena, const char ***out_texts, size_t *out_count,
                     struct error *error) MUST_CHECK;
bool yaml_fail(const char *name, const struct yaml_node *node, struct error *error,
               const char *code, const char *format, ...)
    PRINTF_LIKE(5, 6); /* INVALID at the node; returns false */

#endif
