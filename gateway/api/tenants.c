#include "api/api_internal.h"

#include "operations/tenant_operations.h"

static const char *const tenant_members[] = {"name", NULL};

struct tenant_list {
    struct tenant_row *rows;
    size_t count;
};

static void write_tenant(struct canonical_writer *writer, const struct tenant_row *tenant)
{
    canonical_open_object(writer);
    if (tenant->created_at != 0) {
        api_write_time(writer, "created_at", tenant->created_at);
    }
    canonical_member_text(writer, "name", tenant->name);
    canonical_close_object(writer);
}

bool api_read_tenant(struct api_call *call, struct error *error)
{
    const char *name;
    const struct json *body = api_read_body(call, tenant_members, error);
    if (body == NULL || !api_take_text(call, body, "name", true, NAME_BYTES - 1, &name, error)) {
        return false;
    }
    call->input = arena_text(call->arena, name);
    return true;
}

bool api_run_add_tenant(struct api_call *call, struct error *error)
{
    call->result = ARENA_NEW(call->arena, struct tenant_row);
    return operation_add_tenant(&call->operation, call->input, call->result, error);
}

void api_answer_tenant(struct api_call *call)
{
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    write_tenant(&writer, call->result);
    api_answer_json(call, 201, &body, NULL, 0);
    api_end_call(call);
}

bool api_run_list_tenants(struct api_call *call, struct error *error)
{
    struct tenant_list *list = ARENA_NEW(call->arena, struct tenant_list);
    call->result = list;
    return operation_list_tenants(&call->operation, &list->rows, &list->count, error);
}

void api_answer_tenants(struct api_call *call)
{
    const struct tenant_list *list = call->result;
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    canonical_name(&writer, "tenants");
    canonical_open_array(&writer);
    for (size_t i = 0; i < list->count; i++) {
        write_tenant(&writer, &list->rows[i]);
    }
    canonical_close_array(&writer);
    canonical_close_object(&writer);
    api_answer_json(call, 200, &body, NULL, 0);
    api_end_call(call);
}
