/* Bursts: armed by CAPTURE, recorded into capture memory, sent in pieces. The converter is the port's. */
#ifndef LN_CAPTURE_H
#define LN_CAPTURE_H

#include "board.h"

enum { LN_MAX_BURSTS = 4 };

/* One burst in memory, from its CAPTURE to its last piece. */
typedef struct {
    ln_capture_command order;
    uint64_t armed_at_ns;
    uint64_t start_ns; /* of sample 0, once it is recorded */
    size_t at;         /* of its first count in the memory */
    uint32_t recorded, sent;
    uint32_t conversion;
    bool triggered, saturated;
} ln_burst;

/* Memory is used as a ring of whole bursts: a new one fits behind the newest or before the oldest. */
typedef struct {
    int16_t *memory;
    size_t capacity; /* counts */
    uint32_t rate_hz, longest;
    uint16_t features;
    uint32_t piece_samples; /* samples a channel of a whole piece */
    uint8_t channels, first_channel;
    ln_burst burst[LN_MAX_BURSTS];
    uint8_t oldest, bursts;
    bool armed, recording; /* the newest burst */
} ln_capture;

void ln_capture_init(ln_capture *capture, const ln_board *board, int16_t *memory, size_t capacity);

/* A CAPTURE came: LN_DONE, or why not, in a word of the protocol and one for people. */
uint8_t ln_capture_arm(ln_capture *capture, const ln_capture_command *order, uint64_t now_ns, const char **why);

/* Whether the armed burst begins now; then `conversion` is what the converter is to do. */
bool ln_capture_begin(ln_capture *capture, uint64_t now_ns, ln_conversion *conversion);

/* The trigger line was pulsed at `at_ns`; otherwise as ln_capture_begin. */
bool ln_capture_edge(ln_capture *capture, uint64_t at_ns, ln_conversion *conversion);

/* The converter has `samples` more, sample by sample with all channels together; `start_ns` is that of sample 0. */
void ln_capture_take(ln_capture *capture, uint64_t start_ns, const int16_t *counts, uint32_t samples, bool saturated);

/* The converter lost data: what was recorded is sent, the rest is missing. */
void ln_capture_cut(ln_capture *capture);

/* The next piece that can be sent: its counts are laid out at `counts_out`. False without one. */
bool ln_capture_piece(ln_capture *capture, ln_burst_piece *piece, uint8_t *counts_out, uint64_t *start_ns,
                      uint8_t *flags);

/* When ln_capture_begin has something to do, UINT64_MAX for never. */
uint64_t ln_capture_next_ns(const ln_capture *capture);

#endif
