#ifndef REQUESTS_EDIT_H
#define REQUESTS_EDIT_H

/*
 * What an edit does to an action, as pure text work: only the arguments are exchanged, and what
 * changed is said field by field, so that the agent and every approver read the same difference.
 */

#include "base/builder.h"
#include "base/error.h"

enum {
    /* Fields told apart, and the bytes of a pointer to one; past either the arguments are one
     * change. Together they fit an entry, every byte escaped. */
    EDIT_CHANGES_MAX = 60,
    EDIT_POINTER_BYTES_MAX = 160,
    EDIT_DEPTH_MAX = 32, /* of fields told apart; below it a change is of the whole */
};

/* Appends `action` (canonical JSON object) with these arguments (canonical JSON object) in place of
 * those it had. */
bool edit_replace_arguments(const char *action, const char *arguments, struct builder *out,
                            struct error *error) MUST_CHECK;

/* Appends a canonical array of {from?, path, to?}, in order of the members: `path` is a JSON
 * pointer (RFC 6901) into the arguments, `from` is absent where the field is new, `to` where it is
 * gone. Both are actions as above. An empty array when nothing differs. */
bool edit_append_changes(const char *before, const char *after, struct builder *out,
                         struct error *error) MUST_CHECK;

#endif
