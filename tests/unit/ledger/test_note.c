#include "ledger/checkpoint.h"
#include "ledger/proof.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct signer *make_signer(char letter)
{
    unsigned char seed[32];
    memset(seed, letter, sizeof seed);
    return signer_from_seed(SIGNER_ED25519, seed);
}

START_TEST(key__text_form_reads_back)
{
    struct signer *signer = make_signer('a');
    struct note_key key;
    struct note_key again;
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    ck_assert(note_key_of_signer(&key, "gate.example/ledger", signer, NULL));
    note_key_append(&text, &key);
    ck_assert(note_key_parse(&again, text.bytes, text.length, NULL));
    ck_assert_str_eq(again.name, key.name);
    ck_assert_uint_eq(again.id, key.id);
    ck_assert_mem_eq(again.public_key, key.public_key, sizeof key.public_key);
    builder_char(&text, '\n');
    ck_assert(note_key_parse(&again, text.bytes, text.length, NULL));
    signer_close(signer);
}
END_TEST

START_TEST(key__changed_text_is_refused)
{
    static const char good[] =
        "gate.example/ledger+75461b84+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";
    struct note_key key;
    ck_assert(note_key_parse(&key, good, strlen(good), NULL));
    for (size_t i = 0; i < strlen(good); i++) {
        char bad[sizeof good];
        memcpy(bad, good, sizeof good);
        bad[i] = bad[i] == 'z' ? 'y' : 'z';
        struct error error = {0};
        ck_assert_msg(!note_key_parse(&key, bad, strlen(bad), &error), "accepted %s", bad);
        ck_assert_int_eq(error.kind, ERROR_INVALID);
    }
    for (size_t length = 0; length < strlen(good); length++) {
        ck_assert(!note_key_parse(&key, good, length, NULL));
    }
}
END_TEST

START_TEST(key__names_with_spaces_plus_or_controls_are_refused)
{
    static const char *const bad[] = {"",
                                      "a b",
                                      "a+b",
                                      "a\nb",
                                      "a\tb",
                                      "a\xc2\xa0"
                                      "b",
                                      "a\xe2\x80\x83"
                                      "b",
                                      "a\xe3\x80\x80"
                                      "b",
                                      "a\xff",
                                      "a\x7f"};
    unsigned char public_key[32] = {0};
    struct note_key key;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct error error = {0};
        ck_assert(!note_key_make(&key, bad[i], NOTE_KEY_ED25519, public_key, &error));
        ck_assert_str_eq(error.code, "bad_key_name");
    }
    ck_assert(note_key_make(&key,
                            "g\xc3\xbc"
                            "te.example",
                            NOTE_KEY_ED25519, public_key, NULL));
    char name[NOTE_NAME_BYTES_MAX + 2];
    memset(name, 'n', sizeof name);
    name[NOTE_NAME_BYTES_MAX + 1] = '\0';
    ck_assert(!note_key_make(&key, name, NOTE_KEY_ED25519, public_key, NULL));
    name[NOTE_NAME_BYTES_MAX] = '\0';
    ck_assert(note_key_make(&key, name, NOTE_KEY_ED25519, public_key, NULL));
}
END_TEST

START_TEST(note__every_flipped_bit_is_found)
{
    struct signer *signer = make_signer('a');
    struct note_key key;
    struct note note;
    struct builder signed_note BUILDER_SCOPE;
    builder_init(&signed_note, 0);
    ck_assert(note_key_of_signer(&key, "a.example", signer, NULL));
    ck_assert(note_sign(&signed_note, "one\n\ntwo\n", 9, "a.example", signer, NULL));
    ck_assert(note_open(&note, signed_note.bytes, signed_note.length, &key, 1, NULL));
    ck_assert_uint_eq(note.text_length, 9);
    for (size_t bit = 0; bit < signed_note.length * 8; bit++) {
        signed_note.bytes[bit / 8] ^= (char)(1 << bit % 8);
        ck_assert_msg(!note_open(&note, signed_note.bytes, signed_note.length, &key, 1, NULL),
                      "bit %zu", bit);
        signed_note.bytes[bit / 8] ^= (char)(1 << bit % 8);
    }
    signer_close(signer);
}
END_TEST

START_TEST(note__text_that_could_not_be_opened_is_not_signed)
{
    struct signer *signer = make_signer('a');
    struct builder out BUILDER_SCOPE;
    builder_init(&out, 0);
    static const char *const bad[] = {"", "no newline", "tab\t\n", "\xff\n", "cr\r\n"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct error error = {0};
        ck_assert(!note_sign(&out, bad[i], strlen(bad[i]), "a.example", signer, &error));
        ck_assert_str_eq(error.code, "bad_note");
    }
    ck_assert(!note_sign(&out, "ok\n", 3, "a b", signer, NULL));
    ck_assert_uint_eq(out.length, 0);
    signer_close(signer);
}
END_TEST

START_TEST(note__too_many_signatures_are_refused)
{
    struct signer *signer = make_signer('a');
    struct note_key key;
    struct note note;
    struct builder out BUILDER_SCOPE;
    builder_init(&out, 0);
    ck_assert(note_key_of_signer(&key, "a.example", signer, NULL));
    ck_assert(note_sign(&out, "t\n", 2, "a.example", signer, NULL));
    char line[256];
    snprintf(line, sizeof line, "%s", out.bytes + 3);
    for (int i = 1; i < NOTE_SIGNATURES_MAX; i++) {
        builder_text(&out, line);
    }
    ck_assert(note_open(&note, out.bytes, out.length, &key, 1, NULL));
    ck_assert_uint_eq(note.signature_count, 1);
    builder_text(&out, line);
    struct error error = {0};
    ck_assert(!note_open(&note, out.bytes, out.length, &key, 1, &error));
    ck_assert_str_eq(error.code, "bad_note");
    signer_close(signer);
}
END_TEST

START_TEST(checkpoint__reads_back_and_belongs_to_one_log)
{
    struct signer *signer = make_signer('a');
    struct note_key key;
    struct builder out BUILDER_SCOPE;
    builder_init(&out, 0);
    struct checkpoint made = {.origin = "gate.example/ledger", .size = TREE_SIZE_MAX};
    memset(made.root.bytes, 7, SHA256_BYTES);
    ck_assert(checkpoint_sign(&out, &made, signer, NULL));
    ck_assert(note_key_of_signer(&key, made.origin, signer, NULL));
    struct checkpoint read = {0};
    struct note note;
    ck_assert(checkpoint_open(&read, &note, out.bytes, out.length, &key, 1, NULL, NULL));
    ck_assert_str_eq(read.origin, made.origin);
    ck_assert_uint_eq(read.size, made.size);
    ck_assert_mem_eq(read.root.bytes, made.root.bytes, SHA256_BYTES);
    ck_assert_uint_eq(note.signature_count, 1);
    struct error error = {0};
    ck_assert(!checkpoint_open(&read, NULL, out.bytes, out.length, &key, 1, "other", &error));
    ck_assert_str_eq(error.code, "other_log");
    signer_close(signer);
}
END_TEST

START_TEST(checkpoint__signed_by_a_key_of_another_name_is_refused)
{
    struct signer *signer = make_signer('a');
    struct note_key key;
    struct builder out BUILDER_SCOPE;
    builder_init(&out, 0);
    static const char text[] = "gate.example/ledger\n0\n"
                               "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";
    ck_assert(note_sign(&out, text, strlen(text), "b.example", signer, NULL));
    ck_assert(note_key_of_signer(&key, "b.example", signer, NULL));
    struct checkpoint read;
    struct error error = {0};
    ck_assert(!checkpoint_open(&read, NULL, out.bytes, out.length, &key, 1, NULL, &error));
    ck_assert_str_eq(error.code, "no_known_signature");
    signer_close(signer);
}
END_TEST

START_TEST(checkpoint__extension_lines_are_skipped_unless_empty)
{
#define ROOT "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
    static const struct {
        const char *text;
        bool is_good;
    } cases[] = {
        {"o\n0\n" ROOT, true},
        {"o\n0\n" ROOT "ext\nmore\n", true},
        {"o\n0\n" ROOT "\n", false},
        {"o\n0\n" ROOT "ext", false},
        {"o\n1\n" ROOT, true},
        {"o\n9223372036854775807\n" ROOT, true},
        {"o\n9223372036854775808\n" ROOT, false},
        {"o\n0\nAAAAQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n", false},
        {"o\n 1\n" ROOT, false},
        {"o\n\n" ROOT, false},
        {"o\n1", false},
        {"", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct checkpoint read;
        ck_assert_msg(checkpoint_parse(&read, cases[i].text, strlen(cases[i].text), NULL) ==
                          cases[i].is_good,
                      "%s", cases[i].text);
    }
}
END_TEST

START_TEST(checkpoint__origin_names_the_epoch)
{
    char origin[NOTE_NAME_BYTES_MAX + 1];
    ck_assert(checkpoint_origin(origin, "gate.example/ledger", 1, NULL));
    ck_assert_str_eq(origin, "gate.example/ledger");
    ck_assert(checkpoint_origin(origin, "gate.example/ledger", 12, NULL));
    ck_assert_str_eq(origin, "gate.example/ledger/e12");
    char name[NOTE_NAME_BYTES_MAX + 1];
    memset(name, 'n', sizeof name);
    name[NOTE_NAME_BYTES_MAX] = '\0';
    ck_assert(checkpoint_origin(origin, name, 1, NULL));
    struct error error = {0};
    ck_assert(!checkpoint_origin(origin, name, 2, &error));
    ck_assert_int_eq(error.kind, ERROR_LIMIT);
}
END_TEST

START_TEST(proof__of_a_log_of_one_entry_verifies_and_no_other_entry)
{
    struct signer *signer = make_signer('a');
    struct note_key key;
    struct tree tree;
    tree_init(&tree);
    struct sha256 leaf = tree_leaf_hash("entry", 5);
    tree_append(&tree, &leaf, NULL, NULL);
    struct checkpoint checkpoint = {.origin = "o", .size = 1, .root = tree_root(&tree)};
    struct builder note BUILDER_SCOPE;
    struct builder receipt BUILDER_SCOPE;
    builder_init(&note, 0);
    builder_init(&receipt, 0);
    ck_assert(note_key_of_signer(&key, "o", signer, NULL));
    ck_assert(checkpoint_sign(&note, &checkpoint, signer, NULL));
    struct proof proof = {.checkpoint = note.bytes, .checkpoint_length = note.length};
    proof_append(&receipt, &proof);
    uint64_t index = 7;
    ck_assert(proof_verify(receipt.bytes, receipt.length, &leaf, &key, 1, "o", &index, NULL, NULL));
    ck_assert_uint_eq(index, 0);
    struct sha256 other = tree_leaf_hash("other", 5);
    struct error error = {0};
    ck_assert(
        !proof_verify(receipt.bytes, receipt.length, &other, &key, 1, "o", NULL, NULL, &error));
    ck_assert_str_eq(error.code, "not_included");
    for (size_t length = 0; length < receipt.length; length++) {
        ck_assert(!proof_verify(receipt.bytes, length, &leaf, &key, 1, "o", NULL, NULL, NULL));
    }
    signer_close(signer);
}
END_TEST

START_TEST(proof__lines_of_another_form_are_refused)
{
#define HEAD "c2sp.org/tlog-proof@v1\n"
#define HASH "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
    static const char *const bad[] = {
        "",
        "c2sp.org/tlog-proof@v2\nindex 0\n\nnote\n",
        HEAD "index -1\n\nnote\n",
        HEAD "index  1\n\nnote\n",
        HEAD "index 9223372036854775807\n\nnote\n",
        HEAD "extra !\nindex 0\n\nnote\n",
        HEAD "extra aGVsbG8=\nextra aGVsbG8=\nindex 0\n\nnote\n",
        HEAD "index 0\nindex 0\n\nnote\n",
        HEAD "index 0\n" HASH "note\n",
        HEAD "index 0\n" HASH,
    };
    struct proof proof;
    ck_assert(proof_parse(&proof, HEAD "index 0\n" HASH "\nnote\n",
                          strlen(HEAD "index 0\n" HASH "\nnote\n"), NULL));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct error error = {0};
        ck_assert_msg(!proof_parse(&proof, bad[i], strlen(bad[i]), &error), "%s", bad[i]);
        ck_assert_str_eq(error.code, "bad_proof");
    }
    struct builder many BUILDER_SCOPE;
    builder_init(&many, 0);
    builder_text(&many, HEAD "index 0\n");
    for (int i = 0; i <= TREE_PROOF_HASHES_MAX; i++) {
        builder_text(&many, HASH);
    }
    builder_text(&many, "\nnote\n");
    ck_assert(!proof_parse(&proof, many.bytes, many.length, NULL));
}
END_TEST

int main(void)
{
    crypto_start();
    Suite *suite = suite_create("ledger note");
    TCase *tests = tcase_create("note");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, key__text_form_reads_back);
    tcase_add_test(tests, key__changed_text_is_refused);
    tcase_add_test(tests, key__names_with_spaces_plus_or_controls_are_refused);
    tcase_add_test(tests, note__every_flipped_bit_is_found);
    tcase_add_test(tests, note__text_that_could_not_be_opened_is_not_signed);
    tcase_add_test(tests, note__too_many_signatures_are_refused);
    tcase_add_test(tests, checkpoint__reads_back_and_belongs_to_one_log);
    tcase_add_test(tests, checkpoint__signed_by_a_key_of_another_name_is_refused);
    tcase_add_test(tests, checkpoint__extension_lines_are_skipped_unless_empty);
    tcase_add_test(tests, checkpoint__origin_names_the_epoch);
    tcase_add_test(tests, proof__of_a_log_of_one_entry_verifies_and_no_other_entry);
    tcase_add_test(tests, proof__lines_of_another_form_are_refused);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
