#include "codec.h"

bool ln_decode(const ln_packet *packet, ln_message *message)
{
    const uint8_t kind = packet->header.kind;
    message->kind = kind;
    if (packet->header.version != LN_PROTOCOL_VERSION && kind != LN_HELLO && kind != LN_HELLO_ACK) {
        return false;
    }
    return kind < LN_FIRST_COMMAND ? ln_decode_report(packet, message) : ln_decode_command(packet, message);
}

size_t ln_encode(const ln_message *message, uint8_t *out, uint16_t *count)
{
    *count = 0;
    return message->kind < LN_FIRST_COMMAND ? ln_encode_report(message, out, count)
                                            : ln_encode_command(message, out);
}
