#include "policy/cel/code.h"

#include <math.h>

/* Maps keep their entries in order of making. Few are searched one by one; many through an index
 * sorted by key, which no choice of keys makes slow, as it can a hash table. */

enum { FEW = 8 };

static int rank(uint8_t kind)
{
    return kind == CEL_STRING ? 2 : kind == CEL_BOOL ? 1 : 0;
}

static bool is_key(struct cel_value key)
{
    return key.kind == CEL_STRING || key.kind == CEL_INT || key.kind == CEL_UINT ||
           key.kind == CEL_BOOL;
}

/* A double that is a whole number is looked up as the int or uint it equals, exactly. */
static bool whole_key(struct cel_value *key)
{
    if (key->kind != CEL_DOUBLE) {
        return is_key(*key);
    }
    double real = key->as.real;
    if (!(real >= -9223372036854775808.0 && real < 18446744073709551616.0) || floor(real) != real) {
        return false;
    }
    *key = real < 0 ? cel_int((int64_t)real) : cel_uint((uint64_t)real);
    return true;
}

/* A total order of keys. */
static int compare_keys(struct cel_value left, struct cel_value right)
{
    int left_rank = rank(left.kind);
    int right_rank = rank(right.kind);
    if (left_rank != right_rank) {
        return left_rank < right_rank ? -1 : 1;
    }
    if (left_rank == 0) {
        return cel_compare_numbers(left, right);
    }
    if (left_rank == 1) {
        return left.as.boolean - right.as.boolean;
    }
    if (left.length != right.length) {
        return left.length < right.length ? -1 : 1;
    }
    return left.length == 0 ? 0 : memcmp(left.as.bytes, right.as.bytes, left.length);
}

/* Heap sort: in place, and never slower than n log n. */
static void sift(uint32_t *index, const struct cel_entry *entries, size_t root, size_t count)
{
    for (size_t child; (child = 2 * root + 1) < count; root = child) {
        if (child + 1 < count &&
            compare_keys(entries[index[child]].key, entries[index[child + 1]].key) < 0) {
            child++;
        }
        if (compare_keys(entries[index[root]].key, entries[index[child]].key) >= 0) {
            return;
        }
        uint32_t swapped = index[root];
        index[root] = index[child];
        index[child] = swapped;
    }
}

static void sort(uint32_t *index, const struct cel_entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        index[i] = (uint32_t)i;
    }
    for (size_t i = count / 2; i-- > 0;) {
        sift(index, entries, i, count);
    }
    for (size_t i = count; i-- > 1;) {
        uint32_t swapped = index[0];
        index[0] = index[i];
        index[i] = swapped;
        sift(index, entries, 0, i);
    }
}

static bool has_doubles(const struct cel_map *map)
{
    for (size_t i = 1; i < map->count; i++) {
        if (map->sorted != NULL) {
            if (compare_keys(map->entries[map->sorted[i - 1]].key,
                             map->entries[map->sorted[i]].key) == 0) {
                return true;
            }
            continue;
        }
        for (size_t j = 0; j < i; j++) {
            if (compare_keys(map->entries[i].key, map->entries[j].key) == 0) {
                return true;
            }
        }
    }
    return false;
}

/* `index` has room for `count`, or is NULL for few. */
static bool fill(struct cel_map *map, const struct cel_entry *entries, size_t count,
                 uint32_t *index)
{
    for (size_t i = 0; i < count; i++) {
        if (!is_key(entries[i].key)) {
            return false;
        }
    }
    *map = (struct cel_map){.entries = entries, .count = count, .sorted = index};
    if (index != NULL) {
        sort(index, entries, count);
    }
    return !has_doubles(map);
}

const struct cel_map *cel_map_make(struct arena *arena, const struct cel_entry *entries,
                                   size_t count)
{
    struct cel_map *map = ARENA_NEW(arena, struct cel_map);
    uint32_t *index = count <= FEW ? NULL : arena_array(arena, count, sizeof *index);
    return fill(map, entries, count, index) ? map : NULL;
}

static struct cel_value refuse_keys(struct cel_run *run, const struct cel_entry *entries,
                                    size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!is_key(entries[i].key)) {
            return cel_fail(run, "%s cannot be the key of a map",
                            cel_kind_name(entries[i].key.kind));
        }
    }
    return cel_fail(run, "a key stands twice in a map");
}

struct cel_value cel_build_map(struct cel_run *run, struct cel_entry *entries, size_t count)
{
    struct cel_map *map = cel_alloc(run, sizeof *map);
    uint32_t *index = count <= FEW || map == NULL ? NULL : cel_alloc(run, count * sizeof *index);
    if (map == NULL || (count > FEW && index == NULL)) {
        return cel_stopped(run);
    }
    if (!fill(map, entries, count, index)) {
        return refuse_keys(run, entries, count);
    }
    return (struct cel_value){.kind = CEL_MAP, .as.map = map};
}

static const struct cel_value *find_string(const struct cel_map *map, struct cel_value key)
{
    for (size_t i = 0; i < map->count; i++) {
        const struct cel_value *candidate = &map->entries[i].key;
        if (candidate->length == key.length && candidate->kind == CEL_STRING &&
            (key.length == 0 || memcmp(candidate->as.bytes, key.as.bytes, key.length) == 0)) {
            return &map->entries[i].value;
        }
    }
    return NULL;
}

const struct cel_value *cel_map_find(const struct cel_map *map, struct cel_value key)
{
    if (!whole_key(&key)) {
        return NULL;
    }
    if (map->sorted == NULL && key.kind == CEL_STRING) {
        return find_string(map, key);
    }
    if (map->sorted == NULL) {
        for (size_t i = 0; i < map->count; i++) {
            if (compare_keys(map->entries[i].key, key) == 0) {
                return &map->entries[i].value;
            }
        }
        return NULL;
    }
    size_t low = 0;
    size_t high = map->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct cel_entry *entry = &map->entries[map->sorted[middle]];
        int order = compare_keys(entry->key, key);
        if (order == 0) {
            return &entry->value;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}
