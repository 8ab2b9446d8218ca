#ifndef API_API_INTERNAL_H
#define API_API_INTERNAL_H

/* What the files of this room share. */

#include "api/api.h"
#include "base/arena.h"
#include "base/builder.h"
#include "crypto/webauthn.h"
#include "formats/canonical.h"
#include "formats/json.h"
#include "operations/request_operations.h"
#include <pthread.h>

enum {
    API_PATH_VALUES_MAX = 2,
    API_WHY_BYTES_MAX = 2000,
    API_TEXT_BYTES_MAX = 1000,
    API_KEY_BYTES_MAX = 255, /* Idempotency-Key */
    API_TRACE_BYTES = 201,   /* X-Request-ID; a longer one is replaced by ours */
    API_FIELDS_MAX = 8,
    API_EXPORT_PIECE_BYTES = 48 * 1024,
};

struct api_call;
struct api_verification;
struct api_holder;
struct dpop_terms;
struct proof;
struct form;
struct waiter;
struct change_call;
struct proposal_row;

enum api_thread {
    API_ON_LOOP,   /* answers at once, no operation */
    API_ON_WRITER, /* may write */
    API_ON_READER, /* only reads */
};

/* Whose form of body and error a route has. */
enum api_dialect {
    API_DIALECT_OURS = 0, /* unknown members refused, problem+json */
    API_DIALECT_AUTHZEN,  /* unknown members ignored; a wrong media type is 400, as certification
                             has it */
    API_DIALECT_OAUTH,    /* forms in, OAuth's error body out, clients' own ways to say who */
    API_DIALECT_CALLBACK, /* bytes that another service signed; what was verified is answered as
                             that service wants it */
};

/* One way in. `read` checks the input on the loop thread; `run` is the operation, on the store's
 * thread; `answer` writes the result on the loop. Where something costs CPU, `look` first reads
 * what it needs on the reader's thread and `work` does it on a worker's; either may be NULL. `work`
 * without `look` checks a signature, on the verifiers' thread; `accept` then goes on on the loop.
 */
struct api_route {
    enum http_method method;
    const char *pattern; /* "/v1/requests/{}/votes": {} is one segment */
    enum api_thread thread;
    bool is_open;      /* needs no credential */
    bool is_essential; /* may run while the disk is full */
    bool takes_two;    /* may have to be made by two admins (proposals.c) */
    bool is_once;      /* the same call again, under the same Idempotency-Key, is refused: it would
                          make another one. Else it runs again, and finds what it did. */
    bool takes_nonce;  /* its DPoP proofs carry a nonce, where that is configured (nonces.c) */
    enum api_dialect dialect;
    bool (*read)(struct api_call *call, struct error *error);
    bool (*look)(struct api_call *call, struct error *error);
    bool (*work)(struct api_call *call, struct error *error);
    bool (*accept)(struct api_call *call, struct error *error); /* or NULL */
    void (*hold)(
        struct api_call *call); /* submits the call, when it is time; or NULL. After `accept`
                                   where there is one: what it submits is the run */
    bool (*run)(struct api_call *call, struct error *error);
    void (*answer)(struct api_call *call);
    /* Answers, and ends the call, where what it runs was refused; NULL: a problem. */
    void (*refuse)(struct api_call *call, const struct error *error);
    void (*drop)(struct api_call *call); /* frees what of `input` is not the arena's; or NULL */
};

/* One exchange under way, with its job. Lives until answered. */
struct api_call {
    struct store_job job; /* first: the job is the call */
    struct worker_job work;
    struct error work_error; /* of a `work` that failed */
    bool work_ok;
    struct api *api;
    struct http_exchange *exchange;
    const struct api_route *route;
    struct arena *arena;
    struct credential credential;
    struct proof *proof;                   /* of a workload; in the arena */
    struct api_verification *verification; /* what a worker looks at first, or NULL */
    struct api_holder
        *holder; /* of a redemption: a proof a worker looks at after `read`, or NULL */
    struct operation operation;
    char *path_values[API_PATH_VALUES_MAX];
    char trace[API_TRACE_BYTES];        /* X-Request-ID, echoed or minted */
    char *forwarded_for;                /* what a proxy we trust says, else NULL */
    int64_t wait_ms;                    /* Prefer: wait, bounded; 0 none */
    enum api_thread thread;             /* the route's, unless `read` chose otherwise */
    bool is_waiter;                     /* the exchange is parked: this call settles a waiter */
    struct json_document *document;     /* the body */
    int64_t seen;                       /* news that who waits knows of already; -1: not said */
    struct waiter *waiter;              /* whose last read this is; else NULL */
    struct form *form;                  /* the body, of OAuth's dialect */
    const char *key;                    /* Idempotency-Key of a change; NULL when none */
    struct sha256 key_body;             /* what it came with */
    const struct browser_seen *browser; /* that signs in with this call; else NULL */
    const char *client;                 /* who the client says it is; NULL when it does not */
    struct change_call *change;         /* of a session that changes something; else NULL */
    struct proposal_row *proposal;      /* noted instead of the change */
    bool must_propose;                  /* `look` found that two must make it */
    void *input;                        /* the route's */
    void *result;                       /* the route's */
    struct api_call *next, *previous;   /* under way */
};

/* routes.c: every way in. */
struct api_area {
    const struct api_route *routes;
    size_t count;
};
extern const struct api_area *const api_areas[];
extern const size_t api_area_count;

/* call.c: from exchange to answer. */
void api_submit(struct api_call *call);
void api_submit_run(struct api_call *call); /* what was before it is done */
void api_end_call(struct api_call *call);   /* after its answer was given */
struct api_call *api_new_call(struct api *api, struct http_exchange *exchange,
                              const struct api_route *route);

/* Where the call comes from, as address text: what the proxy in front says where there is one. */
const char *api_peer(const struct api_call *call);
void api_read_peer(struct api_call *call); /* once, while its head is there */

/* browser.c: sessions, and the one place that tells our own page from another's. */
bool api_is_secure(const struct api_call *call);       /* the browser came by TLS */
bool api_allows_sessions(const struct api_call *call); /* that, or from this machine alone */
bool api_carries_session(const struct api_call *call); /* a cookie, and no Authorization */
bool api_read_session(struct api_call *call, struct error *error) MUST_CHECK;
/* FORBIDDEN `wrong_origin` unless an Origin header is there and is exactly ours. */
bool api_check_exact_origin(struct api_call *call, struct error *error) MUST_CHECK;
/* FORBIDDEN `wrong_origin` or `csrf_mismatch`, for what changes something. */
bool api_check_browser(struct api_call *call, struct error *error) MUST_CHECK;
/* The Set-Cookie value; an empty secret with 0 seconds takes it away. In the call's arena. */
const char *api_session_cookie(struct api_call *call, const char *secret, int64_t seconds);
/* From a route's `read`, while the head is there: the browser that signs in, for `operation`. */
void api_see_browser(struct api_call *call);
const char *api_browser_cookie(struct api_call *call,
                               const char *secret);  /* its Set-Cookie value */
void api_touch_session(const struct api_call *call); /* after a call by session that went well */

/* workload.c: callers by token or client certificate, and DPoP proofs. The readers take what is
 * known at once and leave the rest for a worker; UNAUTHENTICATED is always `bad_credential`. */
bool api_see_token(struct api_call *call, const char *token, struct error *error) MUST_CHECK;
bool api_see_certificate(struct api_call *call, const struct http_certificate *peer,
                         struct error *error) MUST_CHECK;
bool api_see_possession(struct api_call *call, const char *authorization,
                        struct error *error) MUST_CHECK;
bool api_needs_verification(const struct api_call *call);
/* `done` gets the job on the loop; RETRY_LATER-like LIMIT `too_busy` when the queue is full. */
bool api_verify(struct api_call *call, void (*done)(struct worker_job *job),
                struct error *error) MUST_CHECK;
struct api_call *api_verified_call(struct worker_job *job);
/* After it, or when it was not needed: fills the call's credential. */
bool api_settle_credential(struct api_call *call, struct error *error) MUST_CHECK;
/* From a route's `read`: a holder's proof, checked before the job; what it proves goes to *out,
 * which stays as it was when it proves nothing. */
void api_want_holder(struct api_call *call, const char *proof, const struct dpop_terms *terms,
                     const char **out);
bool api_verify_holder(struct api_call *call, void (*done)(struct api_call *call),
                       struct error *error) MUST_CHECK;
/* Tells the operator the reason and sets what the caller is told. */
bool api_refuse_workload(struct api_call *call, const struct error *reason, struct error *error);

/* nonces.c: of DPoP proofs. */
#define API_USE_NONCE "use_dpop_nonce"
struct api_nonces;
struct api_nonces *api_nonces_create(void);
void api_nonces_destroy(struct api_nonces *nonces); /* accepts NULL */
/* What a proof for this route is to carry now, in the call's arena; NULL: nothing. */
const char *api_nonce(struct api_call *call);
/* UNAUTHENTICATED `use_dpop_nonce` unless it is of the last minutes, or none is wanted. */
bool api_check_nonce(struct api_call *call, const char *given, struct error *error) MUST_CHECK;

/* attempts.c: wrong passwords per account and address. */
struct api_attempts;
struct api_attempts *api_attempts_create(void);
void api_attempts_destroy(struct api_attempts *attempts);
/* LIMIT `too_many_attempts`, with seconds to wait as its subject. */
bool api_attempts_take(struct api *api, const char *account, const char *peer,
                       struct error *error) MUST_CHECK;
void api_attempts_succeeded(struct api *api, const char *account, const char *peer);

/* answer.c: every answer carries X-Request-ID, no-store and nosniff. */
void api_answer_json(struct api_call *call, int status, const struct builder *body,
                     const struct http_field *fields, size_t field_count);
void api_answer_error(struct api_call *call, const struct error *error);
void api_answer_text(struct api_call *call, int status, const char *type, const char *bytes,
                     size_t length);
/* A problem with members of its own after the standard ones (RFC 9457 section 3.2): `extra` is
 * canonical members, or NULL. */
int api_status(const struct error *error);
void api_append_problem(struct builder *out, const struct error *error, const char *trace);
void api_bare_answer(struct http_exchange *exchange, const struct error *error, const char *trace);

/* oauth.c: the form and, where it or a Basic header holds one, the client's credential. */
bool api_read_client(struct api_call *call, bool *out_is_read, struct error *error) MUST_CHECK;
void api_append_oauth_error(struct builder *out, const struct error *error);
int api_oauth_status(const struct error *error);
/* grants.c: what to tell whoever presents a grant that does not redeem. */
const char *api_refusal_detail(enum grant_refusal refusal);

/* read_body.c: the request body as JSON, members checked, pointers in errors. Documents live as
 * long as the call. `members` NULL: any, as the standards we speak want it. */
const struct json *api_read_body(struct api_call *call, const char *const *members,
                                 struct error *error);
bool api_take_text(struct api_call *call, const struct json *body, const char *name,
                   bool is_required, size_t bytes_max, const char **out,
                   struct error *error) MUST_CHECK; /* no control characters but newline and tab */
bool api_take_bool(const struct json *body, const char *name, bool *out,
                   struct error *error) MUST_CHECK;
bool api_take_integer(const struct json *body, const char *name, bool is_required, int64_t least,
                      int64_t most, int64_t *out, struct error *error) MUST_CHECK;
bool api_take_texts(struct api_call *call, const struct json *body, const char *name,
                    size_t count_max, const char ***out, size_t *out_count,
                    struct error *error) MUST_CHECK;
bool api_take_duration(struct api_call *call, const struct json *body, const char *name,
                       int64_t *out_ms, struct error *error) MUST_CHECK;
/* A member that must be an object, as canonical text. */
bool api_take_object(struct api_call *call, const struct json *body, const char *name,
                     bool is_required, const char **out_canonical, const struct json **out_object,
                     struct error *error) MUST_CHECK;
/* A required text of an inner object, which stands at `owner` ("" for the body). */
bool api_take_inner_text(struct api_call *call, const struct json *object, const char *owner,
                         const char *name, size_t bytes_max, const char **out,
                         struct error *error) MUST_CHECK;
/* The same of bytes in base64url, as sent and decoded. */
bool api_take_base64url(struct api_call *call, const struct json *object, const char *owner,
                        const char *name, size_t bytes_max, const char **out_text,
                        struct webauthn_bytes *out_bytes, struct error *error) MUST_CHECK;
/* {type, id, properties?} -> canonical text and "type/id" key. */
bool api_take_entity(struct api_call *call, const struct json *body, const char *name,
                     bool is_required, const char **out_canonical, const char **out_key,
                     struct error *error) MUST_CHECK;
/* {name, properties?} -> canonical text and its name. */
bool api_take_action(struct api_call *call, const struct json *body, const char **out_canonical,
                     const char **out_name, struct error *error) MUST_CHECK;
bool api_take_context(struct api_call *call, const struct json *body, bool is_required,
                      const char **out_canonical, struct error *error) MUST_CHECK;
/* The body of what takes none: absent, or an object without members. */
bool api_read_nothing(struct api_call *call, struct error *error) MUST_CHECK;
/* The body of what takes at most a reason: absent, or {"reason"?}. */
bool api_read_why(struct api_call *call, const char **out, struct error *error) MUST_CHECK;
bool api_missing(const char *name,
                 struct error *error); /* sets INVALID `missing_member` and returns false */
/* Idempotency-Key, quoted or bare; NULL when not sent. */
bool api_take_idempotency_key(struct api_call *call, const char **out,
                              struct error *error) MUST_CHECK;
/* query parameters: all names known, each at most once. */
bool api_only_parameters(struct api_call *call, const char *const *names,
                         struct error *error) MUST_CHECK;
bool api_take_parameter(struct api_call *call, const char *name, const char **out,
                        struct error *error) MUST_CHECK; /* NULL when absent */
/* A whole number of at most 15 digits; `fallback` when absent. */
bool api_take_number(struct api_call *call, const char *name, int64_t fallback, int64_t *out,
                     struct error *error) MUST_CHECK;
bool api_take_limit(struct api_call *call, size_t *out, struct error *error) MUST_CHECK;

/* waiters.c */
struct api_waiters;
struct api_waiters *api_waiters_create(struct api *api);
void api_waiters_destroy(struct api_waiters *waiters);
/* Parks the call's exchange until the request ends or the call's wait is over. The call is ended by
 * this. */
void api_park(struct api_call *call, const char *request);
void api_tell_changes(struct api *api, const struct operation *operation);
void api_forget_waiter(struct waiter *waiter); /* accepts NULL */
void api_release_waiters(struct api *api);     /* all, for draining */

/* refusals.c: unauthenticated noise per source, and rates per credential. */
struct api_noise;
struct api_noise *api_noise_create(void);
void api_noise_destroy(struct api_noise *noise);
bool api_noise_allows_source(struct api *api, const char *source, struct error *error) MUST_CHECK;
bool api_noise_allows_rate(struct api *api, const struct credential *credential,
                           struct error *error) MUST_CHECK;
void api_noise_note(struct api *api, const char *source, const char *kind);
void api_noise_tick(struct api *api, int64_t wall_now);

/* write_request.c: the JSON of a request, the same wherever it is shown. */
void api_write_request(struct canonical_writer *writer, const struct request_view *view,
                       const char *token);
bool api_sign_token(struct api *api, const char *typ, const struct grant_claims *claims,
                    struct builder *out, struct error *error) MUST_CHECK;
void api_write_texts(struct canonical_writer *writer, const char *name, const char *const *texts,
                     size_t count);
/* `{"limit":6,"used":2}`; nothing where there is none. */
void api_write_budget(struct canonical_writer *writer, const struct view_budget *budget);
void api_write_hex(struct canonical_writer *writer, const char *name, const struct sha256 *hash);
void api_write_time(struct canonical_writer *writer, const char *name,
                    int64_t wall_ms); /* left out when 0 */

/* The handlers the table names, by subject. */
bool api_read_submit(struct api_call *, struct error *);
bool api_run_submit(struct api_call *, struct error *);
void api_answer_submit(struct api_call *);
bool api_read_request_get(struct api_call *, struct error *);
bool api_run_request_get(struct api_call *, struct error *);
void api_answer_request(struct api_call *);
bool api_read_list(struct api_call *, struct error *);
bool api_run_list(struct api_call *, struct error *);
void api_answer_list(struct api_call *);
/* comments.c */
void api_write_comment(struct canonical_writer *writer, const struct comment_row *comment);
bool api_read_comment(struct api_call *, struct error *);
bool api_run_comment(struct api_call *, struct error *);
void api_answer_comment(struct api_call *);
bool api_run_list_comments(struct api_call *, struct error *);
void api_answer_comments(struct api_call *);
/* insights.c */
bool api_read_insights(struct api_call *, struct error *);
bool api_run_insights(struct api_call *, struct error *);
void api_answer_insights(struct api_call *);
/* attention.c */
bool api_read_view(struct api_call *, struct error *);
bool api_run_view(struct api_call *, struct error *);
void api_answer_view(struct api_call *);
bool api_run_watch(struct api_call *, struct error *);
bool api_run_unwatch(struct api_call *, struct error *);
void api_answer_watch(struct api_call *);
/* edits.c */
/* What a vote or an edit is for: `revision` and `digest` as they were shown. */
bool api_take_shown(struct api_call *call, const struct json *body, int *out_revision,
                    struct sha256 *out_digest, struct error *error) MUST_CHECK;
bool api_read_edit(struct api_call *, struct error *);
bool api_run_edit(struct api_call *, struct error *);
void api_answer_edit(struct api_call *);
bool api_read_vote(struct api_call *, struct error *);
bool api_run_vote(struct api_call *, struct error *);
void api_answer_vote(struct api_call *);
bool api_read_cancel(struct api_call *, struct error *);
bool api_run_cancel(struct api_call *, struct error *);
void api_answer_cancel(struct api_call *);
bool api_run_timeline(struct api_call *, struct error *);
void api_answer_timeline(struct api_call *);
bool api_run_receipt(struct api_call *, struct error *);
void api_answer_receipt(struct api_call *);

bool api_read_redeem(struct api_call *, struct error *);
bool api_run_redeem(struct api_call *, struct error *);
void api_answer_redeem(struct api_call *);
bool api_read_effect(struct api_call *, struct error *);
bool api_read_resolve(struct api_call *, struct error *);
bool api_run_effect(struct api_call *, struct error *);
void api_answer_effect(struct api_call *);
bool api_read_revoke(struct api_call *, struct error *);
bool api_run_revoke(struct api_call *, struct error *);
void api_answer_revoke(struct api_call *);
void api_answer_jwks(struct api_call *);
void api_answer_openid_configuration(struct api_call *);
void api_answer_oauth_metadata(struct api_call *);
bool api_read_exchange(struct api_call *, struct error *);
bool api_run_exchange(struct api_call *, struct error *);
void api_answer_exchange(struct api_call *);
void api_drop_exchange(struct api_call *);
bool api_read_introspect(struct api_call *, struct error *);
bool api_run_introspect(struct api_call *, struct error *);
void api_answer_introspect(struct api_call *);
bool api_run_revoke_token(struct api_call *, struct error *);
void api_answer_revoke_token(struct api_call *);
void api_drop_token(struct api_call *);
bool api_read_rotate(struct api_call *, struct error *);
bool api_look_rotate(struct api_call *, struct error *);
bool api_work_rotate(struct api_call *, struct error *);
bool api_run_rotate(struct api_call *, struct error *);
void api_answer_rotate(struct api_call *);
void api_drop_rotate(struct api_call *);

bool api_read_evaluation(struct api_call *, struct error *);
bool api_read_evaluations(struct api_call *, struct error *);
bool api_run_evaluate(struct api_call *, struct error *);
void api_answer_evaluate(struct api_call *);
void api_answer_authzen_metadata(struct api_call *);
bool api_read_task_submit(struct api_call *, struct error *);
bool api_run_task_submit(struct api_call *, struct error *);
void api_answer_task_submit(struct api_call *);
bool api_run_task(struct api_call *, struct error *);
bool api_read_task_cancel(struct api_call *, struct error *);
bool api_run_task_cancel(struct api_call *, struct error *);
void api_answer_task(struct api_call *);
/* authzen.c: what is asked of policy: members of `item`, else of `body`. */
struct evaluate_item;
bool api_read_asked(struct api_call *call, const struct json *item, const struct json *body,
                    struct evaluate_item *out, struct error *error) MUST_CHECK;
/* A member that is an address of this gateway, as the outside knows it. */
void api_write_address(const struct api_call *call, struct canonical_writer *writer,
                       const char *name, const char *path);

bool api_run_checkpoint(struct api_call *, struct error *);
void api_answer_checkpoint(struct api_call *);
bool api_read_consistency(struct api_call *, struct error *);
bool api_run_consistency(struct api_call *, struct error *);
void api_answer_consistency(struct api_call *);
bool api_read_export(struct api_call *, struct error *);
bool api_run_export(struct api_call *, struct error *);
void api_answer_export(struct api_call *);
void api_drop_export(struct api_call *);

bool api_read_person(struct api_call *, struct error *);
bool api_run_add_person(struct api_call *, struct error *);
bool api_run_enable_person(struct api_call *, struct error *);
bool api_run_disable_person(struct api_call *, struct error *);
bool api_read_roles(struct api_call *, struct error *);
bool api_run_set_roles(struct api_call *, struct error *);
void api_answer_person(struct api_call *);
bool api_read_page(struct api_call *, struct error *);
bool api_run_list_people(struct api_call *, struct error *);
void api_answer_people(struct api_call *);
bool api_read_member(struct api_call *, struct error *);
bool api_run_join(struct api_call *, struct error *);
bool api_run_leave(struct api_call *, struct error *);
void api_answer_nothing(struct api_call *);
bool api_run_list_groups(struct api_call *, struct error *);
void api_answer_groups(struct api_call *);
bool api_run_self(struct api_call *, struct error *);
void api_answer_self(struct api_call *);

bool api_read_sign_in(struct api_call *, struct error *);
bool api_look_sign_in(struct api_call *, struct error *);
bool api_work_sign_in(struct api_call *, struct error *);
bool api_run_sign_in(struct api_call *, struct error *);
void api_answer_sign_in(struct api_call *);
bool api_read_notices(struct api_call *, struct error *);
bool api_run_list_notices(struct api_call *, struct error *);
void api_answer_notices(struct api_call *);
bool api_run_read_notice(struct api_call *, struct error *);
bool api_run_replay_notice(struct api_call *, struct error *);
/* channels.c */
bool api_run_list_channels(struct api_call *, struct error *);
void api_answer_channels(struct api_call *);
bool api_read_test_channel(struct api_call *, struct error *);
bool api_run_test_channel(struct api_call *, struct error *);
bool api_read_address(struct api_call *, struct error *);
bool api_run_list_addresses(struct api_call *, struct error *);
bool api_run_set_address(struct api_call *, struct error *);
void api_answer_addresses(struct api_call *);
bool api_run_resend(struct api_call *, struct error *);
void api_answer_notice(struct api_call *);
bool api_read_live(struct api_call *, struct error *);
bool api_run_live(struct api_call *, struct error *);
void api_answer_live(struct api_call *);
void api_tell_live(struct api *api, const char *kind); /* "freeze" or "policy" */
/* requests.c: which way a vote goes. */
bool api_read_vote_word(const char *word, bool *out_approves, struct error *error) MUST_CHECK;
/* sign_in.c: what other ways of signing in share. FORBIDDEN `plain_http`. */
bool api_check_channel(const struct api_call *call, struct error *error) MUST_CHECK;
bool api_take_session_attempt(struct api_call *call, struct error *error) MUST_CHECK;
/* The session the browser had before; false when it had none. */
bool api_read_former_session(struct api_call *call, struct credential *out);
/* passkeys.c */
struct passkey_answer;
extern const char *const api_passkey_members[]; /* of an answer of a passkey, with a challenge */
/* {challenge | statement, credential, client_data, authenticator_data, signature} at `owner`. */
bool api_take_passkey(struct api_call *call, const struct json *object, const char *owner,
                      bool is_of_vote, struct passkey_answer *out, struct error *error) MUST_CHECK;
bool api_run_begin_passkey(struct api_call *, struct error *);
void api_answer_begin_passkey(struct api_call *);
bool api_read_add_passkey(struct api_call *, struct error *);
bool api_run_add_passkey(struct api_call *, struct error *);
void api_answer_passkey(struct api_call *);
bool api_read_passkeys(struct api_call *, struct error *);
bool api_run_list_passkeys(struct api_call *, struct error *);
void api_answer_passkeys(struct api_call *);
bool api_read_rename_passkey(struct api_call *, struct error *);
bool api_run_rename_passkey(struct api_call *, struct error *);
bool api_run_remove_passkey(struct api_call *, struct error *);
bool api_run_confirm_passkey(struct api_call *, struct error *);
bool api_run_begin_passkey_sign_in(struct api_call *, struct error *);
void api_answer_passkey_question(struct api_call *);
bool api_read_statement(struct api_call *, struct error *);
bool api_run_statement(struct api_call *, struct error *);
/* proposals.c: what two admins must both make. */
void api_note_change(struct api_call *call); /* once, while its exchange is there */
bool api_is_for_two(const struct error *error);
bool api_propose(struct api_call *call, struct error *error) MUST_CHECK;
void api_answer_proposal(struct api_call *call);
bool api_read_tenant(struct api_call *, struct error *);
bool api_run_add_tenant(struct api_call *, struct error *);
void api_answer_tenant(struct api_call *);
bool api_run_list_tenants(struct api_call *, struct error *);
void api_answer_tenants(struct api_call *);
bool api_run_list_proposals(struct api_call *, struct error *);
void api_answer_proposals(struct api_call *);
bool api_run_withdraw_proposal(struct api_call *, struct error *);
/* account.c */
enum { API_CODE_BYTES_MAX = 64 }; /* one-time and recovery codes */
bool api_run_list_sessions(struct api_call *, struct error *);
void api_answer_sessions(struct api_call *);
bool api_run_end_session(struct api_call *, struct error *);
bool api_read_totp_code(struct api_call *, struct error *);
bool api_run_begin_totp(struct api_call *, struct error *);
void api_answer_begin_totp(struct api_call *);
bool api_run_confirm_totp(struct api_call *, struct error *);
bool api_run_read_totp(struct api_call *, struct error *);
bool api_run_remove_totp(struct api_call *, struct error *);
void api_answer_totp(struct api_call *);
bool api_run_list_own_tokens(struct api_call *, struct error *);
/* step_up.c */
bool api_read_passkey_sign_in(struct api_call *, struct error *);
bool api_run_passkey_sign_in(struct api_call *, struct error *);
void api_answer_passkey_sign_in(struct api_call *);
bool api_run_begin_step_up(struct api_call *, struct error *);
void api_answer_begin_step_up(struct api_call *);
bool api_read_step_up(struct api_call *, struct error *);
bool api_look_step_up(struct api_call *, struct error *);
bool api_work_step_up(struct api_call *, struct error *);
bool api_run_step_up(struct api_call *, struct error *);
bool api_run_session(struct api_call *, struct error *);
void api_answer_session(struct api_call *);
bool api_run_sign_out(struct api_call *, struct error *);
void api_answer_sign_out(struct api_call *);
bool api_read_change_password(struct api_call *, struct error *);
bool api_look_change_password(struct api_call *, struct error *);
bool api_work_change_password(struct api_call *, struct error *);
bool api_run_change_password(struct api_call *, struct error *);
bool api_run_needs_setup(struct api_call *, struct error *);
void api_answer_needs_setup(struct api_call *);
bool api_read_setup(struct api_call *, struct error *);
bool api_run_setup(struct api_call *, struct error *);
bool api_read_enrol(struct api_call *, struct error *);
bool api_run_enrol(struct api_call *, struct error *);
bool api_look_link(struct api_call *, struct error *);
bool api_work_link(struct api_call *, struct error *);
bool api_run_make_setup_link(struct api_call *, struct error *);
bool api_run_make_enrolment_link(struct api_call *, struct error *);
void api_answer_link(struct api_call *);

bool api_read_agent(struct api_call *, struct error *);
bool api_run_add_agent(struct api_call *, struct error *);
bool api_run_enable_agent(struct api_call *, struct error *);
bool api_run_disable_agent(struct api_call *, struct error *);
void api_answer_agent(struct api_call *);
bool api_run_list_agents(struct api_call *, struct error *);
void api_answer_agents(struct api_call *);
bool api_read_caller(struct api_call *, struct error *);
bool api_read_caller_change(struct api_call *, struct error *);
bool api_read_explain_caller(struct api_call *, struct error *);
bool api_look_explain_caller(struct api_call *, struct error *);
bool api_work_explain_caller(struct api_call *, struct error *);
bool api_run_explain_caller(struct api_call *, struct error *);
void api_answer_explain_caller(struct api_call *);
bool api_run_add_caller(struct api_call *, struct error *);
bool api_run_change_caller(struct api_call *, struct error *);
bool api_run_enable_caller(struct api_call *, struct error *);
bool api_run_disable_caller(struct api_call *, struct error *);
void api_answer_caller(struct api_call *);
bool api_run_list_callers(struct api_call *, struct error *);
void api_answer_callers(struct api_call *);
bool api_read_key(struct api_call *, struct error *);
bool api_read_token(struct api_call *, struct error *);
bool api_run_add_credential(struct api_call *, struct error *);
bool api_run_disable_credential(struct api_call *, struct error *);
void api_answer_credential(struct api_call *);
bool api_read_credentials(struct api_call *, struct error *);
bool api_run_list_credentials(struct api_call *, struct error *);
void api_answer_credentials(struct api_call *);

bool api_read_freeze(struct api_call *, struct error *);
bool api_run_freeze(struct api_call *, struct error *);
bool api_run_thaw(struct api_call *, struct error *);
void api_answer_freeze(struct api_call *);
bool api_run_list_freezes(struct api_call *, struct error *);
void api_answer_freezes(struct api_call *);
bool api_read_reload(struct api_call *, struct error *);
bool api_look_reload(struct api_call *, struct error *);
bool api_work_reload(struct api_call *, struct error *);
void api_drop_reload(struct api_call *);
/* Why the policy folder did not load the last time; NULL when it did. In the call's arena. */
const char *api_folder_error(struct api_call *call);
bool api_read_policies(struct api_call *, struct error *);
bool api_run_policies(struct api_call *, struct error *);
void api_answer_policies(struct api_call *);
bool api_run_policy(struct api_call *, struct error *);
void api_answer_policy(struct api_call *);
bool api_read_check(struct api_call *, struct error *);
bool api_look_check(struct api_call *, struct error *);
bool api_work_check(struct api_call *, struct error *);
void api_answer_check(struct api_call *);
void api_drop_check(struct api_call *);
bool api_read_simulate(struct api_call *, struct error *);
bool api_look_simulate(struct api_call *, struct error *);
void api_answer_simulate(struct api_call *);
bool api_read_explain(struct api_call *, struct error *);
bool api_look_explain(struct api_call *, struct error *);
void api_answer_explain(struct api_call *);
bool api_work_trial(struct api_call *, struct error *);
bool api_run_trial(struct api_call *, struct error *);
void api_drop_trial(struct api_call *);
bool api_read_replay(struct api_call *, struct error *);
bool api_look_replay(struct api_call *, struct error *);
bool api_work_replay(struct api_call *, struct error *);
bool api_run_replay(struct api_call *, struct error *);
void api_answer_replay(struct api_call *);
void api_drop_replay(struct api_call *);
bool api_read_rollback(struct api_call *, struct error *);
bool api_look_rollback(struct api_call *, struct error *);
bool api_work_rollback(struct api_call *, struct error *);
bool api_run_rollback(struct api_call *, struct error *);
void api_answer_rollback(struct api_call *);
void api_drop_rollback(struct api_call *);
bool api_run_publish(struct api_call *, struct error *);
void api_answer_publish(struct api_call *);
bool api_read_recover(struct api_call *, struct error *);
bool api_run_recover(struct api_call *, struct error *);
void api_answer_recover(struct api_call *);

void api_answer_health(struct api_call *);
void api_answer_ready(struct api_call *);
void api_answer_metrics(struct api_call *);

struct api {
    struct api_options options;
    pthread_mutex_t folder_lock;
    char folder_error[2048]; /* "" when the policy folder last loaded */
    struct api_waiters *waiters;
    struct api_noise *noise;
    struct api_attempts *attempts;
    struct api_nonces *nonces;
    struct api_envelopes *envelopes;
    struct api_holds *holds;
    struct api_call *calls; /* under way */
    int64_t wall_now;
    bool is_draining;
    bool due_is_under_way;
    void (*on_idle)(void *context);
    void *idle_context;
};

/* holds.c */
struct api_holds *api_holds_create(struct api *api);
void api_holds_destroy(struct api_holds *holds); /* accepts NULL */
/* slack_envelopes.c */
struct api_envelopes *api_envelopes_create(void);
void api_envelopes_destroy(struct api_envelopes *envelopes);
/* slack_callbacks.c: presses and modals of Slack's. */
bool api_read_slack(struct api_call *call, struct error *error) MUST_CHECK;
void api_hold_slack(struct api_call *call);
bool api_run_slack(struct api_call *call, struct error *error) MUST_CHECK;
void api_answer_slack(struct api_call *call);
void api_refuse_slack(struct api_call *call, const struct error *error);
/* teams_callbacks.c: activities of the Bot Framework's. */
bool api_read_teams(struct api_call *call, struct error *error) MUST_CHECK;
bool api_work_teams(struct api_call *call, struct error *error) MUST_CHECK;
bool api_accept_teams(struct api_call *call, struct error *error) MUST_CHECK;
void api_hold_teams(struct api_call *call);
bool api_run_teams(struct api_call *call, struct error *error) MUST_CHECK;
void api_answer_teams(struct api_call *call);
void api_refuse_teams(struct api_call *call, const struct error *error);
void api_drop_teams(struct api_call *call);
/* own_channels.c */
bool api_read_own_channels(struct api_call *call, struct error *error) MUST_CHECK;
bool api_run_read_own_channels(struct api_call *call, struct error *error) MUST_CHECK;
bool api_run_choose_channels(struct api_call *call, struct error *error) MUST_CHECK;
void api_answer_own_channels(struct api_call *call);

/* chat_links.c */
bool api_run_make_chat_code(struct api_call *call, struct error *error) MUST_CHECK;
void api_answer_chat_code(struct api_call *call);
bool api_run_list_chat_links(struct api_call *call, struct error *error) MUST_CHECK;
void api_answer_chat_links(struct api_call *call);
bool api_run_remove_chat_link(struct api_call *call, struct error *error) MUST_CHECK;

#endif
