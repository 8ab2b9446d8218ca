#include "ledger/note.h"

#include "base/check.h"
#include "ledger/lines_internal.h"
#include <stdio.h>

/* A signature line may carry other kinds than ours, the longest known being ML-DSA-44 with 2,432
 * bytes. */
enum { SIGNATURE_BYTES_MAX = 8192, KEY_ID_BYTES = 4, ED25519_SIGNATURE_BYTES = 64, TIME_BYTES = 8 };
static const char DASH[] = "\xe2\x80\x94 ";

static bool is_bad_note(struct error *error, const char *message)
{
    return error_set(error, ERROR_INVALID, "bad_note", NULL, "%s", message);
}

/* White space beyond ASCII, as Unicode's White_Space property lists it. */
static bool is_wide_space(const unsigned char *at, size_t left)
{
    if (left >= 2 && at[0] == 0xc2) {
        return at[1] == 0x85 || at[1] == 0xa0;
    }
    if (left < 3) {
        return false;
    }
    unsigned code = (unsigned)at[0] << 16 | (unsigned)at[1] << 8 | at[2];
    return code == 0xe19a80 || (code >= 0xe28080 && code <= 0xe2808a) || code == 0xe280a8 ||
           code == 0xe280a9 || code == 0xe280af || code == 0xe2819f || code == 0xe38080;
}

static bool is_key_name(const char *name, size_t length)
{
    if (length == 0 || length > NOTE_NAME_BYTES_MAX || !text_is_utf8(name, length)) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)name[i];
        if (byte <= ' ' || byte == '+' || byte == 0x7f ||
            is_wide_space((const unsigned char *)name + i, length - i)) {
            return false;
        }
    }
    return true;
}

static uint32_t key_id(const struct note_key *key)
{
    unsigned char bytes[NOTE_NAME_BYTES_MAX + 2 + sizeof key->public_key];
    size_t length = strlen(key->name);
    memcpy(bytes, key->name, length);
    bytes[length++] = '\n';
    bytes[length++] = (unsigned char)key->type;
    memcpy(bytes + length, key->public_key, sizeof key->public_key);
    struct sha256 hash = crypto_sha256(bytes, length + sizeof key->public_key);
    return (uint32_t)hash.bytes[0] << 24 | (uint32_t)hash.bytes[1] << 16 |
           (uint32_t)hash.bytes[2] << 8 | hash.bytes[3];
}

static bool make_key(struct note_key *out_key, const char *name, size_t name_length,
                     enum note_key_type type, const unsigned char public_key[32],
                     struct error *error)
{
    if (!is_key_name(name, name_length)) {
        return error_set(error, ERROR_INVALID, "bad_key_name", NULL,
                         "The name of a key must be 1 to %d bytes without spaces and `+`.",
                         NOTE_NAME_BYTES_MAX);
    }
    struct note_key key = {.type = type};
    memcpy(key.name, name, name_length);
    memcpy(key.public_key, public_key, sizeof key.public_key);
    key.id = key_id(&key);
    *out_key = key;
    return true;
}

bool note_key_make(struct note_key *out_key, const char *name, enum note_key_type type,
                   const unsigned char public_key[32], struct error *error)
{
    return make_key(out_key, name, strlen(name), type, public_key, error);
}

bool note_key_of_signer(struct note_key *out_key, const char *name, const struct signer *signer,
                        struct error *error)
{
    CHECK(signer_kind(signer) == SIGNER_ED25519);
    unsigned char public_key[65];
    CHECK(signer_public_key(signer, public_key) == sizeof out_key->public_key);
    return note_key_make(out_key, name, NOTE_KEY_ED25519, public_key, error);
}

void note_key_append(struct builder *out, const struct note_key *key)
{
    unsigned char typed[1 + sizeof key->public_key] = {(unsigned char)key->type};
    memcpy(typed + 1, key->public_key, sizeof key->public_key);
    builder_printf(out, "%s+%08x+", key->name, key->id);
    text_append_base64(out, typed, sizeof typed);
}

static bool is_bad_vkey(struct error *error, const char *message)
{
    return error_set(error, ERROR_INVALID, "bad_vkey", NULL, "The verifier key %s", message);
}

bool note_key_parse(struct note_key *out_key, const char *vkey, size_t length, struct error *error)
{
    if (length > 0 && vkey[length - 1] == '\n') {
        length--;
    }
    const char *end = vkey + length;
    const char *first = length == 0 ? NULL : memchr(vkey, '+', length);
    if (first == NULL || end - first < 10 || first[9] != '+') {
        return is_bad_vkey(error, "must be `name+8 hex digits+base64`.");
    }
    unsigned char id[KEY_ID_BYTES];
    unsigned char typed[1 + sizeof out_key->public_key];
    size_t id_length;
    size_t typed_length;
    if (!text_read_hex(first + 1, 8, id, sizeof id, &id_length) ||
        !text_read_base64(first + 10, (size_t)(end - first) - 10, typed, sizeof typed,
                          &typed_length) ||
        typed_length != sizeof typed) {
        return is_bad_vkey(error, "must be `name+8 hex digits+base64` of a type and 32 bytes.");
    }
    if (typed[0] != NOTE_KEY_ED25519 && typed[0] != NOTE_KEY_COSIGNER) {
        return is_bad_vkey(error, "is of a type other than Ed25519 (1) and cosigner (4).");
    }
    struct note_key key;
    if (!make_key(&key, vkey, (size_t)(first - vkey), (enum note_key_type)typed[0], typed + 1,
                  error)) {
        return false;
    }
    uint32_t stated = (uint32_t)id[0] << 24 | (uint32_t)id[1] << 16 | (uint32_t)id[2] << 8 | id[3];
    if (key.id != stated) {
        return is_bad_vkey(error, "does not have the id it states: it was changed or cut.");
    }
    *out_key = key;
    return true;
}

/* What every note's bytes must be, whoever signed: UTF-8 without controls other than newline. */
static bool is_plain_text(const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)bytes[i] < ' ' && bytes[i] != '\n') {
            return false;
        }
    }
    return text_is_utf8(bytes, length);
}

/* The last empty line ends the text. */
static bool find_text_length(const char *bytes, size_t length, size_t *out_text_length)
{
    for (size_t i = length; i >= 2; i--) {
        if (bytes[i - 1] == '\n' && bytes[i - 2] == '\n') {
            *out_text_length = i - 1;
            return true;
        }
    }
    return false;
}

struct signature_line {
    const char *name;
    size_t name_length;
    uint32_t id;
    unsigned char signature[SIGNATURE_BYTES_MAX];
    size_t length;
};

static bool read_signature_line(const char *line, size_t length, struct signature_line *out)
{
    size_t dash = sizeof DASH - 1;
    if (length <= dash || memcmp(line, DASH, dash) != 0) {
        return false;
    }
    line += dash;
    length -= dash;
    const char *space = memchr(line, ' ', length);
    if (space == NULL || !is_key_name(line, (size_t)(space - line))) {
        return false;
    }
    out->name = line;
    out->name_length = (size_t)(space - line);
    unsigned char *bytes = out->signature;
    size_t count;
    if (!text_read_base64(space + 1, length - out->name_length - 1, bytes, sizeof out->signature,
                          &count) ||
        count <= KEY_ID_BYTES) {
        return false;
    }
    out->id = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
              (uint32_t)bytes[3];
    out->length = count - KEY_ID_BYTES;
    memmove(bytes, bytes + KEY_ID_BYTES, out->length);
    return true;
}

static const struct note_key *find_key(const struct signature_line *line,
                                       const struct note_key *keys, size_t key_count)
{
    for (size_t i = 0; i < key_count; i++) {
        if (keys[i].id == line->id && strlen(keys[i].name) == line->name_length &&
            memcmp(keys[i].name, line->name, line->name_length) == 0) {
            return &keys[i];
        }
    }
    return NULL;
}

/* C2SP tlog-cosignature: the time is signed before the text. */
static bool verify_cosignature(const struct signature_line *line, const struct note_key *key,
                               const struct note *note, int64_t *out_cosigned_at_s)
{
    if (line->length != TIME_BYTES + ED25519_SIGNATURE_BYTES) {
        return false;
    }
    uint64_t seconds = 0;
    for (size_t i = 0; i < TIME_BYTES; i++) {
        seconds = seconds << 8 | line->signature[i];
    }
    if (seconds > INT64_MAX) {
        return false;
    }
    struct builder message BUILDER_SCOPE;
    builder_init(&message, 0);
    builder_printf(&message, "cosignature/v1\ntime %llu\n", (unsigned long long)seconds);
    builder_append(&message, note->text, note->text_length);
    *out_cosigned_at_s = (int64_t)seconds;
    return signer_verify_ed25519(key->public_key, message.bytes, message.length,
                                 line->signature + TIME_BYTES);
}

static bool verify_line(const struct signature_line *line, const struct note_key *key,
                        const struct note *note, int64_t *out_cosigned_at_s)
{
    *out_cosigned_at_s = 0;
    if (key->type == NOTE_KEY_COSIGNER) {
        return verify_cosignature(line, key, note, out_cosigned_at_s);
    }
    return line->length == ED25519_SIGNATURE_BYTES &&
           signer_verify_ed25519(key->public_key, note->text, note->text_length, line->signature);
}

static bool has_signed(const struct note *note, const struct note_key *key)
{
    for (size_t i = 0; i < note->signature_count; i++) {
        if (note->signatures[i].key == key) {
            return true;
        }
    }
    return false;
}

static bool open_signatures(struct note *note, struct lines *lines, const struct note_key *keys,
                            size_t key_count, struct error *error)
{
    const char *text;
    size_t length;
    for (size_t count = 0; lines_next(lines, &text, &length); count++) {
        struct signature_line line;
        if (count == NOTE_SIGNATURES_MAX || !read_signature_line(text, length, &line)) {
            return is_bad_note(error, "A signature line of the note is not well-formed, or there "
                                      "are too many of them.");
        }
        const struct note_key *key = find_key(&line, keys, key_count);
        if (key == NULL) {
            continue;
        }
        int64_t cosigned_at_s;
        if (!verify_line(&line, key, note, &cosigned_at_s)) {
            return error_set(error, ERROR_UNAUTHENTICATED, "bad_signature", key->name,
                             "The signature of `%s` is not one of this text.", key->name);
        }
        if (!has_signed(note, key)) {
            note->signatures[note->signature_count++] =
                (struct note_signature){.key = key, .cosigned_at_s = cosigned_at_s};
        }
    }
    return true;
}

bool note_open(struct note *out_note, const char *bytes, size_t length, const struct note_key *keys,
               size_t key_count, struct error *error)
{
    if (length == 0 || length > NOTE_BYTES_MAX || bytes[length - 1] != '\n' ||
        !is_plain_text(bytes, length)) {
        return is_bad_note(error, "A signed note is UTF-8 text of at most 64 KiB without control "
                                  "characters that ends in a newline.");
    }
    struct note note = {.text = bytes};
    if (!find_text_length(bytes, length, &note.text_length) || note.text_length + 1 == length) {
        return is_bad_note(error, "The note has no empty line with signatures behind it.");
    }
    struct lines lines = {.at = bytes + note.text_length + 1, .end = bytes + length};
    if (!open_signatures(&note, &lines, keys, key_count, error)) {
        return false;
    }
    if (note.signature_count == 0) {
        return error_set(error, ERROR_UNAUTHENTICATED, "no_known_signature", NULL,
                         "None of the given keys has signed this note.");
    }
    *out_note = note;
    return true;
}

bool note_sign(struct builder *out, const char *text, size_t length, const char *name,
               const struct signer *signer, struct error *error)
{
    if (length == 0 || text[length - 1] != '\n' || length > NOTE_BYTES_MAX / 2 ||
        !is_plain_text(text, length)) {
        return is_bad_note(error, "Only UTF-8 text without control characters that ends in a "
                                  "newline can be signed as a note.");
    }
    struct note_key key;
    unsigned char bytes[KEY_ID_BYTES + ED25519_SIGNATURE_BYTES];
    if (!note_key_of_signer(&key, name, signer, error) ||
        !signer_sign(signer, text, length, bytes + KEY_ID_BYTES, error)) {
        return false;
    }
    for (size_t i = 0; i < KEY_ID_BYTES; i++) {
        bytes[i] = (unsigned char)(key.id >> (24 - 8 * i));
    }
    builder_append(out, text, length);
    builder_printf(out, "\n%s%s ", DASH, name);
    text_append_base64(out, bytes, sizeof bytes);
    builder_char(out, '\n');
    return true;
}
