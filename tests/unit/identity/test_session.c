#include "identity/session.h"

#include "tests/support/run_suite.h"
#include <stdio.h>
#include <string.h>

#define SECRET "css_notARealSessionNotARealSessionNotARealSessi"
#define OTHER  "css_anotherFakeSessionAnotherFakeSessionAnother"

static struct error error;
static struct credential found;

static bool read(const char *header, bool is_tls)
{
    error = (struct error){0};
    found = (struct credential){0};
    return identity_read_cookie(header, is_tls, &found, &error);
}

static void expect_refusal(const char *header, const char *code)
{
    ck_assert_msg(!read(header, false), "%s", header);
    ck_assert_int_eq(error.kind, ERROR_UNAUTHENTICATED);
    ck_assert_str_eq(error.code, code);
    ck_assert_ptr_null(strstr(error.message, "css_"));
    ck_assert_int_eq(found.kind, CREDENTIAL_NONE);
}

START_TEST(cookie__is_found_among_those_of_others)
{
    struct credential expected = identity_session_credential(SECRET);
    static const char *const headers[] = {
        "countersign-dev=" SECRET,
        "theme=dark; countersign-dev=" SECRET,
        "countersign-dev=" SECRET "; theme=dark",
        "a=b=c; ; flag; =x; countersign-dev=" SECRET ";",
        "xcountersign-dev=1; countersign-devx=2; countersign-dev=" SECRET,
    };
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        ck_assert_msg(read(headers[i], false), "%s", headers[i]);
        ck_assert_int_eq(found.kind, CREDENTIAL_SESSION);
        ck_assert_mem_eq(&found.hash, &expected.hash, sizeof found.hash);
        ck_assert_mem_eq(&found.csrf, &expected.csrf, sizeof found.csrf);
    }
}
END_TEST

START_TEST(cookie__over_tls_only_the_host_bound_name_counts)
{
    ck_assert(read("__Host-countersign=" SECRET, true));
    ck_assert(!read("countersign-dev=" SECRET, true));
    ck_assert(!read("__Host-countersign=" SECRET, false));
    ck_assert(!read("__host-countersign=" SECRET, true));
}
END_TEST

START_TEST(cookie__none_is_no_credential)
{
    expect_refusal(NULL, "no_credential");
    expect_refusal("", "no_credential");
    expect_refusal("theme=dark", "no_credential");
    expect_refusal("Countersign-Dev=" SECRET, "no_credential");
}
END_TEST

START_TEST(cookie__of_another_form_is_refused)
{
    expect_refusal("countersign-dev", "invalid_credential");
    expect_refusal("countersign-dev=", "invalid_credential");
    expect_refusal("countersign-dev=css_short", "invalid_credential");
    expect_refusal("countersign-dev=" SECRET "x", "invalid_credential");
    expect_refusal("countersign-dev=\"" SECRET "\"", "invalid_credential");
    expect_refusal("countersign-dev= " SECRET, "invalid_credential");
    expect_refusal("countersign-dev=csk_notARealSessionNotARealSessionNotARealSessi",
                   "invalid_credential");
    expect_refusal("countersign-dev=css_notARealSession=otARealSessionNotARealSessi",
                   "invalid_credential");
    expect_refusal("countersign-dev=css_notARealSession;otARealSessionNotARealSessi",
                   "invalid_credential");
}
END_TEST

/* Another site can plant a second cookie of the name: which one counts must not be left to luck. */
START_TEST(cookie__twice_is_refused)
{
    expect_refusal("countersign-dev=" SECRET "; countersign-dev=" OTHER, "invalid_credential");
    expect_refusal("countersign-dev=" SECRET "; countersign-dev=" SECRET, "invalid_credential");
}
END_TEST

START_TEST(csrf__belongs_to_one_session)
{
    struct credential mine = identity_session_credential(SECRET);
    struct credential other = identity_session_credential(OTHER);
    char token[CSRF_TEXT_BYTES];
    identity_csrf_text(&mine, token);
    ck_assert_uint_eq(strlen(token), CSRF_TEXT_BYTES - 1);
    ck_assert(identity_csrf_matches(&mine, token));
    ck_assert(!identity_csrf_matches(&other, token));
    ck_assert(!identity_csrf_matches(&mine, NULL));
    ck_assert(!identity_csrf_matches(&mine, ""));
    ck_assert_ptr_null(strstr(SECRET, token));
}
END_TEST

START_TEST(csrf__one_character_more_less_or_other_does_not_match)
{
    struct credential mine = identity_session_credential(SECRET);
    char token[CSRF_TEXT_BYTES + 1] = "";
    identity_csrf_text(&mine, token);
    for (size_t i = 0; i + 1 < CSRF_TEXT_BYTES; i++) {
        char right = token[i];
        token[i] = right == 'A' ? 'B' : 'A';
        ck_assert(!identity_csrf_matches(&mine, token));
        token[i] = right;
    }
    token[CSRF_TEXT_BYTES - 1] = 'A';
    ck_assert(!identity_csrf_matches(&mine, token));
    token[CSRF_TEXT_BYTES - 2] = '\0';
    ck_assert(!identity_csrf_matches(&mine, token));
}
END_TEST

START_TEST(csrf__is_for_sessions_only)
{
    struct credential key = identity_session_credential(SECRET);
    char token[CSRF_TEXT_BYTES];
    identity_csrf_text(&key, token);
    key.kind = CREDENTIAL_API_KEY;
    ck_assert(!identity_csrf_matches(&key, token));
}
END_TEST

START_TEST(origin__must_be_scheme_and_host_of_the_request)
{
    ck_assert(identity_is_same_origin("http://localhost:8080", false, "localhost:8080"));
    ck_assert(identity_is_same_origin("https://gate.example", true, "gate.example"));
    ck_assert(identity_is_same_origin("https://gate.example", true, "Gate.Example"));
    static const char *const wrong[] = {"null",
                                        "",
                                        "http://localhost",
                                        "http://localhost:8081",
                                        "https://localhost:8080",
                                        "http://localhost:8080.evil.example",
                                        "http://evil.example/localhost:8080",
                                        "http://localhost:8080/",
                                        "HTTP://localhost:8080",
                                        "localhost:8080"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        ck_assert_msg(!identity_is_same_origin(wrong[i], false, "localhost:8080"), "%s", wrong[i]);
    }
    ck_assert(!identity_is_same_origin(NULL, false, "localhost:8080"));
    ck_assert(!identity_is_same_origin("http://", false, ""));
    ck_assert(!identity_is_same_origin("http://localhost", false, NULL));
}
END_TEST

/* ---- browsers ---- */

#define BROWSER "csb_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static const struct browser_case {
    const char *header;
    bool is_tls, is_read;
} browser_cases[] = {
    {"countersign-browser-dev=" BROWSER, false, true},
    {"__Host-countersign-browser=" BROWSER, true, true},
    {"countersign-dev=x; countersign-browser-dev=" BROWSER "; other=1", false, true},
    {"countersign-browser-dev=" BROWSER, true, false},
    {"__Host-countersign-browser=" BROWSER, false, false},
    {"countersign-browser-dev=" BROWSER "; countersign-browser-dev=" BROWSER, false, false},
    {"countersign-browser-dev=css_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", false, false},
    {"countersign-browser-dev=" BROWSER "A", false, false},
    {"countersign-browser-dev=csb_", false, false},
    {"countersign-browser-dev", false, false},
    {"countersign-dev=" BROWSER, false, false},
    {"", false, false},
    {NULL, false, false},
};

START_TEST(browser__only_one_cookie_of_its_own_form_is_read)
{
    const struct browser_case *one = &browser_cases[_i];
    struct sha256 wanted = crypto_sha256(BROWSER, strlen(BROWSER));
    struct sha256 hash = {0};
    bool is_read = identity_read_browser(one->header, one->is_tls, &hash);
    ck_assert_msg(is_read == one->is_read, "`%s`", one->header == NULL ? "(none)" : one->header);
    ck_assert(!is_read || memcmp(&hash, &wanted, sizeof hash) == 0);
}
END_TEST

START_TEST(browser__its_cookie_is_no_session)
{
    error = (struct error){0};
    ck_assert(!identity_read_cookie("countersign-dev=" BROWSER, false, &found, &error));
    ck_assert_str_eq(error.code, "invalid_credential");
}
END_TEST

static const struct {
    const char *agent, *name;
} agents[] = {
    {"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox on Linux"},
    {"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
     "Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0",
     "Edge on Windows"},
    {"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 "
     "Mobile Safari/537.36",
     "Chrome on Android"},
    {"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
     "Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
     "Safari on iOS"},
    {"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17.5 "
     "Safari/605.1.15",
     "Safari on macOS"},
    {"curl/8.5.0", "a browser"},
    {"visit evil.example", "a browser"},
    {"", "a browser"},
    {NULL, "a browser"},
};

START_TEST(browser__is_named_in_words_of_ours)
{
    char name[BROWSER_NAME_BYTES];
    identity_name_browser(agents[_i].agent, name);
    ck_assert_str_eq(name, agents[_i].name);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("identity/session");
    TCase *tests = tcase_create("all");
    tcase_add_test(tests, cookie__is_found_among_those_of_others);
    tcase_add_test(tests, cookie__over_tls_only_the_host_bound_name_counts);
    tcase_add_test(tests, cookie__none_is_no_credential);
    tcase_add_test(tests, cookie__of_another_form_is_refused);
    tcase_add_test(tests, cookie__twice_is_refused);
    tcase_add_test(tests, csrf__belongs_to_one_session);
    tcase_add_test(tests, csrf__one_character_more_less_or_other_does_not_match);
    tcase_add_test(tests, csrf__is_for_sessions_only);
    tcase_add_test(tests, origin__must_be_scheme_and_host_of_the_request);
    tcase_add_loop_test(tests, browser__only_one_cookie_of_its_own_form_is_read, 0,
                        (int)(sizeof browser_cases / sizeof browser_cases[0]));
    tcase_add_test(tests, browser__its_cookie_is_no_session);
    tcase_add_loop_test(tests, browser__is_named_in_words_of_ours, 0,
                        (int)(sizeof agents / sizeof agents[0]));
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
