#ifndef NOTIFIERS_WEBHOOK_TASK_CALLBACK_H
#define NOTIFIERS_WEBHOOK_TASK_CALLBACK_H

/* Callbacks of tasks (AuthZEN Access Request and Approval Profile, draft 1): told where the task's
 * own caller asked for it, signed as a webhook is. Which endpoints that may be is the channel's. */

#include <stdbool.h>
#include <stddef.h>

enum { TASK_CALLBACK_ENDPOINT_BYTES_MAX = 1000 };

/* Whether this is a URL of one of these hosts: https, or http where that is allowed. What stands
 * before the path is compared whole, so that user names, other ports and the like are other hosts.
 */
bool task_callback_allows(const char *endpoint, const char *const *hosts, size_t host_count,
                          bool allows_http);
/* `agents.example.com`, or `agents.example.com:8443`. */
bool task_callback_is_host(const char *text);

#endif
