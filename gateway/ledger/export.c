#include "ledger/export.h"

#include "formats/canonical.h"
#include "formats/text.h"

static void append_hex_text(struct canonical_writer *writer, const struct sha256 *hash)
{
    struct builder hex BUILDER_SCOPE;
    builder_init(&hex, 0);
    text_append_hex(&hex, hash->bytes, SHA256_BYTES);
    canonical_string(writer, hex.bytes);
}

void ledger_export_header(struct builder *out, const struct tree *before,
                          const struct note_key *key)
{
    struct builder vkey BUILDER_SCOPE;
    builder_init(&vkey, 0);
    note_key_append(&vkey, key);
    struct canonical_writer writer;
    canonical_begin(&writer, out);
    canonical_open_object(&writer);
    canonical_member_integer(&writer, "countersign_export", 1);
    canonical_member_integer(&writer, "from", (int64_t)before->size);
    canonical_member_text(&writer, "origin", key->name);
    canonical_name(&writer, "range");
    canonical_open_array(&writer);
    for (size_t i = 0; i < before->count; i++) {
        append_hex_text(&writer, &before->roots[i]);
    }
    canonical_close_array(&writer);
    canonical_member_text(&writer, "vkey", vkey.bytes);
    canonical_close_object(&writer);
    builder_char(out, '\n');
}

void ledger_export_entry(struct builder *out, const char *entry, size_t length,
                         const struct sha256 *leaf)
{
    builder_text(out, "{\"entry\":");
    builder_append(out, entry, length);
    builder_text(out, ",\"leaf\":\"");
    text_append_hex(out, leaf->bytes, SHA256_BYTES);
    builder_text(out, "\"}\n");
}

void ledger_export_withheld(struct builder *out, const struct sha256 *leaf)
{
    builder_text(out, "{\"withheld\":\"");
    text_append_hex(out, leaf->bytes, SHA256_BYTES);
    builder_text(out, "\"}\n");
}

void ledger_export_checkpoint(struct builder *out, const char *note, size_t length)
{
    builder_text(out, "{\"checkpoint\":");
    canonical_append_string(out, note, length);
    builder_text(out, "}\n");
}

void ledger_export_end(struct builder *out, uint64_t size, uint64_t checkpoint_count)
{
    struct canonical_writer writer;
    canonical_begin(&writer, out);
    canonical_open_object(&writer);
    canonical_name(&writer, "end");
    canonical_open_object(&writer);
    canonical_member_integer(&writer, "checkpoints", (int64_t)checkpoint_count);
    canonical_member_integer(&writer, "size", (int64_t)size);
    canonical_close_object(&writer);
    canonical_close_object(&writer);
    builder_char(out, '\n');
}
