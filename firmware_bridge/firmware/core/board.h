/* What is soldered: the facts of one node that its firmware is told at start, and what it needs of the board to run. */
#ifndef LN_BOARD_H
#define LN_BOARD_H

#include "messages.h"

enum { LN_MAX_OUTPUTS = 16 };

typedef struct {
    uint8_t min_version, max_version; /* of the protocol; LN_PROTOCOL_VERSION both, but for tests of strangers */
    uint16_t features;
    uint64_t uid;
    uint32_t burst_rate_hz, longest_burst;
    uint16_t instants_a_frame; /* of the slow channels; at least 1 */
    uint8_t channels;
    ln_channel channel[LN_MAX_CHANNELS];
    uint8_t bands; /* of BAND_LEVELS */
    float band_hz[2 * LN_MAX_BANDS];
    uint8_t outputs; /* relays */
    uint8_t output[LN_MAX_OUTPUTS];
} ln_board;

/* An order to the converter of the burst channels. */
typedef struct {
    uint32_t number; /* comes back with the samples; a later order takes the place of an earlier one */
    uint64_t from_ns; /* sample 0, on the node's clock: now or just past */
    uint32_t samples; /* a channel */
    bool drives_line; /* pulse the shared trigger line at sample 0 */
    bool triggered;   /* sample 0 is at an edge of that line */
    uint32_t burst_id; /* for people who watch; 0 where the samples are for levels */
    bool for_levels;
} ln_conversion;

/* The hardware abstraction: all that the core asks of a port. None may block; `context` is the port's own. */
typedef struct {
    void *context;
    uint64_t (*now_ns)(void *context);                                     /* the node's clock; it never wraps */
    bool (*ready)(void *context);                                          /* the line takes a frame now */
    void (*transmit)(void *context, const uint8_t *frame, size_t length);  /* only when ready; valid till ready again */
    void (*read_slow)(void *context, int32_t *counts);                     /* all channels that are not burst channels */
    void (*convert)(void *context, const ln_conversion *order);            /* answered by ln_node_converted */
    void (*siren)(void *context, uint8_t pattern);
    void (*relay)(void *context, uint8_t output, bool on);
    void (*lamp)(void *context, bool on);
    void (*board_state)(void *context, float *temperature_k, float *supply_v);
    void (*feed_watchdog)(void *context);
} ln_hal;

static inline bool ln_in_bursts(const ln_channel *channel)
{
    return channel->quantity == LN_ULTRASOUND || channel->quantity == LN_SURFACE_VELOCITY;
}

#endif
