/* A CEL expression, compiled with and without types and macros. Whatever is refused is refused with
 * a place inside the text and one readable sentence, and twice the same; what is accepted has a
 * type that reads back as itself. */

#include "base/check.h"
#include "policy/cel/cel_internal.h"
#include <string.h>

int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length);

static struct cel_env *env;

static void declare(const char *name, const char *type)
{
    struct error error = {0};
    uint32_t slot;
    const struct cel_type *read = cel_type_read(env, type, &error);
    CHECK(read != NULL && cel_env_declare(env, name, read, &slot, &error));
}

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
    (void)count;
    (void)arguments;
    env = cel_env_create(NULL);
    struct error error = {0};
    const struct cel_field fields[] = {
        {"amount", cel_type_read(env, "number", &error), false},
        {"memo", cel_type_read(env, "string", &error), true},
    };
    cel_type_object(env, "refund", fields, 2);
    cel_env_set_container(env, "com.example");
    declare("args", "refund");
    declare("x", "dyn");
    declare("n", "int");
    declare("s", "string");
    declare("l", "list(string)");
    declare("m", "map(string, list(int))");
    declare("o", "optional_type(int)");
    declare("t", "timestamp");
    declare("com.example.y", "bool");
    return 0;
}

static void check_refusal(const struct error *error, uint32_t offset, size_t length)
{
    CHECK(error->kind == ERROR_INVALID && error->code != NULL);
    CHECK(error->message[0] != '\0' && error->line >= 1 && error->column >= 1);
    CHECK(cel_utf8_is_valid(error->message, strlen(error->message)));
    CHECK(offset <= length);
}

static void compile(const char *source, size_t length, bool is_checked, bool has_macros)
{
    struct error first = {0};
    struct error second = {0};
    uint32_t offsets[2] = {0, 0};
    struct cel_program *once =
        cel_compile_with(env, source, length, NULL, is_checked, has_macros, &offsets[0], &first);
    struct cel_program *again =
        cel_compile_with(env, source, length, NULL, is_checked, has_macros, &offsets[1], &second);
    CHECK((once == NULL) == (again == NULL));
    if (once == NULL) {
        check_refusal(&first, offsets[0], length);
        CHECK(offsets[0] == offsets[1] && strcmp(first.message, second.message) == 0);
    } else {
        CHECK(strcmp(cel_program_type(once), cel_program_type(again)) == 0);
    }
    cel_program_destroy(once);
    cel_program_destroy(again);
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length)
{
    const char *source = (const char *)bytes;
    compile(source, length, true, true);
    compile(source, length, false, true);
    compile(source, length, false, false);
    return 0;
}
