#include "framing.h"

#include "bytes.h"
#include "crc32.h"

enum { KIND_BITS = 5, KIND_MASK = 31 };

size_t ln_frame(const ln_header *header, ln_packet_buffer *buffer, size_t payload_length, uint8_t *out)
{
    uint8_t *at = buffer->bytes;
    at[0] = (uint8_t)((unsigned)header->version << KIND_BITS | (header->kind & (unsigned)KIND_MASK));
    at[1] = header->reserved;
    ln_put_u16(at + 2, header->sequence);
    at[4] = header->flags;
    at[5] = header->boot_id;
    ln_put_u16(at + 6, header->count);
    ln_put_u64(at + 8, header->time_ns);
    const size_t body = LN_HEADER_BYTES + payload_length;
    ln_put_u32(at + body, ln_crc32(at, body));
    const size_t length = ln_cobs_encode(at, body + LN_CRC_BYTES, out);
    out[length] = 0;
    return length + 1;
}

void ln_deframer_init(ln_deframer *deframer)
{
    deframer->length = 0;
    deframer->overlong = 0;
}

static ln_found checked(uint8_t *data, size_t length, ln_packet *packet)
{
    size_t decoded;
    if (!ln_cobs_decode(data, length, &decoded)) {
        return LN_NOT_COBS;
    }
    if (decoded < LN_HEADER_BYTES + LN_CRC_BYTES) {
        return LN_TOO_SHORT;
    }
    if (decoded > LN_MAX_PACKET_BYTES) {
        return LN_TOO_LONG;
    }
    const size_t body = decoded - LN_CRC_BYTES;
    if (ln_crc32(data, body) != ln_get_u32(data + body)) {
        return LN_BAD_CRC;
    }
    packet->header.version = (uint8_t)(data[0] >> KIND_BITS);
    packet->header.kind = (uint8_t)(data[0] & KIND_MASK);
    packet->header.reserved = data[1];
    packet->header.sequence = ln_get_u16(data + 2);
    packet->header.flags = data[4];
    packet->header.boot_id = data[5];
    packet->header.count = ln_get_u16(data + 6);
    packet->header.time_ns = ln_get_u64(data + 8);
    packet->payload = data + LN_HEADER_BYTES;
    packet->payload_length = body - LN_HEADER_BYTES;
    return LN_PACKET;
}

ln_found ln_deframer_take(ln_deframer *deframer, uint8_t byte, ln_packet *packet, uint32_t *piece_length)
{
    if (byte != 0) {
        if (deframer->overlong != 0) {
            if (deframer->overlong < UINT32_MAX) {
                deframer->overlong++;
            }
        } else if (deframer->length < LN_MAX_ENCODED_BYTES) {
            deframer->partial[deframer->length++] = byte;
        } else {
            /* Nothing of it can become a frame: from here on it is only counted. */
            deframer->overlong = LN_MAX_ENCODED_BYTES + 1;
        }
        return LN_NOTHING;
    }
    const size_t length = deframer->length;
    *piece_length = (uint32_t)length;
    if (deframer->overlong != 0) {
        *piece_length = deframer->overlong;
        ln_deframer_init(deframer);
        return LN_TOO_LONG;
    }
    deframer->length = 0;
    return length == 0 ? LN_NOTHING : checked(deframer->partial, length, packet); /* two 0x00 in a row are padding */
}
