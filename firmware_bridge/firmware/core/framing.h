/* Bytes <-> checked packets: COBS, 0x00 delimiters, 16-byte header, CRC-32. What a payload means is not known here. */
#ifndef LN_FRAMING_H
#define LN_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cobs.h"

enum {
    LN_PROTOCOL_VERSION = 1,
    LN_HEADER_BYTES = 16,
    LN_CRC_BYTES = 4,
    LN_MAX_PAYLOAD_BYTES = 4352,
    LN_MAX_PACKET_BYTES = LN_HEADER_BYTES + LN_MAX_PAYLOAD_BYTES + LN_CRC_BYTES,
    LN_MAX_ENCODED_BYTES = (int)LN_COBS_BYTES(LN_MAX_PACKET_BYTES), /* without the closing 0x00 */
    LN_MAX_FRAME_BYTES = LN_MAX_ENCODED_BYTES + 1
};

enum { LN_FLAG_OVERFLOW = 1, LN_FLAG_TIME_STEP = 2, LN_FLAG_SATURATED = 4, LN_FLAG_TRIGGERED = 8 };

/* A header's fields; `reserved` is kept so that a packet can be told as it came. */
typedef struct {
    uint8_t version; /* 0 to 7 */
    uint8_t kind;    /* 0 to 31 */
    uint8_t reserved;
    uint16_t sequence;
    uint8_t flags;
    uint8_t boot_id;
    uint16_t count;
    uint64_t time_ns;
} ln_header;

/* A checked frame; the payload is the deframer's memory and lasts until more bytes are fed. */
typedef struct {
    ln_header header;
    const uint8_t *payload;
    size_t payload_length;
} ln_packet;

/* A packet being written: the payload goes to `bytes + LN_HEADER_BYTES`. */
typedef struct {
    uint8_t bytes[LN_MAX_PACKET_BYTES];
} ln_packet_buffer;

/* The frame of header and the payload that stands in `buffer` already, closing 0x00 included; returns its length.
 * `payload_length` is at most LN_MAX_PAYLOAD_BYTES; `out` holds LN_MAX_FRAME_BYTES. */
size_t ln_frame(const ln_header *header, ln_packet_buffer *buffer, size_t payload_length, uint8_t *out);

typedef enum {
    LN_NOTHING, /* no frame is complete yet */
    LN_PACKET,
    LN_TOO_SHORT,
    LN_TOO_LONG,
    LN_NOT_COBS,
    LN_BAD_CRC
} ln_found;

/* An incremental frame reader of bounded memory. */
typedef struct {
    uint8_t partial[LN_MAX_ENCODED_BYTES];
    size_t length;
    uint32_t overlong; /* bytes of a piece that grew beyond bounds; it saturates */
} ln_deframer;

void ln_deframer_init(ln_deframer *deframer);

/* Take one byte. On LN_PACKET the packet is set; `piece_length` is what stood between the delimiters, for any find. */
ln_found ln_deframer_take(ln_deframer *deframer, uint8_t byte, ln_packet *packet, uint32_t *piece_length);

#endif
