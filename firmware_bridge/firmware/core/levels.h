/* Band levels: a window of the burst channels, listened to now and then, as mean squares by band. */
#ifndef LN_LEVELS_H
#define LN_LEVELS_H

#include "board.h"
#include "spectrum.h"

enum {
    LN_LEVEL_CHANNELS = 16, /* 32 KB of history; a board with more burst channels refuses LEVELS */
    LN_LEVEL_SEGMENTS = 7,  /* overlapping by half: 4096 samples, 21 ms at 192 kHz */
    LN_LEVEL_SAMPLES = (LN_LEVEL_SEGMENTS + 1) * LN_SEGMENT / 2
};

typedef struct {
    ln_spectrum spectrum;
    int16_t history[LN_LEVEL_CHANNELS][LN_SEGMENT];
    float sum[LN_LEVEL_CHANNELS][LN_MAX_BANDS];
    float powers[LN_BINS];
    float band_hz[2 * LN_MAX_BANDS];
    uint64_t period_ns; /* 0: nobody listens */
    uint64_t next_ns, start_ns;
    uint32_t rate_hz, taken;
    uint16_t filled, segments;
    uint8_t channels, first_channel, bands;
    bool listening, saturated;
} ln_levels;

void ln_levels_init(ln_levels *levels, const ln_board *board, uint8_t channels, uint8_t first_channel);

/* LEVELS came; false where this board has no levels. */
bool ln_levels_ask(ln_levels *levels, uint32_t period_ms, uint64_t now_ns);

/* Whether a window begins now; then `conversion` is what the converter is to do. */
bool ln_levels_begin(ln_levels *levels, uint64_t now_ns, ln_conversion *conversion);

/* Leave this window out: the converter is wanted for something else. */
void ln_levels_skip(ln_levels *levels);

/* Samples of the window, as for ln_capture_take; true when it is over and ln_levels_tell has something. */
bool ln_levels_take(ln_levels *levels, uint64_t start_ns, const int16_t *counts, uint32_t samples, bool saturated);

/* The payload's numbers to `numbers_out`: edges, then levels. */
void ln_levels_tell(const ln_levels *levels, ln_band_levels *report, uint8_t *numbers_out);

/* When ln_levels_begin has something to do, UINT64_MAX for never. */
uint64_t ln_levels_next_ns(const ln_levels *levels);

#endif
