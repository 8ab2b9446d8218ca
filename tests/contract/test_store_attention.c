#include "store/attention_rows.h"
#include "store/comment_rows.h"
#include "store/edit_rows.h"
#include "store/insight_rows.h"
#include "tests/support/run_suite.h"
#include "tests/support/store_fixture.h"
#include <stdio.h>
#include <string.h>

static struct store_fixture f;

static void set_up(void)
{
    store_fixture_init(&f);
}

static void tear_down(void)
{
    store_fixture_finish(&f);
}

/* ---- edits ---- */

static bool insert_edit(int revision)
{
    struct edit_row edit = {.request = "req_1",
                            .revision = revision,
                            .person = "per_1",
                            .person_name = "dana",
                            .reason = "less",
                            .changes = "[{\"path\":\"/a\"}]",
                            .former_action = "{}",
                            .former_salt = "salt",
                            .former_digest = sample_hash(1),
                            .digest = sample_hash(2),
                            .at = 7};
    return store_insert_edit(f.store, "main", &edit, &f.error);
}

START_TEST(edits__read_back_by_revision)
{
    struct edit_row *edits;
    size_t count;
    ck_assert(insert_edit(3));
    ck_assert(insert_edit(2));
    ck_assert(store_list_edits(f.store, "main", "req_1", f.arena, &edits, &count, &f.error));
    ck_assert_uint_eq(count, 2);
    ck_assert_int_eq(edits[0].revision, 2);
    ck_assert_str_eq(edits[0].person, "per_1");
    ck_assert_str_eq(edits[0].person_name, "dana");
    ck_assert_str_eq(edits[0].reason, "less");
    ck_assert_str_eq(edits[0].changes, "[{\"path\":\"/a\"}]");
    ck_assert_str_eq(edits[0].former_action, "{}");
    ck_assert_str_eq(edits[0].former_salt, "salt");
    struct sha256 former = sample_hash(1);
    struct sha256 digest = sample_hash(2);
    ck_assert_mem_eq(&edits[0].former_digest, &former, SHA256_BYTES);
    ck_assert_mem_eq(&edits[0].digest, &digest, SHA256_BYTES);
    ck_assert_int_eq(edits[0].at, 7);
    ck_assert(store_list_edits(f.store, "other", "req_1", f.arena, &edits, &count, &f.error));
    ck_assert_uint_eq(count, 0);
}
END_TEST

START_TEST(edits__one_makes_each_revision)
{
    ck_assert(insert_edit(2));
    ck_assert(!insert_edit(2));
    ck_assert_int_eq(f.error.kind, ERROR_CONFLICT);
}
END_TEST

/* ---- comments ---- */

static void insert_comment(const char *id, const char *author)
{
    struct comment_row comment = {
        .request = "req_1", .revision = 2, .author_name = "dana", .text = "why?", .at = 9};
    snprintf(comment.id, sizeof comment.id, "%s", id);
    snprintf(comment.author, sizeof comment.author, "%s", author);
    ck_assert(store_insert_comment(f.store, "main", &comment, &f.error));
}

START_TEST(comments__read_back_in_order)
{
    struct comment_row *comments;
    struct comment_row one;
    size_t count;
    insert_comment("cmt_2", "per_1");
    insert_comment("cmt_1", "cal_1");
    ck_assert(store_list_comments(f.store, "main", "req_1", f.arena, &comments, &count, &f.error));
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(comments[0].id, "cmt_2");
    ck_assert_str_eq(comments[1].author, "cal_1");
    ck_assert(store_read_comment(f.store, "main", "cmt_2", f.arena, &one, &f.error));
    ck_assert_str_eq(one.text, "why?");
    ck_assert_str_eq(one.author_name, "dana");
    ck_assert_int_eq(one.revision, 2);
    ck_assert_int_eq(one.at, 9);
    ck_assert(!store_read_comment(f.store, "other", "cmt_2", f.arena, &one, &f.error));
    ck_assert_int_eq(f.error.kind, ERROR_NOT_FOUND);
}
END_TEST

/* ---- views and watches ---- */

START_TEST(views__are_once_for_each_person_and_revision)
{
    int64_t at;
    ck_assert(store_find_view(f.store, "main", "req_1", 1, "per_1", &at, &f.error));
    ck_assert_int_eq(at, 0);
    ck_assert(store_insert_view(f.store, "main", "req_1", 1, "per_1", 5, &f.error));
    ck_assert(store_insert_view(f.store, "main", "req_1", 2, "per_1", 6, &f.error));
    ck_assert(store_insert_view(f.store, "main", "req_1", 1, "per_2", 7, &f.error));
    ck_assert(store_find_view(f.store, "main", "req_1", 1, "per_1", &at, &f.error));
    ck_assert_int_eq(at, 5);
    ck_assert(!store_insert_view(f.store, "main", "req_1", 1, "per_1", 8, &f.error));
    ck_assert_int_eq(f.error.kind, ERROR_CONFLICT);
}
END_TEST

static void put_watch(const char *person, int64_t until_at)
{
    struct watch_row watch = {
        .request = "req_1", .person_name = "dana", .since_at = 1, .until_at = until_at, .times = 3};
    snprintf(watch.person, sizeof watch.person, "%s", person);
    ck_assert(store_put_watch(f.store, "main", &watch, &f.error));
}

START_TEST(watches__last_until_their_time_and_are_replaced)
{
    struct watch_row *watches;
    size_t count;
    put_watch("per_1", 10);
    put_watch("per_2", 20);
    put_watch("per_1", 30);
    ck_assert(
        store_list_watches(f.store, "main", "req_1", 19, f.arena, &watches, &count, &f.error));
    ck_assert_uint_eq(count, 2);
    ck_assert(
        store_list_watches(f.store, "main", "req_1", 20, f.arena, &watches, &count, &f.error));
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(watches[0].person, "per_1");
    ck_assert_int_eq(watches[0].until_at, 30);
    struct watch_row watch;
    bool is_found;
    ck_assert(
        store_find_watch(f.store, "main", "req_1", "per_2", f.arena, &watch, &is_found, &f.error));
    ck_assert(is_found);
    ck_assert_int_eq(watch.times, 3);
    ck_assert(
        store_find_watch(f.store, "other", "req_1", "per_2", f.arena, &watch, &is_found, &f.error));
    ck_assert(!is_found);
}
END_TEST

/* ---- what is counted ---- */

static void insert_request(const char *id, enum request_state state, int risk)
{
    struct request_row request = sample_request(id);
    request.state = state;
    request.risk = risk;
    ck_assert(store_insert_request(f.store, &request, &f.error));
}

static void insert_vote(const char *id, const char *request, int64_t at, bool is_late)
{
    struct vote_row vote = sample_vote(id, request);
    snprintf(vote.person, sizeof vote.person, "per_1");
    vote.at = at;
    vote.is_late = is_late;
    vote.dwell_ms = 1500;
    vote.is_quick = true;
    ck_assert(store_insert_vote(f.store, "main", &vote, &f.error));
}

START_TEST(votes__of_a_person_are_counted_since_a_time_when_in_time)
{
    int64_t count;
    insert_vote("vot_1", "req_1", 10, false);
    insert_vote("vot_2", "req_1", 20, false);
    insert_vote("vot_3", "req_1", 30, true);
    ck_assert(store_count_votes_of(f.store, "main", "per_1", 11, &count, &f.error));
    ck_assert_int_eq(count, 1);
    ck_assert(store_count_votes_of(f.store, "main", "per_1", 10, &count, &f.error));
    ck_assert_int_eq(count, 2);
    ck_assert(store_count_votes_of(f.store, "main", "per_2", 0, &count, &f.error));
    ck_assert_int_eq(count, 0);
}
END_TEST

START_TEST(repeats__are_pending_and_ask_the_same)
{
    int64_t count;
    struct sha256 near = sample_hash(4);
    insert_request("req_1", REQUEST_PENDING, 2);
    insert_request("req_2", REQUEST_PENDING, 2);
    insert_request("req_3", REQUEST_DENIED, 2);
    ck_assert(
        store_count_near_pending(f.store, "main", &near, "[{\"quorum\":2}]", &count, &f.error));
    ck_assert_int_eq(count, 2);
    ck_assert(store_count_near_pending(f.store, "main", &near, "[]", &count, &f.error));
    ck_assert_int_eq(count, 0);
}
END_TEST

START_TEST(figures__leave_out_what_is_hidden_from_somebody)
{
    struct vote_figure *votes;
    size_t count;
    insert_request("req_1", REQUEST_PENDING, 4);
    insert_request("req_2", REQUEST_PENDING, 3);
    insert_request("req_3", REQUEST_DENIED, 4);
    insert_vote("vot_1", "req_1", 10, false);
    insert_vote("vot_2", "req_2", 20, false);
    insert_vote("vot_3", "req_3", 30, false);
    insert_vote("vot_4", "req_3", 40, true);
    ck_assert(
        store_list_vote_figures(f.store, "main", NULL, 0, 10, f.arena, &votes, &count, &f.error));
    ck_assert_uint_eq(count, 2);
    ck_assert(votes[0].is_quick);
    ck_assert_int_eq(votes[0].dwell_ms, 1500);
    ck_assert(store_list_vote_figures(f.store, "main", "per_2", 0, 10, f.arena, &votes, &count,
                                      &f.error));
    ck_assert_uint_eq(count, 0);
    ck_assert(store_list_vote_figures(f.store, "main", "per_1", 21, 10, f.arena, &votes, &count,
                                      &f.error));
    ck_assert_uint_eq(count, 1);
}
END_TEST

START_TEST(figures__count_requests_by_their_end)
{
    struct request_figures figures;
    insert_request("req_7zzzzzzzzzzzzzzzzzzzzzzzz1", REQUEST_PENDING, 2);
    insert_request("req_7zzzzzzzzzzzzzzzzzzzzzzzz2", REQUEST_DENIED, 2);
    insert_request("req_00000000000000000000000000", REQUEST_EXPIRED, 2);
    ck_assert(store_count_asked(f.store, "main", 1000, &figures, &f.error));
    ck_assert_int_eq(figures.asked, 2);
    ck_assert_int_eq(figures.pending, 1);
    ck_assert_int_eq(figures.denied, 1);
    ck_assert_int_eq(figures.expired, 0);
    ck_assert(store_count_asked(f.store, "other", 0, &figures, &f.error));
    ck_assert_int_eq(figures.asked, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_attention");
    TCase *tests = tcase_create("attention");
    tcase_set_timeout(tests, SLOW_DISK_SECONDS);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, edits__read_back_by_revision);
    tcase_add_test(tests, edits__one_makes_each_revision);
    tcase_add_test(tests, comments__read_back_in_order);
    tcase_add_test(tests, views__are_once_for_each_person_and_revision);
    tcase_add_test(tests, watches__last_until_their_time_and_are_replaced);
    tcase_add_test(tests, votes__of_a_person_are_counted_since_a_time_when_in_time);
    tcase_add_test(tests, repeats__are_pending_and_ask_the_same);
    tcase_add_test(tests, figures__leave_out_what_is_hidden_from_somebody);
    tcase_add_test(tests, figures__count_requests_by_their_end);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
