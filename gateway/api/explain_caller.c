#include "api/api_internal.h"

#include "base/clock.h"
#include "identity/proof.h"
#include "operations/people_operations.h"
#include "trust/trust.h"
#include <string.h>

/* Which caller and agent a token or a certificate is, or why it is none: for the operator, who may
 * know what a caller may not. Nothing comes of it. */

static const char *const explain_members[] = {"credential", NULL};

enum { CREDENTIAL_BYTES_MAX = 64 * 1024 };

struct explanation {
    const char *credential; /* a JWT, or certificates in PEM */
    struct proof proof;
    struct error refusal; /* of what vouches */
    const char *code;     /* of the registration; NULL: fine */
    bool is_proven;
};

bool api_read_explain_caller(struct api_call *call, struct error *error)
{
    struct explanation *explanation = ARENA_NEW(call->arena, struct explanation);
    const struct json *body = api_read_body(call, explain_members, error);
    call->input = explanation;
    return body != NULL && api_take_text(call, body, "credential", true, CREDENTIAL_BYTES_MAX,
                                         &explanation->credential, error);
}

bool api_look_explain_caller(struct api_call *call, struct error *error)
{
    return operation_may_explain(&call->operation, error);
}

bool api_work_explain_caller(struct api_call *call, struct error *error)
{
    struct explanation *explanation = call->input;
    struct trust *trust = call->api->options.trust;
    (void)error;
    const char *credential = explanation->credential;
    size_t length = strlen(credential);
    bool is_pem = strstr(credential, "-----BEGIN ") != NULL;
    explanation->is_proven =
        is_pem ? trust_explain_pem(trust, credential, length, clock_wall_ms(), &explanation->proof,
                                   &explanation->refusal)
               : trust_check_token(trust, credential, length, clock_wall_ms(), clock_boot_ms(),
                                   &explanation->proof, &explanation->refusal);
    return true;
}

bool api_run_explain_caller(struct api_call *call, struct error *error)
{
    struct explanation *explanation = call->input;
    return !explanation->is_proven ||
           operation_explain_caller(&call->operation, explanation->proof.caller,
                                    explanation->proof.agent, &explanation->code, error);
}

static const char *detail_of(const struct explanation *explanation)
{
    if (!explanation->is_proven) {
        return explanation->refusal.message;
    }
    return explanation->code == NULL
               ? NULL
               : "the configuration maps it to a caller or an agent that is not registered so";
}

void api_answer_explain_caller(struct api_call *call)
{
    const struct explanation *explanation = call->input;
    const struct proof *proof = &explanation->proof;
    const char *reason = explanation->is_proven ? explanation->code : explanation->refusal.code;
    bool is_bound = proof->confirmation[0] != '\0';
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    canonical_member_bool(&writer, "accepted", reason == NULL);
    canonical_member_text(&writer, "agent", proof->agent[0] == '\0' ? NULL : proof->agent);
    canonical_member_text(&writer, "bound_to", is_bound ? proof->confirmation : NULL);
    canonical_member_text(&writer, "caller", explanation->is_proven ? proof->caller : NULL);
    canonical_member_text(&writer, "detail", detail_of(explanation));
    canonical_member_text(&writer, "identity", explanation->is_proven ? proof->id : NULL);
    canonical_member_text(&writer, "reason", reason);
    canonical_close_object(&writer);
    api_answer_json(call, 200, &body, NULL, 0);
    api_end_call(call);
}
