#include "policy/cel/types.h"

#include <ctype.h>

/* Types as text, and the signatures of functions. */

const struct cel_type cel_type_dyn = {.kind = CEL_TYPE_DYN, .name = "dyn"};
const struct cel_type cel_type_null = {.kind = CEL_TYPE_NULL, .name = "null_type"};
const struct cel_type cel_type_bool = {.kind = CEL_TYPE_BOOL, .name = "bool"};
const struct cel_type cel_type_int = {.kind = CEL_TYPE_INT, .name = "int"};
const struct cel_type cel_type_uint = {.kind = CEL_TYPE_UINT, .name = "uint"};
const struct cel_type cel_type_double = {.kind = CEL_TYPE_DOUBLE, .name = "double"};
const struct cel_type cel_type_number = {.kind = CEL_TYPE_NUMBER, .name = "number"};
const struct cel_type cel_type_string = {.kind = CEL_TYPE_STRING, .name = "string"};
const struct cel_type cel_type_bytes = {.kind = CEL_TYPE_BYTES, .name = "bytes"};
const struct cel_type cel_type_timestamp = {.kind = CEL_TYPE_TIMESTAMP, .name = "timestamp"};
const struct cel_type cel_type_duration = {.kind = CEL_TYPE_DURATION, .name = "duration"};

static const struct cel_type *const scalars[] = {
    &cel_type_dyn,   &cel_type_null,      &cel_type_bool,    &cel_type_int,
    &cel_type_uint,  &cel_type_double,    &cel_type_number,  &cel_type_string,
    &cel_type_bytes, &cel_type_timestamp, &cel_type_duration};

enum { TYPE_DEPTH_MAX = 16 };

const struct cel_type *cel_type_make(struct arena *arena, enum cel_type_kind kind, const char *name,
                                     const struct cel_type *const *params, size_t count)
{
    struct cel_type *type = ARENA_NEW(arena, struct cel_type);
    type->kind = (uint8_t)kind;
    type->name = name;
    type->count = (uint8_t)count;
    for (size_t i = 0; i < count && i < CEL_TYPE_PARAMETERS_MAX; i++) {
        type->params[i] = params[i];
    }
    return type;
}

void cel_type_print(struct builder *out, const struct cel_type *type)
{
    if (type->kind == CEL_TYPE_UNKNOWN) {
        builder_text(out, "dyn");
        return;
    }
    builder_text(out, type->name);
    for (size_t i = 0; i < type->count && !builder_failed(out); i++) {
        builder_text(out, i == 0 ? "(" : ", ");
        cel_type_print(out, type->params[i]);
    }
    builder_text(out, type->count > 0 ? ")" : "");
}

const struct cel_type *cel_type_named(const char *name)
{
    static const struct cel_type list = {
        .kind = CEL_TYPE_LIST, .name = "list", .count = 1, .params = {&cel_type_dyn}};
    static const struct cel_type map = {
        .kind = CEL_TYPE_MAP, .name = "map", .count = 2, .params = {&cel_type_dyn, &cel_type_dyn}};
    static const struct cel_type type = {.kind = CEL_TYPE_TYPE, .name = "type"};
    static const struct cel_type optional = {
        .kind = CEL_TYPE_ABSTRACT, .name = "optional_type", .count = 1, .params = {&cel_type_dyn}};
    static const struct cel_type ip = {.kind = CEL_TYPE_ABSTRACT, .name = "net.IP"};
    static const struct cel_type cidr = {.kind = CEL_TYPE_ABSTRACT, .name = "net.CIDR"};
    static const struct {
        const char *name;
        const struct cel_type *type;
    } named[] = {{"bool", &cel_type_bool},
                 {"int", &cel_type_int},
                 {"uint", &cel_type_uint},
                 {"double", &cel_type_double},
                 {"string", &cel_type_string},
                 {"bytes", &cel_type_bytes},
                 {"null_type", &cel_type_null},
                 {"google.protobuf.Timestamp", &cel_type_timestamp},
                 {"google.protobuf.Duration", &cel_type_duration},
                 {"list", &list},
                 {"map", &map},
                 {"type", &type},
                 {"optional_type", &optional},
                 {"net.IP", &ip},
                 {"net.CIDR", &cidr}};
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++) {
        if (strcmp(name, named[i].name) == 0) {
            return named[i].type;
        }
    }
    return NULL;
}

struct reader {
    struct cel_env *env;
    const char *text;
    const char *cursor;
    bool may_name; /* unknown names are abstract types; `A` is a parameter */
    struct error *error;
};

static const struct cel_type *bad_type(struct reader *reader, const char *what)
{
    error_set(reader->error, ERROR_INVALID, reader->may_name ? "bad_signature" : "bad_type", NULL,
              "`%s`: %s; types are int, uint, double, number, bool, string, bytes, timestamp, "
              "duration, dyn, list(T), map(K, V), optional_type(T)",
              reader->text, what);
    return NULL;
}

static void skip(struct reader *reader)
{
    while (*reader->cursor == ' ') {
        reader->cursor++;
    }
}

static bool eat(struct reader *reader, char mark)
{
    skip(reader);
    if (*reader->cursor != mark) {
        return false;
    }
    reader->cursor++;
    return true;
}

/* From now on the type can be named. */
static const struct cel_type *remember(struct cel_env *env, const struct cel_type *type)
{
    if (env->object_count == env->object_capacity) {
        size_t capacity = env->object_capacity == 0 ? 16 : env->object_capacity * 2;
        const struct cel_type **objects = arena_array(env->arena, capacity, sizeof *objects);
        for (size_t i = 0; i < env->object_count; i++) {
            objects[i] = env->objects[i];
        }
        env->objects = objects;
        env->object_capacity = capacity;
    }
    env->objects[env->object_count++] = type;
    return type;
}

static const struct cel_type *find_named(const struct reader *reader, const char *name)
{
    for (size_t i = 0; i < sizeof scalars / sizeof scalars[0]; i++) {
        if (strcmp(name, scalars[i]->name) == 0) {
            return scalars[i];
        }
    }
    if (strcmp(name, "any") == 0 || strcmp(name, "google.protobuf.Any") == 0) {
        return &cel_type_dyn;
    }
    for (size_t i = 0; i < reader->env->object_count; i++) {
        if (strcmp(name, reader->env->objects[i]->name) == 0) {
            return reader->env->objects[i];
        }
    }
    return cel_type_named(name);
}

static const struct cel_type *read_type(struct reader *reader, int depth);

/* The parameters in brackets, if any. */
static bool read_parameters(struct reader *reader, int depth, const struct cel_type **params,
                            size_t *out_count)
{
    *out_count = 0;
    /* In `net.IP.(string)` the bracket after the dot is the arguments'. */
    if (*reader->cursor != '(') {
        return true;
    }
    reader->cursor++;
    do {
        if (*out_count == CEL_TYPE_PARAMETERS_MAX) {
            bad_type(reader, "too many parameters");
            return false;
        }
        params[*out_count] = read_type(reader, depth + 1);
        if (params[(*out_count)++] == NULL) {
            return false;
        }
    } while (eat(reader, ','));
    if (!eat(reader, ')')) {
        bad_type(reader, "`)` is missing");
        return false;
    }
    return true;
}

static const struct cel_type *make_named(struct reader *reader, const char *name,
                                         const struct cel_type **params, size_t count)
{
    static const struct {
        const char *name;
        size_t count;
        enum cel_type_kind kind;
    } shapes[] = {{"list", 1, CEL_TYPE_LIST},
                  {"map", 2, CEL_TYPE_MAP},
                  {"type", 1, CEL_TYPE_TYPE},
                  {"wrapper", 1, CEL_TYPE_WRAPPER},
                  {"optional_type", 1, CEL_TYPE_ABSTRACT}};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        if (count > 0 && strcmp(name, shapes[i].name) == 0) {
            return count == shapes[i].count ? cel_type_make(reader->env->arena, shapes[i].kind,
                                                            shapes[i].name, params, count)
                                            : bad_type(reader, "a wrong number of parameters");
        }
    }
    if (count == 0 && reader->may_name && isupper((unsigned char)name[0]) && name[1] == '\0') {
        return cel_type_make(reader->env->arena, CEL_TYPE_PARAMETER,
                             arena_text(reader->env->arena, name), NULL, 0);
    }
    const struct cel_type *known = count == 0 ? find_named(reader, name) : NULL;
    if (known != NULL) {
        return known;
    }
    if (!reader->may_name) {
        return bad_type(reader, "no such type");
    }
    const struct cel_type *type = cel_type_make(
        reader->env->arena, CEL_TYPE_ABSTRACT, arena_text(reader->env->arena, name), params, count);
    return count == 0 ? remember(reader->env, type) : type;
}

static const struct cel_type *read_type(struct reader *reader, int depth)
{
    skip(reader);
    const char *start = reader->cursor;
    while (isalnum((unsigned char)*reader->cursor) || *reader->cursor == '_' ||
           (*reader->cursor == '.' && reader->cursor[1] != '(' && reader->cursor[1] != '.')) {
        reader->cursor++;
    }
    if (reader->cursor == start || depth > TYPE_DEPTH_MAX) {
        return bad_type(reader, "a type is missing");
    }
    size_t length = (size_t)(reader->cursor - start);
    const struct cel_type *params[CEL_TYPE_PARAMETERS_MAX] = {0};
    size_t count;
    struct builder name BUILDER_SCOPE;
    builder_init(&name, 0);
    builder_append(&name, start, length);
    return read_parameters(reader, depth, params, &count)
               ? make_named(reader, name.bytes, params, count)
               : NULL;
}

const struct cel_type *cel_type_read(struct cel_env *env, const char *text, struct error *error)
{
    struct reader reader = {.env = env, .text = text, .cursor = text, .error = error};
    const struct cel_type *type = read_type(&reader, 0);
    skip(&reader);
    return type != NULL && *reader.cursor != '\0' ? bad_type(&reader, "text after the type") : type;
}

const struct cel_type *cel_type_object(struct cel_env *env, const char *name,
                                       const struct cel_field *fields, size_t count)
{
    struct cel_field *copies = arena_array(env->arena, count, sizeof *copies);
    for (size_t i = 0; i < count; i++) {
        copies[i] = fields[i];
        copies[i].name = arena_text(env->arena, fields[i].name);
    }
    struct cel_type *type = ARENA_NEW(env->arena, struct cel_type);
    type->kind = CEL_TYPE_OBJECT;
    type->name = arena_text(env->arena, name);
    type->fields = copies;
    type->field_count = count;
    return remember(env, type);
}

bool cel_signature_read(struct cel_env *env, const char *text, struct cel_signature *out,
                        struct error *error)
{
    struct reader reader = {
        .env = env, .text = text, .cursor = text, .may_name = true, .error = error};
    const struct cel_type *params[CEL_ARGS_MAX];
    size_t count = 0;
    skip(&reader);
    if (*reader.cursor != '(') {
        out->is_member = true;
        params[count] = read_type(&reader, 0);
        if (params[count++] == NULL) {
            return false;
        }
        if (!eat(&reader, '.')) {
            return bad_type(&reader, "`.(` is missing after the receiver") != NULL;
        }
    }
    if (!eat(&reader, '(')) {
        return bad_type(&reader, "`(` is missing") != NULL;
    }
    while (!eat(&reader, ')')) {
        params[count] = read_type(&reader, 0);
        if (params[count] == NULL) {
            return false;
        }
        count++;
        out->does_repeat = strncmp(reader.cursor, "...", 3) == 0;
        reader.cursor += out->does_repeat ? 3 : 0;
        skip(&reader);
        if (count == CEL_ARGS_MAX || (!eat(&reader, ',') && *reader.cursor != ')')) {
            return bad_type(&reader, "`)` is missing") != NULL;
        }
    }
    if (!eat(&reader, '-') || !eat(&reader, '>')) {
        return bad_type(&reader, "`->` and a result are missing") != NULL;
    }
    out->result = read_type(&reader, 0);
    skip(&reader);
    if (out->result == NULL || *reader.cursor != '\0') {
        return out->result != NULL && bad_type(&reader, "text after the result") != NULL;
    }
    out->count = (uint8_t)count;
    out->params = arena_array(env->arena, count, sizeof *out->params);
    for (size_t i = 0; i < count; i++) {
        out->params[i] = params[i];
    }
    return true;
}
