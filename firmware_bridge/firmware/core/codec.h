/* Packet <-> message. Reports are in reports.c, commands in commands.c; the dispatch by kind is in codec.c. */
#ifndef LN_CODEC_H
#define LN_CODEC_H

#include "framing.h"
#include "messages.h"

/* Where a stream's numbers begin in its payload: whoever makes one may lay them down there beforehand. */
enum { LN_SAMPLES_AT = 12, LN_BURST_AT = 20, LN_LEVELS_AT = 12 };

/* What the payload of a packet says; false if it is not laid out as docs/protocol.md has it, its version is not
 * LN_PROTOCOL_VERSION (but for HELLO and HELLO_ACK, which never change), or its kind is unknown.
 * Views point into the packet's payload. */
bool ln_decode(const ln_packet *packet, ln_message *message);

/* The payload of a message to `out`, which holds LN_MAX_PAYLOAD_BYTES; returns its length, and sets what the header's
 * count is to be. The message is one that ln_decode would give; its streams fit a payload. */
size_t ln_encode(const ln_message *message, uint8_t *out, uint16_t *count);

bool ln_decode_report(const ln_packet *packet, ln_message *message);
size_t ln_encode_report(const ln_message *message, uint8_t *out, uint16_t *count);
bool ln_decode_command(const ln_packet *packet, ln_message *message);
size_t ln_encode_command(const ln_message *message, uint8_t *out);

#endif
