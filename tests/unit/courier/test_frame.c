#include "courier/frame.h"

#include "crypto/crypto.h"
#include "tests/support/run_suite.h"
#include <check.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static enum frame_answer read_bytes(const char *bytes, size_t length, struct frame *out)
{
    *out = (struct frame){0};
    return frame_read(bytes, length, out);
}

START_TEST(frame__the_examples_of_the_rfc_are_read)
{
    /* RFC 6455 section 5.7, those a server sends. */
    struct frame frame;
    ck_assert_int_eq(read_bytes("\x81\x05Hello", 7, &frame), FRAME_WHOLE);
    ck_assert_int_eq(frame.opcode, FRAME_TEXT);
    ck_assert(frame.is_last);
    ck_assert(frame.length == 5 && memcmp(frame.payload, "Hello", 5) == 0 && frame.bytes == 7);
    ck_assert_int_eq(read_bytes("\x01\x03Hel", 5, &frame), FRAME_WHOLE);
    ck_assert(!frame.is_last);
    ck_assert_int_eq(read_bytes("\x80\x02lo", 4, &frame), FRAME_WHOLE);
    ck_assert_int_eq(frame.opcode, FRAME_CONTINUATION);
    ck_assert_int_eq(read_bytes("\x89\x05Hello", 7, &frame), FRAME_WHOLE);
    ck_assert_int_eq(frame.opcode, FRAME_PING);
}
END_TEST

START_TEST(frame__a_client_masks_as_the_rfc_shows)
{
    static const unsigned char mask[] = {0x37, 0xfa, 0x21, 0x3d};
    struct builder out BUILDER_SCOPE;
    builder_init(&out, 0);
    frame_append(&out, FRAME_TEXT, "Hello", 5, mask);
    ck_assert_uint_eq(out.length, 11);
    ck_assert(memcmp(out.bytes, "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", 11) == 0);
}
END_TEST

START_TEST(frame__every_part_of_a_frame_waits_for_the_rest)
{
    static const char whole[] = "\x81\x7e\x00\x7e";
    char bytes[130] = {0};
    struct frame frame;
    memcpy(bytes, whole, 4);
    for (size_t i = 0; i < 4 + 126; i++) {
        ck_assert_int_eq(read_bytes(bytes, i, &frame), FRAME_MORE);
    }
    ck_assert_int_eq(read_bytes(bytes, 4 + 126, &frame), FRAME_WHOLE);
    ck_assert_uint_eq(frame.length, 126);
}
END_TEST

START_TEST(frame__what_a_server_may_not_send_is_bad)
{
    static const struct {
        const char *bytes;
        size_t length;
    } bad[] = {
        {"\xc1\x00", 2},                                  /* a reserved bit */
        {"\x83\x00", 2},                                  /* reserved opcodes */
        {"\x8b\x00", 2},                                  /**/
        {"\x81\x80", 2},                                  /* masked */
        {"\x09\x00", 2},                                  /* a ping in pieces */
        {"\x89\x7e\x00\x7e", 4},                          /* a long ping */
        {"\x81\x7e\x00\x7d", 4},                          /* a length longer than it need be */
        {"\x81\x7f\x00\x00\x00\x00\x00\x00\xff\xff", 10}, /* the same */
        {"\x81\x7f\x00\x00\x00\x00\x00\x08\x00\x01", 10}, /* more than is taken */
        {"\x81\x7f\xff\xff\xff\xff\xff\xff\xff\xff", 10}, /* much more */
    };
    struct frame frame;
    for (size_t i = 0; i < COUNT(bad); i++) {
        ck_assert_msg(read_bytes(bad[i].bytes, bad[i].length, &frame) == FRAME_BAD, "%zu", i);
    }
}
END_TEST

START_TEST(frame__a_frame_of_any_length_says_its_length_in_the_shortest_form)
{
    static const struct {
        size_t length, head;
    } lengths[] = {{0, 2}, {125, 2}, {126, 4}, {65535, 4}, {65536, 10}};
    static const unsigned char mask[4] = {0};
    static char payload[65536];
    for (size_t i = 0; i < COUNT(lengths); i++) {
        struct builder out BUILDER_SCOPE;
        struct frame frame;
        builder_init(&out, 0);
        frame_append(&out, FRAME_TEXT, payload, lengths[i].length, mask);
        ck_assert_uint_eq(out.length, lengths[i].head + 4 + lengths[i].length);
        /* As a server would send it: without mask. */
        out.bytes[1] = (char)(out.bytes[1] & 0x7f);
        memmove(out.bytes + lengths[i].head, out.bytes + lengths[i].head + 4, lengths[i].length);
        ck_assert_int_eq(read_bytes(out.bytes, out.length - 4, &frame), FRAME_WHOLE);
        ck_assert_uint_eq(frame.length, lengths[i].length);
    }
}
END_TEST

START_TEST(frame__the_key_of_the_rfc_is_answered_as_there)
{
    struct builder out BUILDER_SCOPE;
    builder_init(&out, 0);
    frame_append_accept(&out, "dGhlIHNhbXBsZSBub25jZQ==");
    ck_assert_str_eq(out.bytes, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}
END_TEST

int main(void)
{
    crypto_start();
    TCase *tests = tcase_create("frame");
    tcase_add_test(tests, frame__the_examples_of_the_rfc_are_read);
    tcase_add_test(tests, frame__a_client_masks_as_the_rfc_shows);
    tcase_add_test(tests, frame__every_part_of_a_frame_waits_for_the_rest);
    tcase_add_test(tests, frame__what_a_server_may_not_send_is_bad);
    tcase_add_test(tests, frame__a_frame_of_any_length_says_its_length_in_the_shortest_form);
    tcase_add_test(tests, frame__the_key_of_the_rfc_is_answered_as_there);
    Suite *suite = suite_create("frame");
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
