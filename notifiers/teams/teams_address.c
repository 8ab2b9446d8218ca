#include "notifiers/teams/teams_address.h"

#include "formats/canonical.h"
#include "formats/form.h"
#include "formats/json.h"
#include <string.h>

bool teams_address_read(const char *text, struct arena *arena, struct teams_address *out,
                        struct error *error)
{
    struct json_document *document JSON_SCOPE = json_parse(text, strlen(text), error);
    if (document == NULL) {
        return false;
    }
    const struct json *root = json_root(document);
    out->activity = arena_text(arena, json_text(json_member(root, "activity")));
    out->conversation = arena_text(arena, json_text(json_member(root, "conversation")));
    out->service = arena_text(arena, json_text(json_member(root, "service")));
    return (out->conversation != NULL && out->service != NULL) ||
           error_set(error, ERROR_CORRUPT, "bad_address", NULL,
                     "the place of this message is not one of Teams'");
}

const char *teams_address_write(const struct teams_address *address, struct arena *arena)
{
    struct builder text BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&text, 0);
    canonical_begin(&writer, &text);
    canonical_open_object(&writer);
    canonical_member_text(&writer, "activity", address->activity);
    canonical_member_text(&writer, "conversation", address->conversation);
    canonical_member_text(&writer, "service", address->service);
    canonical_close_object(&writer);
    return arena_copy(arena, text.bytes, text.length);
}

const char *teams_address_url(const struct teams_address *address, struct arena *arena)
{
    const char *slash = address->service[strlen(address->service) - 1] == '/' ? "" : "/";
    const char *url = arena_printf(arena, "%s%sv3/conversations/%s/activities", address->service,
                                   slash, form_encode(address->conversation, arena));
    return address->activity == NULL
               ? url
               : arena_printf(arena, "%s/%s", url, form_encode(address->activity, arena));
}
