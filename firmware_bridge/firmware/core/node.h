/* One running node: the conversation of docs/protocol.md from the node's side. Its board is below the ln_hal. */
#ifndef LN_NODE_H
#define LN_NODE_H

#include "board.h"
#include "capture.h"
#include "framing.h"
#include "levels.h"
#include "outbox.h"
#include "siren.h"
#include "streams.h"

/* All of a node's memory but that of its bursts; about 100 KB, half of it for levels. */
typedef struct {
    ln_board board;
    const ln_hal *hal;
    uint64_t started_ns;
    uint8_t reset_cause;
    ln_deframer deframer;
    uint32_t bad_frames;
    ln_outbox outbox;
    ln_streams streams;
    ln_capture capture;
    ln_levels levels;
    uint32_t conversion; /* number of the newest order to the converter */
    bool for_levels;     /* what that order was for */
    ln_siren siren;
    uint64_t lamp_until_ns, lamp_next_ns;
    bool lamp_on;
    bool has_last;       /* the last command that was acknowledged, and its ACK */
    ln_ack last;
    bool delimit;        /* a 0x00 is to go out first */
    uint64_t last_sent_ns;
    ln_packet_buffer packet;
    uint8_t frame[1 + LN_MAX_FRAME_BYTES];
} ln_node;

/* Power up. `boot_id` differs from that of the last start; `memory` holds the bursts, `capacity` counts of it. */
void ln_node_start(ln_node *node, const ln_board *board, const ln_hal *hal, int16_t *memory, size_t capacity,
                   uint8_t boot_id, uint8_t reset_cause);

/* Bytes came from the line; `at_ns` is when the last of them did. */
void ln_node_receive(ln_node *node, const uint8_t *data, size_t length, uint64_t at_ns);

/* Do what is due, and send what the line takes. Call it at ln_node_next_ns, and whenever the line became ready. */
void ln_node_step(ln_node *node);

/* The shared trigger line was pulsed. May be called from an interrupt only while no other call is under way. */
void ln_node_edge(ln_node *node, uint64_t at_ns);

/* Samples of the order `number`: all channels of a sample together; `start_ns` is that of the order's sample 0. */
void ln_node_converted(ln_node *node, uint32_t number, uint64_t start_ns, const int16_t *counts, uint32_t samples,
                       bool saturated);

/* The converter lost data. */
void ln_node_overrun(ln_node *node);

/* The node's clock was set, ahead by `by_ns` or back. */
void ln_node_clock_set(ln_node *node, int64_t by_ns);

/* The node hung and goes on: a capture that was armed or under way is lost. */
void ln_node_resume(ln_node *node);

/* When there is something to do, on the node's clock; UINT64_MAX for never. */
uint64_t ln_node_next_ns(const ln_node *node);

#endif
