#include "policy/policy_internal.h"

#include <string.h>

/* Values are made when a condition first reads them, and once. */

void facts_init(struct facts *facts, const struct policy *policy, const struct policy_input *input,
                struct arena *arena)
{
    *facts = (struct facts){
        .policy = policy, .input = input, .arena = arena, .cost_left = POLICY_COST_MAX};
    facts->facts = arena_array(arena, SLOT_COUNT + policy->variable_count, sizeof *facts->facts);
}

static struct cel_value text_value(const char *text)
{
    return text == NULL ? cel_string("", 0) : cel_string(text, strlen(text));
}

static struct cel_value map_value(struct arena *arena, const struct cel_entry *entries,
                                  size_t count)
{
    struct cel_entry *kept = arena_array(arena, count, sizeof *kept);
    if (count > 0) {
        memcpy(kept, entries, count * sizeof *kept);
    }
    return (struct cel_value){.kind = CEL_MAP, .as.map = cel_map_make(arena, kept, count)};
}

static struct cel_entry entry(const char *name, struct cel_value value)
{
    return (struct cel_entry){.key = cel_string(name, strlen(name)), .value = value};
}

static struct cel_value named(struct arena *arena, const char *id)
{
    struct cel_entry only = entry("id", text_value(id));
    return map_value(arena, &only, 1);
}

/* "order/4711": the first slash ends the type. */
static struct cel_value entity(struct arena *arena, const char *key)
{
    const char *text = key == NULL ? "" : key;
    size_t type_length = strcspn(text, "/");
    const char *id = text[type_length] == '/' ? text + type_length + 1 : text + type_length;
    const struct cel_entry members[] = {entry("type", cel_string(text, type_length)),
                                        entry("id", text_value(id))};
    return map_value(arena, members, 2);
}

static bool read_object(struct facts *facts, const char *json, struct cel_value *out)
{
    return value_read(json, facts->arena, out) && out->kind == CEL_MAP;
}

static const struct cel_value *member(struct cel_value map, const char *name)
{
    return map.kind == CEL_MAP ? cel_map_find(map.as.map, cel_string(name, strlen(name))) : NULL;
}

static bool read_action(struct facts *facts, struct cel_value *out)
{
    if (facts->input->action_json != NULL) {
        return read_object(facts, facts->input->action_json, out);
    }
    struct cel_entry only = entry("name", text_value(facts->input->action));
    *out = map_value(facts->arena, &only, 1);
    return true;
}

static const struct fact *read_fact(struct facts *facts, uint32_t slot);

static bool read_args(struct facts *facts, struct cel_value *out)
{
    const struct fact *action = read_fact(facts, SLOT_ACTION);
    if (action->state != FACT_KNOWN) {
        return false;
    }
    const struct cel_value *properties = member(action->value, "properties");
    const struct cel_value *args = properties == NULL ? NULL : member(*properties, "args");
    *out = args == NULL ? map_value(facts->arena, NULL, 0) : *args;
    return out->kind == CEL_MAP;
}

static struct cel_value time_value(int64_t ms)
{
    int64_t seconds = ms / 1000;
    int64_t rest = ms % 1000;
    if (rest < 0) {
        seconds--;
        rest += 1000;
    }
    return (struct cel_value){
        .kind = CEL_TIMESTAMP, .length = (uint32_t)(rest * 1000000), .as.integer = seconds};
}

static bool read_entity(struct facts *facts, const char *json, const char *key,
                        struct cel_value *out)
{
    if (json != NULL) {
        return read_object(facts, json, out);
    }
    *out = entity(facts->arena, key);
    return true;
}

static bool read_input(struct facts *facts, uint32_t slot, struct cel_value *out)
{
    const struct policy_input *input = facts->input;
    switch (slot) {
    case SLOT_SUBJECT:
        return read_entity(facts, input->subject_json, input->subject, out);
    case SLOT_AGENT:
        *out = named(facts->arena, input->agent);
        return true;
    case SLOT_CALLER:
        *out = named(facts->arena, input->caller);
        return true;
    case SLOT_ACTION:
        return read_action(facts, out);
    case SLOT_RESOURCE:
        return read_entity(facts, input->resource_json, input->resource, out);
    case SLOT_ARGS:
        return read_args(facts, out);
    case SLOT_CONTEXT:
        *out = map_value(facts->arena, NULL, 0);
        return input->context_json == NULL || read_object(facts, input->context_json, out);
    case SLOT_NOW:
        *out = time_value(input->now);
        return true;
    case SLOT_HISTORY:
        *out = history_value();
        return true;
    default:
        return false;
    }
}

static void read_variable(struct facts *facts, uint32_t slot, struct fact *fact)
{
    const struct variable *variable = &facts->policy->variables[slot - SLOT_COUNT];
    struct cel_result result;
    facts_evaluate(facts, variable->value.program, &result);
    fact->value = result.value;
    switch (result.outcome) {
    case CEL_OUTCOME_VALUE:
        fact->state = FACT_KNOWN;
        return;
    case CEL_OUTCOME_ERROR:
    case CEL_OUTCOME_STOPPED:
        fact->state = result.outcome == CEL_OUTCOME_ERROR ? FACT_FAILED : FACT_STOPPED;
        fact->problem =
            arena_printf(facts->arena, "variables.%s: %s", variable->name, result.problem.message);
        return;
    }
}

static const struct fact *read_fact(struct facts *facts, uint32_t slot)
{
    struct fact *fact = &facts->facts[slot];
    if (fact->state != FACT_UNREAD) {
        return fact;
    }
    if (slot >= SLOT_COUNT) {
        read_variable(facts, slot, fact);
        return fact;
    }
    bool is_read = read_input(facts, slot, &fact->value);
    fact->state = is_read ? FACT_KNOWN : FACT_FAILED;
    fact->problem = is_read ? NULL : "the request is not readable as JSON";
    return fact;
}

bool facts_args(struct facts *facts, struct cel_value *out)
{
    const struct fact *fact = read_fact(facts, SLOT_ARGS);
    *out = fact->value;
    return fact->state == FACT_KNOWN;
}

static struct cel_value find(struct cel_run *run, uint32_t slot)
{
    const struct fact *fact = read_fact(cel_context(run), slot);
    if (fact->state == FACT_KNOWN) {
        return fact->value;
    }
    if (fact->state == FACT_STOPPED) {
        /* Nothing absorbs what stopped a variable: the reader is stopped with it. */
        cel_charge(run, (int64_t)CEL_COST_MAX + 1);
    }
    return cel_fail(run, "%s", fact->problem);
}

void facts_evaluate(struct facts *facts, const struct cel_program *program,
                    struct cel_result *out_result)
{
    cel_evaluate(program, find, facts, facts->cost_left, facts->arena, out_result);
    int64_t cost = out_result->cost < facts->cost_left ? out_result->cost : facts->cost_left;
    facts->cost_left -= cost;
}
