#include "base/arena.h"
#include "formats/text.h"
#include "notifiers/mail/mail_letter.h"
#include "tests/support/run_suite.h"
#include "tests/unit/notifiers/sample_card.h"
#include <check.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct arena *arena;

static void set_up(void)
{
    arena = arena_create();
}

static void tear_down(void)
{
    arena_destroy(arena);
}

static const struct mail_envelope envelope = {
    .from = "gate@example.com", .to = "dana@example.com", .notice = "ntc_1", .now = 1764051863123};

static const char *mail_of(const struct card *card)
{
    struct builder out BUILDER_SCOPE;
    struct error error = {0};
    builder_init(&out, 0);
    ck_assert_msg(mail_append(&out, card, &envelope, arena, &error), "%s", error.message);
    return arena_copy(arena, out.bytes, out.length);
}

/* The decoded part of this type. */
static const char *part_of(const char *mail, const char *type)
{
    struct builder packed BUILDER_SCOPE;
    builder_init(&packed, 0);
    const char *part = strstr(mail, type);
    ck_assert_ptr_nonnull(part);
    for (const char *at = strstr(part, "\r\n\r\n") + 4; strncmp(at, "--", 2) != 0;
         at = strstr(at, "\r\n") + 2) {
        builder_append(&packed, at, strcspn(at, "\r"));
    }
    size_t length = 0;
    char *plain = arena_alloc(arena, packed.length + 1);
    ck_assert(text_read_base64(packed.bytes, packed.length, (unsigned char *)plain, packed.length,
                               &length));
    return plain;
}

static const struct address {
    const char *text;
    bool is_one;
} addresses[] = {
    {"dana@example.com", true},
    {"d.a+n-a_1@mail.example.com", true},
    {"dana", false},
    {"@example.com", false},
    {"dana@", false},
    {"dana@ex ample.com", false},
    {"dana@example.com\r\nRCPT TO:<evil@example.com>", false},
    {"dana@example.com,evil@example.com", false},
    {"<dana@example.com>", false},
    {"dana@example.com>\r\n", false},
    {"a..b@example.com", false},
    {".a@example.com", false},
    {"a.@example.com", false},
    {"dana@@example.com", false},
    {"d\xc3\xa4na@example.com", false},
    {"\"dana x\"@example.com", false},
    {"", false},
};

START_TEST(mail__only_plain_addresses_are_addresses)
{
    ck_assert_msg(mail_is_address(addresses[_i].text) == addresses[_i].is_one, "`%s`",
                  addresses[_i].text);
}
END_TEST

START_TEST(mail__a_bad_address_makes_no_mail)
{
    struct builder out BUILDER_SCOPE;
    struct error error = {0};
    struct card card = sample_card("{}", NULL);
    struct mail_envelope bad = envelope;
    bad.to = "x@example.com\r\nBcc: evil@example.com";
    builder_init(&out, 0);
    ck_assert(!mail_append(&out, &card, &bad, arena, &error));
    ck_assert_str_eq(error.code, "bad_address");
    ck_assert_uint_eq(out.length, 0);
}
END_TEST

START_TEST(mail__lines_are_short_and_end_in_crlf)
{
    struct card card = sample_card(
        "{\"memo\":\"a long text, again and again, until no line could hold it whole\"}",
        "because");
    const char *mail = mail_of(&card);
    for (const char *line = mail; *line != '\0';) {
        const char *end = strchr(line, '\n');
        ck_assert_ptr_nonnull(end);
        ck_assert_int_eq(end[-1], '\r');
        ck_assert_int_le(end - line, 100);
        line = end + 1;
    }
}
END_TEST

START_TEST(mail__headers_hold_no_word_from_outside)
{
    struct card card = sample_card("{\"memo\":\"x\"}", "FROM-OUTSIDE");
    card.action = card.resource = card.agent = card.subject = "FROM-OUTSIDE";
    const char *mail = mail_of(&card);
    const char *end = strstr(mail, "\r\n\r\n");
    const char *found = strstr(mail, "FROM-OUTSIDE");
    ck_assert(found == NULL || found > end);
    ck_assert_ptr_nonnull(strstr(mail, "Subject: [Countersign] Approval needed (req_1)\r\n"));
    ck_assert_ptr_nonnull(strstr(mail, "Date: Tue, 25 Nov 2025 06:24:23 +0000\r\n"));
}
END_TEST

START_TEST(mail__both_parts_show_the_arguments_and_only_locate)
{
    struct card card = sample_card("{\"amount\":125}", "because");
    const char *mail = mail_of(&card);
    const char *text = part_of(mail, "text/plain");
    const char *html = part_of(mail, "text/html");
    ck_assert_ptr_nonnull(strstr(text, "\"amount\": 125"));
    ck_assert_ptr_nonnull(strstr(text, card.link));
    ck_assert_ptr_nonnull(strstr(text, "The agent says (not checked): because"));
    ck_assert_ptr_nonnull(strstr(html, "&quot;amount&quot;: 125"));
    ck_assert_ptr_nonnull(strstr(html, "href=\"https://gw.example/requests/req_1\""));
}
END_TEST

START_TEST(mail__markup_from_outside_is_inert)
{
    struct card card = sample_card("{\"memo\":\"</pre><img src=x onerror=alert(1)>'\"}",
                                   "<script>alert(1)</script>");
    const char *html = part_of(mail_of(&card), "text/html");
    ck_assert_ptr_null(strstr(html, "<img"));
    ck_assert_ptr_null(strstr(html, "<script"));
    ck_assert_ptr_nonnull(strstr(html, "&lt;img src=x onerror=alert(1)&gt;&#39;"));
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("mail");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, mail__only_plain_addresses_are_addresses, 0, (int)COUNT(addresses));
    tcase_add_test(tests, mail__a_bad_address_makes_no_mail);
    tcase_add_test(tests, mail__lines_are_short_and_end_in_crlf);
    tcase_add_test(tests, mail__headers_hold_no_word_from_outside);
    tcase_add_test(tests, mail__both_parts_show_the_arguments_and_only_locate);
    tcase_add_test(tests, mail__markup_from_outside_is_inert);
    Suite *suite = suite_create("mail");
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
