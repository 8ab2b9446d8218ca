#include "loop/http.h"

#include "base/memory.h"
#include "loop/loop.h"
#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* One loop, one server, one client in the same thread: the client's bytes wait in the kernel until
 * the loop runs, so nothing here depends on timing. */

struct gate {
    struct loop *loop;
    struct http_server *server;
    uint16_t port;
    int client;
    void (*check)(struct gate *gate, struct http_exchange *exchange);
    struct http_exchange *exchange;
    int requests;
    int gone;
    bool is_drained;
};

static void on_request(void *context, struct http_exchange *exchange)
{
    struct gate *gate = context;
    gate->requests++;
    gate->exchange = exchange;
    gate->check(gate, exchange);
    loop_stop(gate->loop);
}

static void open_gate(struct gate *gate,
                      void (*check)(struct gate *gate, struct http_exchange *exchange))
{
    struct error error = {0};
    struct loop_options options = {0};
    *gate = (struct gate){.check = check, .client = -1};
    gate->loop = loop_create(&options, &error);
    ck_assert_ptr_nonnull(gate->loop);
    gate->server = http_server_create(&(struct http_server_options){.loop = gate->loop});
    struct http_listener_options listener = {
        .id = 7, .address = "127.0.0.1", .on_request = on_request, .context = gate};
    ck_assert_msg(http_listen(gate->server, &listener, &gate->port, &error), "%s", error.message);
}

static void close_gate(struct gate *gate)
{
    http_server_destroy(gate->server);
    loop_destroy(gate->loop);
    if (gate->client >= 0) {
        close(gate->client);
    }
}

static void send_text(struct gate *gate, const char *text)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(gate->port)};
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    if (gate->client < 0) {
        gate->client = socket(AF_INET, SOCK_STREAM, 0);
        ck_assert_int_eq(connect(gate->client, (struct sockaddr *)&address, sizeof(address)), 0);
    }
    ck_assert_int_eq(write(gate->client, text, strlen(text)), (ssize_t)strlen(text));
}

static void ask(struct gate *gate, const char *text)
{
    send_text(gate, text);
    loop_run(gate->loop);
}

/* What the client has got so far; waits for at least one byte. */
static const char *received(struct gate *gate)
{
    static char bytes[4096];
    ssize_t length = read(gate->client, bytes, sizeof(bytes) - 1);
    bytes[length < 0 ? 0 : length] = '\0';
    return bytes;
}

static void ok(struct http_exchange *exchange)
{
    http_answer(exchange, 200, NULL, 0, "ok", 2);
}

static void check_lookups(struct gate *gate, struct http_exchange *exchange)
{
    (void)gate;
    struct error error = {0};
    const char *value = "";
    ck_assert(http_header(exchange, "X-ONE", &value, &error));
    ck_assert_str_eq(value, "1");
    ck_assert(http_header(exchange, "x-none", &value, &error));
    ck_assert_ptr_null(value);
    ck_assert(!http_header(exchange, "x-two", &value, &error));
    ck_assert_int_eq(error.kind, ERROR_INVALID);
    ck_assert_str_eq(error.code, "duplicate_header");
    size_t cursor = 0;
    ck_assert_str_eq(http_header_next(exchange, "X-Two", &cursor, NULL), "a");
    ck_assert_str_eq(http_header_next(exchange, "X-Two", &cursor, NULL), "b");
    ck_assert_ptr_null(http_header_next(exchange, "X-Two", &cursor, NULL));
    const char *name = NULL;
    cursor = 0;
    ck_assert_str_eq(http_header_next(exchange, NULL, &cursor, &name), "x");
    ck_assert_str_eq(name, "host");
    ck_assert_int_eq(http_listener_id(exchange), 7);
    ck_assert_str_eq(http_peer_text(exchange), "127.0.0.1");
    ck_assert(!http_is_tls(exchange));
    ck_assert_ptr_null(http_peer_certificate(exchange));
    struct http_credentials credentials;
    ck_assert(!http_peer_credentials(exchange, &credentials));
    ck_assert_ptr_null(http_context(exchange));
    ck_assert(!http_wants_upgrade(exchange, "websocket"));
    ok(exchange);
}

START_TEST(http__headers_are_found_in_any_case_and_once)
{
    struct gate gate;
    open_gate(&gate, check_lookups);
    ask(&gate,
        "GET / HTTP/1.1\r\nHost: x\r\nx-One: 1\r\nX-Two: a\r\nx-two: b\r\nUpgrade: h2c\r\n\r\n");
    ck_assert_int_eq(gate.requests, 1);
    close_gate(&gate);
}
END_TEST

static bool append_pair(void *context, const char *name, const char *value)
{
    struct builder *out = context;
    builder_printf(out, "[%s=%s]", name, value);
    return strcmp(name, "stop") != 0;
}

static void check_query(struct gate *gate, struct http_exchange *exchange)
{
    (void)gate;
    struct error error = {0};
    struct builder out BUILDER_SCOPE;
    builder_init(&out, 0);
    ck_assert(http_query_each(exchange, append_pair, &out, &error));
    ck_assert_str_eq(out.bytes, "[a b=c&d][two=1][two=2][flag=][=x][stop=]");
    bool is_present = false;
    builder_clear(&out);
    ck_assert(http_query_value(exchange, "a b", &out, &is_present, &error));
    ck_assert(is_present);
    ck_assert_str_eq(out.bytes, "c&d");
    ck_assert(http_query_value(exchange, "after", &out, &is_present, &error));
    ck_assert(is_present);
    ck_assert(http_query_value(exchange, "none", &out, &is_present, &error));
    ck_assert(!is_present);
    ck_assert(!http_query_value(exchange, "two", &out, &is_present, &error));
    ck_assert_str_eq(error.code, "duplicate_parameter");
    ok(exchange);
}

START_TEST(http__query_parameters_are_decoded_and_unique)
{
    struct gate gate;
    open_gate(&gate, check_query);
    ask(&gate, "GET /?a+b=c%26d&two=1&&two=2&flag&=x&stop&after=1 HTTP/1.1\r\nHost: x\r\n\r\n");
    ck_assert_int_eq(gate.requests, 1);
    close_gate(&gate);
}
END_TEST

static void check_bad_query(struct gate *gate, struct http_exchange *exchange)
{
    (void)gate;
    struct error error = {0};
    struct builder out BUILDER_SCOPE;
    builder_init(&out, 0);
    bool is_present = false;
    ck_assert(!http_query_value(exchange, "a", &out, &is_present, &error));
    ck_assert_int_eq(error.kind, ERROR_INVALID);
    ck_assert_str_eq(error.code, "invalid_parameter");
    ok(exchange);
}

START_TEST(http__broken_query_escapes_are_errors)
{
    static const char *const queries[] = {"a=%", "a=%4", "a=%zz", "a=%00", "%=1"};
    for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
        char text[100];
        snprintf(text, sizeof(text), "GET /?%s HTTP/1.1\r\nHost: x\r\n\r\n", queries[i]);
        struct gate gate;
        open_gate(&gate, check_bad_query);
        ask(&gate, text);
        ck_assert_int_eq(gate.requests, 1);
        close_gate(&gate);
    }
}
END_TEST

static void on_gone(void *context)
{
    struct gate *gate = context;
    gate->gone++;
    loop_stop(gate->loop);
}

static void park(struct gate *gate, struct http_exchange *exchange)
{
    http_set_context(exchange, gate);
    http_park(exchange, on_gone);
}

START_TEST(http__destroying_the_server_tells_parked_exchanges)
{
    struct gate gate;
    open_gate(&gate, park);
    ask(&gate, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    ck_assert_int_eq(gate.gone, 0);
    http_server_destroy(gate.server);
    ck_assert_int_eq(gate.gone, 1);
    gate.server = NULL;
    close_gate(&gate);
}
END_TEST

START_TEST(http__a_parked_client_that_hangs_up_is_told_once)
{
    struct gate gate;
    open_gate(&gate, park);
    ask(&gate, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    ck_assert_int_eq(shutdown(gate.client, SHUT_WR), 0);
    loop_run(gate.loop);
    ck_assert_int_eq(gate.gone, 1);
    close_gate(&gate);
    ck_assert_int_eq(gate.gone, 1);
}
END_TEST

static void keep(struct gate *gate, struct http_exchange *exchange)
{
    (void)gate, (void)exchange;
}

START_TEST(http__parking_late_after_the_client_left_still_tells)
{
    struct gate gate;
    open_gate(&gate, keep);
    ask(&gate, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    struct linger reset = {.l_onoff = 1};
    setsockopt(gate.client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    close(gate.client);
    gate.client = -1;
    struct http_exchange *exchange = gate.exchange;
    /* Turns until the front has seen the reset: a second connection's request comes after it. */
    gate.check = park;
    ask(&gate, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    http_set_context(exchange, &gate);
    http_park(exchange, on_gone);
    loop_run(gate.loop);
    ck_assert_int_eq(gate.gone, 1);
    close_gate(&gate);
    ck_assert_int_eq(gate.gone, 2);
}
END_TEST

START_TEST(http__an_answer_after_the_client_left_is_dropped)
{
    struct gate gate;
    open_gate(&gate, keep);
    ask(&gate, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    struct linger reset = {.l_onoff = 1};
    setsockopt(gate.client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    close(gate.client);
    gate.client = -1;
    struct http_exchange *first = gate.exchange;
    ask(&gate, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    ck_assert_ptr_ne(first, gate.exchange);
    ok(first);
    ok(gate.exchange);
    ck_assert_ptr_nonnull(strstr(received(&gate), "HTTP/1.1 200 OK"));
    close_gate(&gate);
}
END_TEST

START_TEST(http__destroying_with_an_answer_owed_leaves_nothing)
{
    struct gate gate;
    open_gate(&gate, keep);
    ask(&gate, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcGET");
    ck_assert_int_eq(gate.requests, 1);
    close_gate(&gate); /* the leak checker looks at the rest */
}
END_TEST

static void on_drained(void *context)
{
    struct gate *gate = context;
    gate->is_drained = true;
    loop_stop(gate->loop);
}

START_TEST(http__drain_ends_at_its_limit_with_an_answer_still_owed)
{
    struct gate gate;
    open_gate(&gate, keep);
    ask(&gate, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    http_drain(gate.server, 20, on_drained, &gate);
    loop_run(gate.loop);
    ck_assert(gate.is_drained);
    ok(gate.exchange); /* late, into the void */
    close_gate(&gate);
}
END_TEST

static void answer_no_content(struct gate *gate, struct http_exchange *exchange)
{
    static const struct http_field fields[] = {{"X-A", "b"}};
    http_answer(exchange, gate->requests == 1 ? 204 : 304, fields, 1, "ignored", 7);
}

START_TEST(http__no_content_has_neither_length_nor_body)
{
    struct gate gate;
    open_gate(&gate, answer_no_content);
    for (int i = 0; i < 2; i++) {
        ask(&gate, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        const char *answer = received(&gate);
        ck_assert_ptr_nonnull(strstr(answer, "X-A: b\r\n"));
        ck_assert_ptr_null(strstr(answer, "Content-Length"));
        ck_assert_ptr_null(strstr(answer, "ignored"));
    }
    close_gate(&gate);
}
END_TEST

static void close_after(struct gate *gate, struct http_exchange *exchange)
{
    (void)gate;
    http_close_after(exchange);
    ok(exchange);
}

START_TEST(http__close_after_says_so)
{
    struct gate gate;
    open_gate(&gate, close_after);
    ask(&gate, "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n");
    ck_assert_int_eq(gate.requests, 1);
    ck_assert_ptr_nonnull(strstr(received(&gate), "Connection: close\r\n"));
    ck_assert_str_eq(received(&gate), "");
    close_gate(&gate);
}
END_TEST

START_TEST(http__listen_errors_name_what_to_change)
{
    static const struct {
        struct http_listener_options options;
        const char *message;
    } cases[] = {
        {{.address = "localhost"}, "`localhost` is not a numeric address"},
        {{.address = NULL}, "is not a numeric address"},
        {{.address = "192.0.2.1", .port = 1}, "192.0.2.1 port 1"},
        {{.socket_path = "/nonexistent/folder/x.sock"}, "/nonexistent/folder/x.sock"},
        {{.socket_path = "/tmp"}, "is not a socket"},
        {{.socket_path =
              "/tmp/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
              "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
         "at most 107 bytes"},
        {{.address = "127.0.0.1", .certificate_file = "/nonexistent.pem"}, "has no key file"},
        {{.address = "127.0.0.1", .certificate_file = "/nonexistent.pem", .key_file = "/k"},
         "`/nonexistent.pem`: No such file"},
    };
    struct gate gate;
    open_gate(&gate, keep);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct error error = {0};
        ck_assert(!http_listen(gate.server, &cases[i].options, NULL, &error));
        ck_assert_int_eq(error.kind, ERROR_INVALID);
        ck_assert_msg(strstr(error.message, cases[i].message) != NULL, "%s", error.message);
    }
    close_gate(&gate);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http");
    TCase *tests = tcase_create("all");
    tcase_add_test(tests, http__headers_are_found_in_any_case_and_once);
    tcase_add_test(tests, http__query_parameters_are_decoded_and_unique);
    tcase_add_test(tests, http__broken_query_escapes_are_errors);
    tcase_add_test(tests, http__destroying_the_server_tells_parked_exchanges);
    tcase_add_test(tests, http__a_parked_client_that_hangs_up_is_told_once);
    tcase_add_test(tests, http__parking_late_after_the_client_left_still_tells);
    tcase_add_test(tests, http__an_answer_after_the_client_left_is_dropped);
    tcase_add_test(tests, http__destroying_with_an_answer_owed_leaves_nothing);
    tcase_add_test(tests, http__drain_ends_at_its_limit_with_an_answer_still_owed);
    tcase_add_test(tests, http__no_content_has_neither_length_nor_body);
    tcase_add_test(tests, http__close_after_says_so);
    tcase_add_test(tests, http__listen_errors_name_what_to_change);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
