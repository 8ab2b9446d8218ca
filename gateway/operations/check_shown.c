#include "formats/json.h"
#include "operations/request_internal.h"
#include "store/edit_rows.h"
#include <string.h>

/* What votes and edits are held against before anything else is asked. */

enum { POINTERS_TOLD_MAX = 5 };

static bool append_changed(struct builder *out, const char *changes, size_t *told,
                           struct error *error)
{
    if (changes == NULL) {
        return true;
    }
    struct json_document *document JSON_SCOPE = json_parse(changes, strlen(changes), error);
    if (document == NULL) {
        return false;
    }
    const struct json *list = json_root(document);
    for (size_t i = 0; i < json_count(list) && *told < POINTERS_TOLD_MAX; i++, ++*told) {
        const char *path = json_text(json_member(json_element(list, i), "path"));
        builder_printf(out, "%s%.64s", *told == 0 ? "; changed since: " : ", ",
                       path == NULL || path[0] == '\0' ? "all arguments" : path);
    }
    return true;
}

/* The first fields that edits after this revision changed. */
static bool describe_difference(struct operation *operation, const struct request_row *request,
                                int revision, struct builder *out, struct error *error)
{
    struct edit_row *edits;
    size_t count;
    size_t told = 0;
    if (!store_list_edits(operation->store, request->tenant, request->id, operation->arena, &edits,
                          &count, error)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (edits[i].revision > revision && !append_changed(out, edits[i].changes, &told, error)) {
            return false;
        }
    }
    return true;
}

bool check_shown(struct operation *operation, const struct request_row *request, int revision,
                 const struct sha256 *digest, struct error *error)
{
    struct builder difference BUILDER_SCOPE;
    builder_init(&difference, 0);
    bool is_same = revision == request->revision &&
                   crypto_equal(digest->bytes, request->digest.bytes, SHA256_BYTES);
    return is_same ||
           (describe_difference(operation, request, revision, &difference, error) &&
            error_set(error, ERROR_CONFLICT, "digest_mismatch", request->id,
                      "the request is not what you were shown: read it again, its revision is %d "
                      "now%s",
                      request->revision, difference.bytes));
}

bool refuse_permission(const struct request_row *request, enum approvals_permission permission,
                       enum assurance needed, struct error *error)
{
    const char *id = request->id;
    switch (permission) {
    case APPROVALS_EXCLUDED:
        return error_set(error, ERROR_FORBIDDEN, "separation_of_duties", id,
                         "the subject, the agent's owner and who submitted it may not approve; "
                         "they may deny");
    case APPROVALS_EDITOR_ALONE:
        return error_set(error, ERROR_FORBIDDEN, "editor_alone", id,
                         "you edited this and would be the only one to approve it: at this risk "
                         "another person must");
    case APPROVALS_ASSURANCE_LOW:
        return error_set(error, ERROR_FORBIDDEN, "assurance_too_low", id,
                         "this needs assurance `%s`, which your credential does not prove%s",
                         assurance_name(needed),
                         needed != ASSURANCE_PASSKEY
                             ? ""
                             : ": on the dashboard, sign the statement of POST "
                               "/v1/requests/{id}/statement with your passkey");
    case APPROVALS_MAY_NOT_KNOW:
    case APPROVALS_MAY:
        break;
    }
    return error_set(error, ERROR_FORBIDDEN, "not_eligible", id,
                     "you may see this request but are not among those asked to decide it");
}
