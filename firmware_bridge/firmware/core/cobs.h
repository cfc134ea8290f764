/* Consistent overhead byte stuffing: bytes without zeros, and back. The closing 0x00 is framing's. */
#ifndef LN_COBS_H
#define LN_COBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The most bytes that stuffing makes of `length`. */
#define LN_COBS_BYTES(length) ((length) + (length) / 254u + 1u)

/* Stuff `length` bytes into `out`, which holds LN_COBS_BYTES(length); returns how many were written. */
size_t ln_cobs_encode(const uint8_t *data, size_t length, uint8_t *out);

/* Undo it in place (what comes out is never longer); false if these bytes were not stuffed so. */
bool ln_cobs_decode(uint8_t *data, size_t length, size_t *decoded_length);

#endif
