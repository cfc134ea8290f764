/* What the core uses of <string.h>, for toolchains that come without a C library. */
#ifndef LN_BARE_STRING_H
#define LN_BARE_STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t length);
void *memmove(void *to, const void *from, size_t length);
void *memset(void *at, int value, size_t length);
size_t strlen(const char *text);

#endif
