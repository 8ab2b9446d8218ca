#ifndef OPERATIONS_TASK_INTERNAL_H
#define OPERATIONS_TASK_INTERNAL_H

/* Shared by the files of this room only: tasks and their callbacks. */

#include "operations/evaluate_operations.h"
#include "operations/request_internal.h"
#include "store/access_rows.h"

/* Of the first items and one more: any pending is pending, all the same is that, else partial. */
enum task_state task_state_join(enum task_state so_far, enum task_state one);

/* task_callbacks.c: fills the callback of `out`, none when none was asked for. INVALID
 * `callback_not_offered`. */
bool admit_task_callback(struct operation *operation, const struct task_callback *asked,
                         struct task_row *out, struct error *error) MUST_CHECK;
/* Whether a task that was made before does what is asked now; one asked for none is content. */
bool is_same_task_callback(const struct task_callback *asked, const struct task_row *task);

#endif
