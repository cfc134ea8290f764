/* Every report and command as a struct, and their numbers. How they look as bytes is in reports.c and commands.c.
 *
 * Streams are views: `counts` and the like point to little-endian bytes as they travel, so that nothing is copied. */
#ifndef LN_MESSAGES_H
#define LN_MESSAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LN_MAX_TEXT_BYTES = 64, LN_MAX_CHANNELS = 32, LN_MAX_BANDS = 8 };
#define LN_NS_PER_S UINT64_C(1000000000)
#define LN_MAX_PERIOD_NS (3600u * LN_NS_PER_S)

enum {
    LN_HELLO_ACK = 1,
    LN_PONG = 2,
    LN_STATUS = 3,
    LN_SAMPLES = 4,
    LN_BURST_PIECE = 5,
    LN_ACK = 6,
    LN_BAND_LEVELS = 7,
    LN_FIRST_COMMAND = 16,
    LN_HELLO = 16,
    LN_PING = 17,
    LN_START = 18,
    LN_STOP = 19,
    LN_CAPTURE = 20,
    LN_SIREN = 21,
    LN_IDENTIFY = 22,
    LN_SWITCH = 23,
    LN_LEVELS = 24
};

enum {
    LN_FEATURE_BURSTS = 1,
    LN_FEATURE_TRIGGER_LINE = 2,
    LN_FEATURE_SIREN = 4,
    LN_FEATURE_SIMULTANEOUS = 8,
    LN_FEATURE_SWITCH = 16,
    LN_FEATURE_LEVELS = 32
};

enum { LN_ULTRASOUND = 3, LN_SURFACE_VELOCITY = 4, LN_LAST_QUANTITY = 9 };

enum { LN_DONE = 0, LN_REFUSED = 1, LN_UNKNOWN = 2, LN_BUSY = 3, LN_TOO_LATE = 4 };

enum { LN_SILENT = 0, LN_ADVISORY = 1, LN_CAUTION = 2, LN_WARNING = 3, LN_EMERGENCY = 4 };

enum { LN_AT_TIME = 0, LN_DRIVE = 1, LN_WAIT_EDGE = 2 };

typedef struct {
    uint8_t quantity;
    double scale;
    double offset;
} ln_channel;

typedef struct {
    uint8_t length; /* at most LN_MAX_TEXT_BYTES */
    const uint8_t *bytes;
} ln_text;

typedef struct {
    uint8_t min_version, max_version;
    uint16_t features;
    uint64_t uid;
    uint32_t burst_rate_hz, longest_burst;
    uint8_t channels;
    ln_channel channel[LN_MAX_CHANNELS];
    ln_text firmware;
} ln_hello_ack;

typedef struct {
    uint32_t ping_id;
    uint64_t received_ns, sent_ns;
} ln_pong;

typedef struct {
    uint32_t uptime_s, dropped_frames, bad_frames, overruns;
    uint8_t reset_cause;
    float temperature_k, supply_v;
} ln_status;

typedef struct {
    uint8_t first_channel, channels;
    uint64_t period_ns;
    uint16_t instants;     /* the header's count */
    const uint8_t *counts; /* i32, all columns of an instant together */
} ln_samples;

typedef struct {
    uint32_t burst_id, offset, total, rate_hz;
    uint8_t first_channel, channels;
    uint16_t samples;      /* the header's count */
    const uint8_t *counts; /* i16, all samples of a channel together */
} ln_burst_piece;

typedef struct {
    uint8_t command_kind, result;
    uint16_t command_sequence;
    ln_text text;
} ln_ack;

typedef struct {
    uint64_t window_ns;
    uint8_t first_channel, channels, bands;
    const uint8_t *edges;  /* f32 pairs */
    const uint8_t *levels; /* f32, all bands of a channel together */
} ln_band_levels;

typedef struct {
    uint8_t min_version, max_version;
} ln_hello;

typedef struct {
    uint32_t burst_id, samples;
    uint8_t role;
    uint64_t start_ns;
} ln_capture_command;

typedef struct {
    uint8_t output;
    bool on;
} ln_switch;

/* A message of any kind; `kind` says which member counts. STOP has none. */
typedef struct {
    uint8_t kind;
    union {
        ln_hello_ack hello_ack;
        ln_pong pong;
        ln_status status;
        ln_samples samples;
        ln_burst_piece burst_piece;
        ln_ack ack;
        ln_band_levels band_levels;
        ln_hello hello;
        uint32_t ping_id;
        uint32_t sample_period_ms;
        ln_capture_command capture;
        uint8_t pattern;
        uint16_t identify_s;
        ln_switch output;
        uint32_t levels_period_ms;
    } as;
} ln_message;

#endif
