#include "loop/heap.h"

#include "base/memory.h"
#include <stdlib.h>

static void put(struct heap *heap, size_t index, struct heap_node *node)
{
    heap->nodes[index] = node;
    node->place = (uint32_t)index + 1;
}

static void sift_up(struct heap *heap, size_t index, struct heap_node *node)
{
    while (index > 0) {
        size_t parent = (index - 1) / 2;
        if (heap->nodes[parent]->due <= node->due) {
            break;
        }
        put(heap, index, heap->nodes[parent]);
        index = parent;
    }
    put(heap, index, node);
}

static void sift_down(struct heap *heap, size_t index, struct heap_node *node)
{
    for (;;) {
        size_t child = index * 2 + 1;
        if (child >= heap->count) {
            break;
        }
        if (child + 1 < heap->count && heap->nodes[child + 1]->due < heap->nodes[child]->due) {
            child++;
        }
        if (node->due <= heap->nodes[child]->due) {
            break;
        }
        put(heap, index, heap->nodes[child]);
        index = child;
    }
    put(heap, index, node);
}

void heap_finish(struct heap *heap)
{
    free(heap->nodes);
    *heap = (struct heap){0};
}

struct heap_node *heap_first(const struct heap *heap)
{
    return heap->count == 0 ? NULL : heap->nodes[0];
}

void heap_set(struct heap *heap, struct heap_node *node, int64_t due)
{
    if (node->place == 0) {
        if (heap->count == heap->capacity) {
            heap->capacity = heap->capacity == 0 ? 64 : heap->capacity * 2;
            heap->nodes = memory_resized(heap->nodes, heap->capacity * sizeof(*heap->nodes));
        }
        node->due = due;
        sift_up(heap, heap->count++, node);
        return;
    }
    bool is_earlier = due < node->due;
    node->due = due;
    if (is_earlier) {
        sift_up(heap, node->place - 1, node);
    } else {
        sift_down(heap, node->place - 1, node);
    }
}

void heap_remove(struct heap *heap, struct heap_node *node)
{
    if (node->place == 0) {
        return;
    }
    size_t index = node->place - 1;
    node->place = 0;
    struct heap_node *last = heap->nodes[--heap->count];
    if (last == node) {
        return;
    }
    if (last->due < node->due) {
        sift_up(heap, index, last);
    } else {
        sift_down(heap, index, last);
    }
}
