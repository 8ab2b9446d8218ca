#include "loop/http_parser.h"

#include "tests/support/chance.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFER_BYTES = 64 * 1024 };

static const struct http_parser_limits limits = {
    .head_bytes_max = 2000, .target_bytes_max = 200, .body_bytes_max = 1000};

static char buffer[BUFFER_BYTES];

/* Feeds `text` in pieces of `piece` bytes (0: random ones); stops at the first verdict. */
static enum http_progress feed(struct http_parser *parser, const char *text, size_t length,
                               size_t piece, struct chance *chance)
{
    http_parser_reset(parser);
    size_t there = 0;
    enum http_progress progress = HTTP_MORE;
    while (there < length && (progress == HTTP_MORE || progress == HTTP_CONTINUE)) {
        size_t more = piece != 0 ? piece : 1 + chance_below(chance, 40);
        if (more > length - there) {
            more = length - there;
        }
        memcpy(buffer + there, text + there, more);
        there += more;
        progress = http_parser_run(parser, &limits, buffer, there);
    }
    return progress;
}

static enum http_progress feed_whole(struct http_parser *parser, const char *text)
{
    return feed(parser, text, strlen(text), strlen(text), NULL);
}

static const char *header(const struct http_parser *parser, const char *name)
{
    for (size_t i = 0; i < parser->header_count; i++) {
        if (strcmp(buffer + parser->headers[i].name, name) == 0) {
            return buffer + parser->headers[i].value;
        }
    }
    return NULL;
}

START_TEST(http_parser__takes_a_request_apart)
{
    struct http_parser parser;
    const char *text = "POST /a%20b/c?x=%20y HTTP/1.1\r\nHost: gate:80\r\nX-Empty:\r\n"
                       "X-Odd: \t a b \t\r\nContent-Length: 3\r\n\r\nabcGET";
    ck_assert_int_eq(feed_whole(&parser, text), HTTP_DONE);
    ck_assert_int_eq(parser.method, HTTP_POST);
    ck_assert_str_eq(buffer + parser.method_text, "POST");
    ck_assert_str_eq(buffer + parser.path, "/a b/c");
    ck_assert_str_eq(buffer + parser.query, "x=%20y");
    ck_assert_str_eq(buffer + parser.host, "gate:80");
    ck_assert_str_eq(header(&parser, "x-empty"), "");
    ck_assert_str_eq(header(&parser, "x-odd"), "a b");
    ck_assert_uint_eq(parser.body_length, 3);
    ck_assert_mem_eq(buffer + parser.body_start, "abc", 3);
    ck_assert_uint_eq(parser.position, strlen(text) - 3);
}
END_TEST

START_TEST(http_parser__says_the_same_however_bytes_are_split)
{
    const char *text =
        "\r\nPUT /p?q HTTP/1.1\r\nHost: x\r\nConnection: close, Upgrade\r\n"
        "Transfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n00a\r\n0123456789\r\n0\r\n\r\n";
    struct chance chance = {.state = 1};
    struct http_parser parser;
    for (size_t round = 0; round < 300; round++) {
        size_t piece = round < strlen(text) ? round + 1 : 0;
        ck_assert_int_eq(feed(&parser, text, strlen(text), piece, &chance), HTTP_DONE);
        ck_assert_uint_eq(parser.position, strlen(text));
        ck_assert_uint_eq(parser.body_length, 14);
        ck_assert_mem_eq(buffer + parser.body_start, "abcd0123456789", 14);
        ck_assert(parser.wants_close && parser.wants_upgrade);
    }
}
END_TEST

START_TEST(http_parser__compacting_between_reads_changes_nothing)
{
    const char *head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    const char *wire = "1\r\na\r\n2\r\nbc\r\n3\r\ndef\r\n0\r\n\r\n";
    struct http_parser parser;
    http_parser_reset(&parser);
    size_t there = strlen(head);
    memcpy(buffer, head, there);
    enum http_progress progress = HTTP_MORE;
    for (size_t i = 0; wire[i] != '\0'; i++) {
        ck_assert_int_eq(progress, HTTP_MORE);
        buffer[there++] = wire[i];
        progress = http_parser_run(&parser, &limits, buffer, there);
        there = http_parser_compact(&parser, buffer, there);
        ck_assert_uint_le(there, strlen(head) + 6);
    }
    ck_assert_int_eq(progress, HTTP_DONE);
    ck_assert_uint_eq(parser.body_length, 6);
    ck_assert_mem_eq(buffer + parser.body_start, "abcdef", 6);
}
END_TEST

START_TEST(http_parser__asks_for_continue_once_and_only_without_a_body_there)
{
    const char *head =
        "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n";
    struct http_parser parser;
    ck_assert_int_eq(feed_whole(&parser, head), HTTP_CONTINUE);
    size_t length = strlen(head);
    buffer[length] = 'a';
    ck_assert_int_eq(http_parser_run(&parser, &limits, buffer, length + 1), HTTP_MORE);
    buffer[length + 1] = 'b';
    ck_assert_int_eq(http_parser_run(&parser, &limits, buffer, length + 2), HTTP_DONE);
    char with_byte[200];
    snprintf(with_byte, sizeof(with_byte), "%sa", head);
    ck_assert_int_eq(feed_whole(&parser, with_byte), HTTP_MORE);
}
END_TEST

/* Status 0: a whole request. */
static const struct {
    const char *text;
    int status;
    const char *code;
} verdicts[] = {
    {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 0, ""},
    {"GET / HTTP/1.1\r\n\r\n", 400, "missing_host"},
    {"GET / HTTP/1.1\r\nHost: x\r\nhost: x\r\n\r\n", 400, "duplicate_host"},
    {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "invalid_host"},
    {"GET / HTTP/1.0\r\n", 505, "unsupported_version"},
    {"GET /\r\n", 400, "invalid_request_line"},
    {"GE\x01", 400, "control_character"},
    {"GET / HTTP/1.1\nHost: x", 400, "bare_line_feed"},
    {"GET / HTTP/1.1\rHost: x", 400, "bare_carriage_return"},
    {"FOO / HTTP/1.1\r\n", 501, "unknown_method"},
    {"F(O / HTTP/1.1\r\n", 400, "invalid_method"},
    {"OPTIONS * HTTP/1.1\r\n", 400, "target_form"},
    {"GET http://x/ HTTP/1.1\r\n", 400, "target_form"},
    {"GET /{ HTTP/1.1\r\n", 400, "invalid_target"},
    {"GET /?<a HTTP/1.1\r\n", 400, "invalid_target"},
    {"GET /%g0 HTTP/1.1\r\n", 400, "invalid_escape"},
    {"GET /%2F HTTP/1.1\r\n", 400, "forbidden_escape"},
    {"GET /%7f HTTP/1.1\r\n", 400, "forbidden_escape"},
    {"GET /a/%2e%2e HTTP/1.1\r\n", 400, "dot_segment"},
    {"GET / HTTP/1.1\r\nX: a\r\n b\r\n", 400, "folded_line"},
    {"GET / HTTP/1.1\r\nX : a\r\n", 400, "invalid_header_name"},
    {"GET / HTTP/1.1\r\n: a\r\n", 400, "invalid_header_name"},
    {"POST / HTTP/1.1\r\nContent-Length: 1a\r\n", 400, "invalid_content_length"},
    {"POST / HTTP/1.1\r\nContent-Length: 100000000\r\n", 413, "body_too_large"},
    {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n", 413, "body_too_large"},
    {"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n", 400,
     "duplicate_content_length"},
    {"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n", 501, "unsupported_transfer_encoding"},
    {"POST / HTTP/1.1\r\nTransfer-Encoding:\r\n", 400, "invalid_transfer_encoding"},
    {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400,
     "duplicate_transfer_encoding"},
    {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400,
     "ambiguous_length"},
    {"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n", 400, "unexpected_body"},
    {"POST / HTTP/1.1\r\nExpect: more\r\n", 417, "unknown_expectation"},
    {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n", 413,
     "body_too_large"},
    {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;a\r\n", 400,
     "invalid_chunk"},
    {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab", 400,
     "invalid_chunk"},
    {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n", 400,
     "trailers"},
};

START_TEST(http_parser__gives_each_verdict_whole_and_in_pieces)
{
    struct chance chance = {.state = 2};
    const char *text = verdicts[_i].text;
    for (size_t round = 0; round < 60; round++) {
        size_t piece = round == 0 ? strlen(text) : round == 1 ? 1 : 0;
        struct http_parser parser;
        enum http_progress progress = feed(&parser, text, strlen(text), piece, &chance);
        ck_assert_msg(progress == (verdicts[_i].status == 0 ? HTTP_DONE : HTTP_REFUSED),
                      "progress %d for %s", (int)progress, text);
        if (progress == HTTP_REFUSED) {
            ck_assert_int_eq(parser.refusal.status, verdicts[_i].status);
            ck_assert_str_eq(parser.refusal.code, verdicts[_i].code);
        }
    }
}
END_TEST

START_TEST(http_parser__bounds_are_exact)
{
    char text[4000];
    struct http_parser parser;
    for (int extra = 0; extra <= 1; extra++) {
        snprintf(text, sizeof(text), "GET /%0*d HTTP/1.1\r\nHost: x\r\n\r\n", 199 + extra, 0);
        ck_assert_int_eq(feed_whole(&parser, text), extra ? HTTP_REFUSED : HTTP_DONE);
        ck_assert(!extra || parser.refusal.status == 414);
        int rest = 2000 - (int)strlen("GET / HTTP/1.1\r\nHost: x\r\nX: \r\n\r\n");
        snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: x\r\nX: %0*d\r\n\r\n", rest + extra,
                 0);
        ck_assert_int_eq(feed_whole(&parser, text), extra ? HTTP_REFUSED : HTTP_DONE);
        ck_assert(!extra || parser.refusal.status == 431);
        snprintf(text, sizeof(text), "PATCH / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n",
                 1000 + extra);
        ck_assert_int_eq(feed_whole(&parser, text), extra ? HTTP_REFUSED : HTTP_MORE);
    }
}
END_TEST

START_TEST(http_parser__takes_64_headers_and_not_65)
{
    for (int count = 63; count <= 64; count++) {
        char text[2000];
        size_t length = (size_t)snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: x\r\n");
        for (int i = 0; i < count; i++) {
            length += (size_t)snprintf(text + length, sizeof(text) - length, "X: %d\r\n", i);
        }
        snprintf(text + length, sizeof(text) - length, "\r\n");
        struct http_parser parser;
        ck_assert_int_eq(feed_whole(&parser, text), count == 63 ? HTTP_DONE : HTTP_REFUSED);
    }
}
END_TEST

START_TEST(http_host__is_checked_and_matched)
{
    static const char *const good[] = {
        "x", "a.b-c_d", "127.0.0.1:8080", "[::1]", "[::ffff:1.2.3.4]:1", "x:65535"};
    static const char *const bad[] = {"",     ":80",    "x:",       "x:99999", "x:123456", "[]",
                                      "[::1", "[::1]x", "a b",      "a/b",     "a,b",      "a@b",
                                      "x:8o", "x:-1",   "\xc3\xa9", "a%41",    "[::1]:"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        ck_assert_msg(http_host_is_valid(good[i]), "%s", good[i]);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_msg(!http_host_is_valid(bad[i]), "%s", bad[i]);
    }
    ck_assert(http_host_matches("Gate.Example:443", "gate.example"));
    ck_assert(http_host_matches("gate:443", "gate:443"));
    ck_assert(http_host_matches("[::1]:80", "[::1]"));
    ck_assert(!http_host_matches("gate:444", "gate:443"));
    ck_assert(!http_host_matches("gate", "gate:443"));
    ck_assert(!http_host_matches("gate.evil", "gate"));
    ck_assert(!http_host_matches("gat", "gate"));
    ck_assert(!http_host_matches("[::1]:80", "[:"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http_parser");
    TCase *tests = tcase_create("all");
    tcase_add_test(tests, http_parser__takes_a_request_apart);
    tcase_add_test(tests, http_parser__says_the_same_however_bytes_are_split);
    tcase_add_test(tests, http_parser__compacting_between_reads_changes_nothing);
    tcase_add_test(tests, http_parser__asks_for_continue_once_and_only_without_a_body_there);
    tcase_add_loop_test(tests, http_parser__gives_each_verdict_whole_and_in_pieces, 0,
                        (int)(sizeof(verdicts) / sizeof(verdicts[0])));
    tcase_add_test(tests, http_parser__bounds_are_exact);
    tcase_add_test(tests, http_parser__takes_64_headers_and_not_65);
    tcase_add_test(tests, http_host__is_checked_and_matched);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
