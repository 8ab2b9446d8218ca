#include "tests/support/chance.h"

#include "base/check.h"
#include <string.h>

uint64_t chance_next(struct chance *chance)
{
    uint64_t mixed = chance->state += UINT64_C(0x9e3779b97f4a7c15);
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ (mixed >> 31);
}

unsigned chance_below(struct chance *chance, unsigned bound)
{
    return (unsigned)(chance_next(chance) % bound);
}

void chance_shuffle(struct chance *chance, void *elements, size_t count, size_t bytes_each)
{
    unsigned char *bytes = elements;
    unsigned char held[256];
    CHECK(bytes_each <= sizeof held);
    for (size_t i = count; i > 1; i--) {
        size_t j = chance_below(chance, (unsigned)i);
        memcpy(held, bytes + (i - 1) * bytes_each, bytes_each);
        memmove(bytes + (i - 1) * bytes_each, bytes + j * bytes_each, bytes_each);
        memcpy(bytes + j * bytes_each, held, bytes_each);
    }
}
