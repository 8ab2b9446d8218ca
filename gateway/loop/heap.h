#ifndef LOOP_HEAP_H
#define LOOP_HEAP_H

/* A binary heap of due times whose nodes live in their owners. Push, move and remove are
 * O(log n); the earliest is at hand. Internal to the room. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_node {
    int64_t due;
    uint32_t place; /* 1-based position in the heap; 0: not in it */
};

struct heap {
    struct heap_node **nodes; /* nodes[0] is the earliest */
    size_t count;
    size_t capacity;
};

void heap_finish(struct heap *heap);
struct heap_node *heap_first(const struct heap *heap); /* NULL when empty */
/* Puts the node in with `due`, or moves it there. */
void heap_set(struct heap *heap, struct heap_node *node, int64_t due);
void heap_remove(struct heap *heap, struct heap_node *node); /* no effect when not in it */

#endif
