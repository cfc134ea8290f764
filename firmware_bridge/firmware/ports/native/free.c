#define _GNU_SOURCE
#include "free.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    MICROPHONES = 4,
    RATE_HZ = 192000,
    BLOCK = 512,          /* samples a channel that the made-up converter delivers at a time */
    TICK_MS = 50,         /* of the siren's timer */
    UNSENT_BYTES = 16384, /* a terminal holds twenty kilobytes; this is the UART's own memory */
    PRESSURE_COUNTS = 405300,
    TEMPERATURE_COUNTS = 2932
};

static struct {
    line *opened;
    ln_node node;
    uint8_t unsent[UNSENT_BYTES];
    size_t unsent_bytes;
    ln_conversion order; /* `samples` is what is still to come */
    uint64_t converted;
    uint32_t noise;
    bool horn;
} board;

static volatile sig_atomic_t asked_to_end;

static void end(int number)
{
    (void)number;
    asked_to_end = 1;
}

static uint64_t now_ns(void *context)
{
    struct timespec now;
    (void)context;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * LN_NS_PER_S + (uint64_t)now.tv_nsec;
}

/* Room for the longest frame is kept, so that what is begun is never cut. */
static bool ready(void *context)
{
    (void)context;
    return board.unsent_bytes + 1 + LN_MAX_FRAME_BYTES <= UNSENT_BYTES;
}

static void flush(void)
{
    while (board.unsent_bytes > 0 && board.opened->out >= 0) {
        const ssize_t put = write(board.opened->out, board.unsent, board.unsent_bytes);
        if (put <= 0) {
            return;
        }
        board.unsent_bytes -= (size_t)put;
        memmove(board.unsent, board.unsent + put, board.unsent_bytes);
    }
}

static void transmit(void *context, const uint8_t *frame, size_t length)
{
    (void)context;
    memcpy(board.unsent + board.unsent_bytes, frame, length);
    board.unsent_bytes += length;
    flush();
}

static int32_t noise(int32_t reach)
{
    board.noise = board.noise * 1664525u + 1013904223u; /* Numerical Recipes: it only has to look like noise */
    return (int32_t)((uint64_t)(board.noise >> 8) * (uint32_t)(2 * reach + 1) >> 24) - reach;
}

static void read_slow(void *context, int32_t *counts)
{
    (void)context;
    counts[0] = PRESSURE_COUNTS + noise(3);
    counts[1] = TEMPERATURE_COUNTS + noise(1);
}

static void convert(void *context, const ln_conversion *order)
{
    (void)context;
    board.order = *order;
    board.converted = 0;
}

/* White noise, as a leak is; as fast as its samples would come. */
static void deliver(void)
{
    static int16_t block[BLOCK * MICROPHONES];
    const uint64_t now = now_ns(NULL);
    while (board.order.samples > 0) {
        const uint32_t samples = board.order.samples < BLOCK ? board.order.samples : BLOCK;
        const uint64_t over_ns = board.order.from_ns + (board.converted + samples) * LN_NS_PER_S / RATE_HZ;
        if (now < over_ns) {
            return;
        }
        for (size_t i = 0; i < (size_t)samples * MICROPHONES; i++) {
            block[i] = (int16_t)noise(400);
        }
        board.converted += samples;
        board.order.samples -= samples;
        ln_node_converted(&board.node, board.order.number, board.order.from_ns, block, samples, false);
    }
}

static void siren(void *context, uint8_t pattern)
{
    (void)context;
    (void)fprintf(stderr, "leaknode: siren %u\n", (unsigned)pattern); /* this machine has no horn */
}

static void relay(void *context, uint8_t output, bool on)
{
    (void)context;
    (void)output;
    (void)on;
}

static void lamp(void *context, bool on)
{
    (void)context;
    (void)on;
}

static void board_state(void *context, float *temperature_k, float *supply_v)
{
    (void)context;
    *temperature_k = 308.0f;
    *supply_v = 5.0f;
}

static void feed_watchdog(void *context)
{
    (void)context;
}

static const ln_hal HAL = {NULL,  now_ns, ready, transmit,    read_slow,    convert,
                           siren, relay,  lamp,  board_state, feed_watchdog};

static ln_board made_up(uint64_t uid)
{
    ln_board made = {.min_version = LN_PROTOCOL_VERSION, .max_version = LN_PROTOCOL_VERSION, .uid = uid};
    made.features = LN_FEATURE_BURSTS | LN_FEATURE_SIREN | LN_FEATURE_SIMULTANEOUS | LN_FEATURE_LEVELS;
    made.burst_rate_hz = RATE_HZ;
    made.longest_burst = 65536;
    made.instants_a_frame = 1;
    made.channels = MICROPHONES + 2;
    for (size_t i = 0; i < MICROPHONES; i++) {
        made.channel[i] = (ln_channel){LN_ULTRASOUND, 0.0005, 0.0};
    }
    made.channel[MICROPHONES] = (ln_channel){1, 0.25, 0.0};
    made.channel[MICROPHONES + 1] = (ln_channel){2, 0.1, 0.0};
    made.bands = 2;
    made.band_hz[0] = 20e3f;
    made.band_hz[1] = made.band_hz[2] = 40e3f;
    made.band_hz[3] = 80e3f;
    return made;
}

/* How long to wait, ms: to the next deadline, the next samples, the siren's next tick. */
static int patience_ms(void)
{
    const uint64_t now = now_ns(NULL);
    const uint64_t next = ln_node_next_ns(&board.node);
    if (board.order.samples > 0) {
        return 1;
    }
    if (next <= now) {
        return 0;
    }
    return next - now < TICK_MS * UINT64_C(1000000) ? (int)((next - now) / 1000000u) + 1 : TICK_MS;
}

int free_run(line *opened, uint64_t uid, int16_t *memory, size_t capacity)
{
    const ln_board made = made_up(uid);
    uint8_t data[4096];
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = end;
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    board.opened = opened;
    board.noise = (uint32_t)uid;
    /* No memory outlives a process: its number stands for a counter that counts starts. */
    ln_node_start(&board.node, &made, &HAL, memory, capacity, (uint8_t)(getpid() & 0xFF), 1);
    while (!asked_to_end) {
        struct pollfd polled = {opened->in, (short)(POLLIN | (board.unsent_bytes > 0 ? POLLOUT : 0)), 0};
        if (poll(&polled, 1, patience_ms()) < 0 && errno != EINTR) {
            return 1;
        }
        errno = EAGAIN;
        const ssize_t got = polled.revents != 0 ? read(opened->in, data, sizeof data) : -1;
        if (got > 0) {
            ln_node_receive(&board.node, data, (size_t)got, now_ns(NULL));
        } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
            board.unsent_bytes = 0;
            if (!line_again(opened)) {
                return 0;
            }
        }
        flush();
        deliver();
        board.horn = ln_siren_tick(&board.node.siren, now_ns(NULL));
        ln_node_step(&board.node);
    }
    return 0;
}
