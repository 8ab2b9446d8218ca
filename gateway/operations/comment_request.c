#include "operations/comment_operations.h"

#include "formats/text.h"
#include "operations/request_internal.h"
#include <string.h>

static bool check_text(const char *text, struct error *error)
{
    return text[strspn(text, " \t\n")] != '\0' ||
           error_set(error, ERROR_INVALID, "empty_comment", "/text",
                     "say something: the text is empty");
}

static bool check_side(const struct operation *operation, const struct request_row *request,
                       struct error *error)
{
    bool is_caller = operation->principal.kind == PRINCIPAL_CALLER;
    int count =
        is_caller ? request->comment_count - request->question_count : request->question_count;
    if (request->state != REQUEST_PENDING) {
        return error_set(error, ERROR_CONFLICT, "already_ended", request->id,
                         "the request is %s: there is nothing to ask any more",
                         request_state_name(request->state));
    }
    if (is_caller && request->question[0] == '\0') {
        return error_set(error, ERROR_CONFLICT, "no_question", request->id,
                         "nobody has asked anything that is not answered: an agent speaks when it "
                         "is asked");
    }
    return count < COMMENTS_OF_SIDE_MAX ||
           error_set(error, ERROR_LIMIT, "too_many_comments", request->id,
                     "there are %d comments of this side, the most there may be",
                     COMMENTS_OF_SIDE_MAX);
}

/* The id is random and stays out of the ledger: nobody can guess short words from the digest. */
static struct sha256 digest_of(const struct comment_row *comment)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    builder_printf(&text, "%s\n", comment->id);
    builder_text(&text, comment->text);
    return crypto_sha256(text.bytes, text.length);
}

static bool record_comment(struct operation *operation, const struct request_row *request,
                           const struct comment_row *comment, struct error *error)
{
    struct sha256 digest = digest_of(comment);
    struct builder data BUILDER_SCOPE;
    builder_init(&data, 0);
    ledger_data_seen(&data, comment->revision, operation_hex(operation, &digest));
    struct record record = {.type = LEDGER_REQUEST_COMMENTED,
                            .tenant = request->tenant,
                            .request = request->id,
                            .data = &data};
    return record_entry(operation, &record, error);
}

static void fill(struct operation *operation, const struct request_row *request, const char *text,
                 struct comment_row *out)
{
    const struct principal *principal = &operation->principal;
    bool is_caller = principal->kind == PRINCIPAL_CALLER;
    *out = (struct comment_row){
        .revision = request->revision,
        .text = arena_copy(operation->arena, text, text_cut(text, COMMENT_BYTES_MAX)),
        .at = operation->now};
    crypto_make_id("cmt", operation->now, out->id);
    memcpy(out->request, request->id, sizeof out->request);
    memcpy(out->author, principal->id, sizeof out->author);
    memcpy(out->author_name, is_caller ? request->agent_name : principal->name,
           sizeof out->author_name);
}

/* A person's comment opens a question; the caller's closes it. */
static void count_comment(const struct operation *operation, const struct comment_row *comment,
                          struct request_row *request)
{
    request->comment_count++;
    if (operation->principal.kind == PRINCIPAL_CALLER) {
        request->question[0] = '\0';
        return;
    }
    request->question_count++;
    memcpy(request->question, comment->id, sizeof request->question);
}

bool operation_comment_request(struct operation *operation, const char *id, const char *text,
                               struct comment_row *out, struct error *error)
{
    struct request_row request;
    struct authorize_facts facts;
    bool is_frozen;
    if (!find_request(operation, id, &request, &facts, error) ||
        !authorize(operation, OPERATION_COMMENT_REQUEST, &facts, id, error) ||
        !check_text(text, error) || !advance_request(operation, &request, &is_frozen, error) ||
        !check_side(operation, &request, error)) {
        return false;
    }
    fill(operation, &request, text, out);
    count_comment(operation, out, &request);
    if (!store_insert_comment(operation->store, request.tenant, out, error) ||
        !store_update_request(operation->store, &request, error) ||
        !record_comment(operation, &request, out, error)) {
        return false;
    }
    if (!tell_outside(operation, &request, "request.question", error)) {
        return false;
    }
    if (operation->principal.kind == PRINCIPAL_CALLER) {
        operation_change_note(operation, &request);
    } else {
        operation_news_note(operation, &request);
    }
    return true;
}

bool operation_list_comments(struct operation *operation, const char *id, struct comment_row **out,
                             size_t *out_count, struct error *error)
{
    struct request_row request;
    struct authorize_facts facts;
    return find_request(operation, id, &request, &facts, error) &&
           authorize(operation, OPERATION_READ_REQUEST, &facts, id, error) &&
           store_list_comments(operation->store, request.tenant, request.id, operation->arena, out,
                               out_count, error);
}
