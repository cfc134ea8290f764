/* The four functions that a compiler expects of any machine. */
#include <stdint.h>
#include <string.h>

/* gcc would make calls to these very functions out of their loops. */
#pragma GCC optimize("no-tree-loop-distribute-patterns")

void *memcpy(void *restrict to, const void *restrict from, size_t length)
{
    uint8_t *into = to;
    const uint8_t *out_of = from;
    while (length-- > 0) {
        *into++ = *out_of++;
    }
    return to;
}

void *memmove(void *to, const void *from, size_t length)
{
    uint8_t *into = to;
    const uint8_t *out_of = from;
    if ((uintptr_t)into <= (uintptr_t)out_of) {
        for (size_t i = 0; i < length; i++) {
            into[i] = out_of[i];
        }
    } else {
        for (size_t i = length; i > 0; i--) {
            into[i - 1] = out_of[i - 1];
        }
    }
    return to;
}

void *memset(void *at, int value, size_t length)
{
    uint8_t *into = at;
    while (length-- > 0) {
        *into++ = (uint8_t)value;
    }
    return at;
}

size_t strlen(const char *text)
{
    size_t length = 0;
    while (text[length] != '\0') {
        length++;
    }
    return length;
}
