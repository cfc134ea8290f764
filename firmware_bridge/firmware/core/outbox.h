/* What a node has yet to send: answers first, then streams; whole packets only, a full memory drops and counts.
 *
 * Packets wait without header and stuffing, so that what depends on the moment of sending is written then. */
#ifndef LN_OUTBOX_H
#define LN_OUTBOX_H

#include "framing.h"
#include "messages.h"

enum {
    LN_MAX_ANSWERS = 16,     /* a host has at most 32 commands open, and asks for them one after the other */
    LN_STREAM_BYTES = 16384, /* four of the longest frames, or ten seconds of a barometer at ten a second */
    LN_KINDS = 32
};

/* An answer, made when it is asked for and encoded when it leaves. Texts are constants of the program. */
typedef struct {
    ln_header header;
    ln_message message; /* HELLO_ACK is filled in when it leaves; so is `sent_ns` of PONG */
} ln_answer;

typedef struct {
    uint8_t version, boot_id;
    uint16_t sequence[LN_KINDS]; /* of the next packet, by kind */
    uint32_t overflown;          /* bit by kind: the last packet of that kind was dropped */
    uint32_t dropped_frames;
    bool clock_was_set;
    ln_answer answer[LN_MAX_ANSWERS];
    uint8_t first_answer, answers;
    uint8_t stream[LN_STREAM_BYTES];
    size_t stream_at, stream_bytes;
} ln_outbox;

void ln_outbox_init(ln_outbox *outbox, uint8_t version, uint8_t boot_id);

/* The header of the next packet of `kind`, with its sequence number taken. */
ln_header ln_outbox_header(ln_outbox *outbox, uint8_t kind, uint8_t flags, uint64_t time_ns);

/* Queue an answer; false if it was dropped. */
bool ln_outbox_answer(ln_outbox *outbox, const ln_message *message, uint64_t time_ns);

/* Queue a packet of a stream by its payload; false if it was dropped. */
bool ln_outbox_stream(ln_outbox *outbox, uint8_t kind, uint16_t count, uint8_t flags, uint64_t time_ns,
                      const uint8_t *payload, size_t length);

/* The oldest answer, taken out; false without one. */
bool ln_outbox_next_answer(ln_outbox *outbox, ln_answer *answer);

/* The oldest packet of a stream, taken out, its payload to `payload`; false without one. */
bool ln_outbox_next_stream(ln_outbox *outbox, ln_header *header, uint8_t *payload, size_t *length);

/* TIME_STEP where the clock was set since the last call: for the packet that leaves now, and for no other. */
uint8_t ln_outbox_step_flag(ln_outbox *outbox);

#endif
