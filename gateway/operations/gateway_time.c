#include "operations/gateway_time.h"

#include "base/clock.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "boot id, tick": both clocks at one moment, with the number "wall_high_water". */
static const char stored_name[] = "boot_high_water";

int64_t gateway_time_advance(struct operations *operations, int64_t wall, int64_t tick)
{
    int64_t passed = tick - operations->high_water_tick;
    if (passed > 0) {
        operations->wall_high_water += passed;
    }
    if (wall > operations->wall_high_water) {
        operations->wall_high_water = wall;
    }
    operations->high_water_tick = tick;
    atomic_store(&operations->ahead_ms, operations->wall_high_water - wall);
    return operations->wall_high_water;
}

/* What passed since that moment, -1 when it was not within this boot. */
static int64_t passed_since(const char *stored, int64_t tick)
{
    char boot[CLOCK_BOOT_ID_BYTES];
    clock_read_boot_id(boot);
    size_t length = strlen(boot);
    if (stored == NULL || length == 0 || strncmp(stored, boot, length) != 0 ||
        stored[length] != ' ') {
        return -1;
    }
    return tick - strtoll(stored + length + 1, NULL, 10);
}

bool gateway_time_load(struct operations *operations, struct store *store, int64_t least,
                       struct error *error)
{
    struct arena *scratch ARENA_SCOPE = arena_create();
    char *stored;
    int64_t high_water;
    if (!store_get_number(store, "wall_high_water", &high_water, error) ||
        !store_get_text(store, stored_name, scratch, &stored, error)) {
        return false;
    }
    int64_t tick = clock_boot_ms();
    int64_t passed = passed_since(stored, tick);
    if (passed > 0) {
        high_water += passed;
    }
    if (high_water < least) {
        high_water = least;
    }
    operations->has_lost_time = passed < 0 && clock_wall_ms() < high_water;
    operations->wall_high_water = high_water;
    operations->high_water_tick = tick;
    return true;
}

bool gateway_time_store(const struct operations *operations, struct store *store, int64_t now,
                        struct error *error)
{
    char boot[CLOCK_BOOT_ID_BYTES];
    char text[CLOCK_BOOT_ID_BYTES + 32];
    clock_read_boot_id(boot);
    snprintf(text, sizeof text, "%s %" PRId64, boot, operations->high_water_tick);
    return store_set_number(store, "wall_high_water", now, error) &&
           store_set_text(store, stored_name, text, error);
}

int64_t gateway_time_in_wall(const struct operations *operations, int64_t due_at)
{
    int64_t ahead_ms = atomic_load(&operations->ahead_ms);
    return due_at <= ahead_ms ? due_at : due_at - ahead_ms;
}
