#ifndef TESTS_CONFORMANCE_CEL_VALUES_H
#define TESTS_CONFORMANCE_CEL_VALUES_H

/* Values and types of the conformance cases, from JSON. */

#include "formats/json.h"
#include "policy/cel/cel.h"
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static inline struct cel_value cel_case_value(struct arena *arena, const struct json *json);

static inline struct cel_value cel_case_list(struct arena *arena, const struct json *json)
{
    size_t count = json_count(json);
    struct cel_value *items = arena_array(arena, count, sizeof *items);
    for (size_t i = 0; i < count; i++) {
        items[i] = cel_case_value(arena, json_element(json, i));
    }
    return (struct cel_value){.kind = CEL_LIST, .length = (uint32_t)count, .as.items = items};
}

static inline struct cel_value cel_case_map(struct arena *arena, const struct json *json)
{
    size_t count = json_count(json);
    struct cel_entry *entries = arena_array(arena, count, sizeof *entries);
    for (size_t i = 0; i < count; i++) {
        const struct json *pair = json_element(json, i);
        entries[i].key = cel_case_value(arena, json_element(pair, 0));
        entries[i].value = cel_case_value(arena, json_element(pair, 1));
    }
    return (struct cel_value){.kind = CEL_MAP, .as.map = cel_map_make(arena, entries, count)};
}

static inline struct cel_value cel_case_bytes(struct arena *arena, const struct json *json)
{
    size_t length = json_text_length(json) / 2;
    char *bytes = arena_alloc(arena, length + 1);
    for (size_t i = 0; i < length; i++) {
        char digits[3] = {json_text(json)[2 * i], json_text(json)[2 * i + 1], '\0'};
        bytes[i] = (char)strtoul(digits, NULL, 16);
    }
    return (struct cel_value){.kind = CEL_BYTES, .length = (uint32_t)length, .as.bytes = bytes};
}

static inline struct cel_value cel_case_time(const struct json *json, enum cel_kind kind)
{
    int64_t nanos = 0;
    if (!json_integer(json_member(json, "nanos"), &nanos)) {
        nanos = 0;
    }
    return (struct cel_value){.kind = (uint8_t)kind,
                              .length = (uint32_t)(int32_t)nanos,
                              .as.integer =
                                  strtoll(json_text(json_member(json, "seconds")), NULL, 10)};
}

/* {"int64":"1"} and so on. */
static inline struct cel_value cel_case_value(struct arena *arena, const struct json *json)
{
    const struct json *inside;
    if (json_member(json, "null") != NULL) {
        return cel_null();
    }
    if ((inside = json_member(json, "bool")) != NULL) {
        return cel_bool(json_type(inside) == JSON_TYPE_TRUE);
    }
    if ((inside = json_member(json, "int64")) != NULL) {
        return cel_int(strtoll(json_text(inside), NULL, 10));
    }
    if ((inside = json_member(json, "uint64")) != NULL) {
        return cel_uint(strtoull(json_text(inside), NULL, 10));
    }
    if ((inside = json_member(json, "double")) != NULL) {
        return cel_double(strtod(json_text(inside), NULL));
    }
    if ((inside = json_member(json, "string")) != NULL) {
        return cel_string(json_text(inside), json_text_length(inside));
    }
    if ((inside = json_member(json, "bytes")) != NULL) {
        return cel_case_bytes(arena, inside);
    }
    if ((inside = json_member(json, "list")) != NULL) {
        return cel_case_list(arena, inside);
    }
    if ((inside = json_member(json, "map")) != NULL) {
        return cel_case_map(arena, inside);
    }
    if ((inside = json_member(json, "timestamp")) != NULL) {
        return cel_case_time(inside, CEL_TIMESTAMP);
    }
    if ((inside = json_member(json, "duration")) != NULL) {
        return cel_case_time(inside, CEL_DURATION);
    }
    if ((inside = json_member(json, "type")) != NULL) {
        struct cel_value type = {.kind = CEL_TYPE};
        type.as.type_name = json_text(inside);
        return type;
    }
    return (struct cel_value){0};
}

/* Exactly the same value and kinds; NaN is NaN. */
static inline bool cel_case_same(struct cel_value left, struct cel_value right)
{
    if (left.kind != right.kind) {
        return false;
    }
    if (left.kind == CEL_DOUBLE && isnan(left.as.real)) {
        return isnan(right.as.real);
    }
    if (left.kind == CEL_LIST) {
        if (left.length != right.length) {
            return false;
        }
        for (size_t i = 0; i < left.length; i++) {
            if (!cel_case_same(left.as.items[i], right.as.items[i])) {
                return false;
            }
        }
        return true;
    }
    if (left.kind == CEL_MAP) {
        if (left.as.map->count != right.as.map->count) {
            return false;
        }
        for (size_t i = 0; i < left.as.map->count; i++) {
            const struct cel_entry *entry = &left.as.map->entries[i];
            const struct cel_value *other = cel_map_find(right.as.map, entry->key);
            if (other == NULL || !cel_case_same(entry->value, *other)) {
                return false;
            }
        }
        return true;
    }
    return cel_equal(left, right);
}

static inline void cel_case_type(struct builder *out, const struct json *json)
{
    const struct json *inside;
    static const char *const shapes[] = {"list", "map", "wrapper", "type"};
    if (json_type(json) == JSON_TYPE_STRING) {
        builder_text(out, json_text(json));
        return;
    }
    if ((inside = json_member(json, "param")) != NULL) {
        builder_text(out, json_text(inside));
        return;
    }
    const struct json *params = json_member(json, "params");
    builder_text(out, json_text(json_member(json, "abstract")) == NULL
                          ? ""
                          : json_text(json_member(json, "abstract")));
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0] && params == NULL; i++) {
        params = json_member(json, shapes[i]);
        builder_text(out, params == NULL ? "" : shapes[i]);
    }
    bool is_one = json_type(params) != JSON_TYPE_ARRAY;
    size_t count = is_one ? 1 : json_count(params);
    for (size_t i = 0; i < count; i++) {
        builder_text(out, i == 0 ? "(" : ", ");
        cel_case_type(out, is_one ? params : json_element(params, i));
    }
    builder_text(out, count == 0 ? "" : ")");
}

#endif
