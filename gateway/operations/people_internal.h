#ifndef OPERATIONS_PEOPLE_INTERNAL_H
#define OPERATIONS_PEOPLE_INTERNAL_H

/* What people, agents, callers and credentials share. */

#include "operations/operations_internal.h"
#include "operations/people_operations.h"

enum {
    PEOPLE_GROUPS_MAX = 64, /* of one person, as are subjects */
    PEOPLE_SUBJECTS_MAX = 64,
    PEOPLE_CALLER_LIST_MAX = 256, /* each list of a caller */
    PEOPLE_LABEL_BYTES_MAX = 200, /* labels and display names */
    PEOPLE_PAGE_MAX = 200,
};

/* note_change.c: INVALID `bad_name`: `what` is "a person", "a group"… */
bool check_name(const char *name, const char *what, struct error *error) MUST_CHECK;
/* UTF-8 of 1 to `bytes_max` bytes without control characters; NULL passes. INVALID `code`. */
bool check_text(const char *text, size_t bytes_max, const char *what, const char *code,
                struct error *error) MUST_CHECK;
bool check_count(size_t count, size_t most, const char *what, struct error *error) MUST_CHECK;
size_t page_size(size_t limit);
/* Records that something was added, changed or disabled. `changed` may hold NULLs: left out. */
struct change {
    enum ledger_entry_type type;
    const char *id;
    const char *owner; /* NULL when none */
    const char *changed[8];
};
bool note_change(struct operation *operation, const struct change *change,
                 struct error *error) MUST_CHECK;

/* people.c: by name or id; INVALID `unknown_person` when there is none. */
bool find_person(struct operation *operation, const char *name, struct person_row *out,
                 struct error *error) MUST_CHECK;
/* Adds the person with subjects and groups. Whoever calls has made sure they may. */
bool add_person(struct operation *operation, const struct person_input *input,
                struct person_row *out, struct error *error) MUST_CHECK;
bool view_person(struct operation *operation, const struct person_row *person,
                 struct person_view *out, struct error *error) MUST_CHECK;

/* credentials.c: ends one credential with its entry; the row is updated. */
bool disable_credential(struct operation *operation, struct credential_row *credential,
                        const char *reason, struct error *error) MUST_CHECK;
/* All that this person or caller has. */
bool disable_credentials_of(struct operation *operation, const char *owner, const char *reason,
                            struct error *error) MUST_CHECK;

#endif
