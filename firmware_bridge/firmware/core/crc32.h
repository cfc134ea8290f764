/* CRC-32/ISO-HDLC (Ethernet, zip, PNG) over bytes. */
#ifndef LN_CRC32_H
#define LN_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* The checksum of `length` bytes. */
uint32_t ln_crc32(const uint8_t *data, size_t length);

#endif
