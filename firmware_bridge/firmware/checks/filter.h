/* What the core makes of a byte stream, written down plainly, so that another implementation can be held against it. */
#ifndef LN_FILTER_H
#define LN_FILTER_H

#include <stddef.h>
#include <stdint.h>

/* Deframe and decode `length` bytes, encode again what was understood, and write a record of each find to `out`:
 *
 *     u8 find (LN_PACKET - 1 and on), u32 length of the piece
 *     for a packet: u8 version, u8 kind, u8 reserved, u16 sequence, u8 flags, u8 boot_id, u16 count, u64 time,
 *                   u8 whether it was understood
 *     if it was:    u16 length of the text in it, the text, u16 length of the frame, the frame made anew without text
 *
 * Returns the length of all, or 0 where `capacity` is too small. */
size_t checks_filter(const uint8_t *data, size_t length, uint8_t *out, size_t capacity);

#endif
