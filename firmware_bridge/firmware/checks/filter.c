#include "filter.h"

#include "bytes.h"
#include "codec.h"

enum { PLAIN_BYTES = 5 + 18 + 4 + LN_MAX_TEXT_BYTES }; /* a record without its frame */

static size_t text_out(ln_text *text, uint8_t *out)
{
    const size_t length = text->length;
    ln_put_u16(out, (uint16_t)length);
    memcpy(out + 2, text->bytes, length);
    text->length = 0;
    return 2 + length;
}

static size_t packet_out(const ln_packet *packet, uint8_t *out)
{
    static ln_packet_buffer buffer;
    const ln_header *header = &packet->header;
    ln_message message;
    out[0] = header->version;
    out[1] = header->kind;
    out[2] = header->reserved;
    ln_put_u16(out + 3, header->sequence);
    out[5] = header->flags;
    out[6] = header->boot_id;
    ln_put_u16(out + 7, header->count);
    ln_put_u64(out + 9, header->time_ns);
    out[17] = ln_decode(packet, &message) ? 1 : 0;
    if (out[17] == 0) {
        return 18;
    }
    uint8_t *at = out + 18;
    ln_text none = {0, out};
    ln_text *text = message.kind == LN_HELLO_ACK ? &message.as.hello_ack.firmware
                  : message.kind == LN_ACK       ? &message.as.ack.text
                                                 : &none;
    at += text_out(text, at);
    ln_header anew = *header;
    anew.reserved = 0;
    const size_t payload = ln_encode(&message, buffer.bytes + LN_HEADER_BYTES, &anew.count);
    const size_t length = ln_frame(&anew, &buffer, payload, at + 2);
    ln_put_u16(at, (uint16_t)length);
    return (size_t)(at - out) + 2 + length;
}

size_t checks_filter(const uint8_t *data, size_t length, uint8_t *out, size_t capacity)
{
    static ln_deframer deframer;
    size_t written = 0;
    ln_deframer_init(&deframer);
    for (size_t i = 0; i < length; i++) {
        ln_packet packet;
        uint32_t piece_length;
        const ln_found found = ln_deframer_take(&deframer, data[i], &packet, &piece_length);
        if (found == LN_NOTHING) {
            continue;
        }
        if (capacity - written < PLAIN_BYTES + LN_MAX_FRAME_BYTES) {
            return 0;
        }
        out[written] = (uint8_t)(found - LN_PACKET);
        ln_put_u32(out + written + 1, piece_length);
        written += 5;
        if (found == LN_PACKET) {
            written += packet_out(&packet, out + written);
        }
    }
    return written;
}
