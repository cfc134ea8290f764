#include "bench.h"

#include "bytes.h"

enum {
    HEAD_BYTES = 5, /* u8 kind, u32 length of what follows */
    MAX_MESSAGE_BYTES = 1024,
    BLOCK_COUNTS = 4096, /* of samples, handed to the core at a time */
    CLOCK_WAS_SET = 1,
    RESUMED = 2,
    SATURATED = 1,
    SHARED = 2,
    DRIVES_LINE = 1,
    TRIGGERED = 2,
    FOR_LEVELS = 4
};

static struct {
    const bench_port *port;
    ln_node node;
    bool booted, over; /* over: a stream ended */
    uint64_t now_ns;
    uint8_t frames;    /* that the line takes until the next message */
    uint8_t frames_sent;
    uint32_t wire_bytes;
    int16_t block[BLOCK_COUNTS];
} bench;

/* ---------------------------------------------------------------------------- messages */

static void say(uint8_t kind, const uint8_t *data, uint32_t length)
{
    uint8_t head[HEAD_BYTES];
    head[0] = kind;
    ln_put_u32(head + 1, length);
    bench.over = bench.over || !bench.port->write(BENCH_BENCH, head, sizeof head) ||
                 (length > 0 && !bench.port->write(BENCH_BENCH, data, length));
}

/* The next message's head; false at the end. */
static bool hear(uint8_t *kind, uint32_t *length)
{
    uint8_t head[HEAD_BYTES];
    bench.over = bench.over || !bench.port->read(BENCH_BENCH, head, sizeof head);
    *kind = bench.over ? 0 : head[0];
    *length = bench.over ? 0 : ln_get_u32(head + 1);
    return !bench.over;
}

static bool take(uint8_t *data, uint32_t length)
{
    bench.over = bench.over || !bench.port->read(BENCH_BENCH, data, length);
    return !bench.over;
}

/* Ask for a reading and wait for it; zeros at the end of the stream. */
static void ask(uint8_t kind, uint8_t *answer, uint32_t length)
{
    uint8_t answered;
    uint32_t answered_length;
    say(kind, NULL, 0);
    memset(answer, 0, length);
    if (hear(&answered, &answered_length) && (answered_length != length || !take(answer, length))) {
        bench.over = true; /* a bench that answers something else is none */
    }
}

/* ---------------------------------------------------------------------------- the board */

static uint64_t now_ns(void *context)
{
    (void)context;
    return bench.now_ns;
}

static bool ready(void *context)
{
    (void)context;
    return bench.frames > 0;
}

static void transmit(void *context, const uint8_t *frame, size_t length)
{
    (void)context;
    bench.frames--;
    bench.frames_sent++;
    bench.wire_bytes += (uint32_t)length;
    bench.over = bench.over || !bench.port->write(BENCH_WIRE, frame, length);
}

static void read_slow(void *context, int32_t *counts)
{
    uint8_t answer[4 * LN_MAX_CHANNELS];
    const size_t width = bench.node.streams.width;
    (void)context;
    ask('S', answer, (uint32_t)(4 * width));
    for (size_t i = 0; i < width; i++) {
        counts[i] = (int32_t)ln_get_u32(answer + 4 * i);
    }
}

static void convert(void *context, const ln_conversion *order)
{
    uint8_t data[21];
    (void)context;
    ln_put_u32(data, order->number);
    ln_put_u64(data + 4, order->from_ns);
    ln_put_u32(data + 12, order->samples);
    ln_put_u32(data + 16, order->burst_id);
    data[20] = (uint8_t)((order->drives_line ? DRIVES_LINE : 0) | (order->triggered ? TRIGGERED : 0) |
                         (order->for_levels ? FOR_LEVELS : 0));
    say('V', data, sizeof data);
}

static void siren(void *context, uint8_t pattern)
{
    (void)context;
    say('P', &pattern, 1);
}

static void relay(void *context, uint8_t output, bool on)
{
    const uint8_t data[2] = {output, on ? 1 : 0};
    (void)context;
    say('R', data, sizeof data);
}

static void lamp(void *context, bool on)
{
    const uint8_t data = on ? 1 : 0;
    (void)context;
    say('L', &data, 1);
}

static void board_state(void *context, float *temperature_k, float *supply_v)
{
    uint8_t answer[8];
    (void)context;
    ask('T', answer, sizeof answer);
    *temperature_k = ln_get_f32(answer);
    *supply_v = ln_get_f32(answer + 4);
}

static void feed_watchdog(void *context)
{
    (void)context; /* the bench waits for us, not we for it */
}

static const ln_hal HAL = {NULL,  now_ns, ready, transmit,    read_slow,    convert,
                           siren, relay,  lamp,  board_state, feed_watchdog};

/* ---------------------------------------------------------------------------- what the simulator says */

static bool boot(uint32_t length)
{
    static uint8_t data[MAX_MESSAGE_BYTES];
    static ln_board board;
    enum { FIXED = 37, ROW = 17 };
    if (length < FIXED || length > sizeof data || !take(data, length)) {
        return false;
    }
    memset(&board, 0, sizeof board);
    bench.now_ns = ln_get_u64(data);
    const uint8_t boot_id = data[8];
    const uint8_t cause = data[9];
    board.min_version = data[10];
    board.max_version = data[11];
    board.features = ln_get_u16(data + 12);
    board.uid = ln_get_u64(data + 14);
    board.burst_rate_hz = ln_get_u32(data + 22);
    board.longest_burst = ln_get_u32(data + 26);
    board.instants_a_frame = ln_get_u16(data + 30);
    board.channels = data[32];
    board.bands = data[33];
    board.outputs = data[34]; /* 35 and 36 are reserved */
    if (board.channels > LN_MAX_CHANNELS || board.bands > LN_MAX_BANDS || board.outputs > LN_MAX_OUTPUTS ||
        length != FIXED + (uint32_t)ROW * board.channels + 8u * board.bands + board.outputs) {
        return false;
    }
    const uint8_t *at = data + FIXED;
    for (size_t i = 0; i < board.channels; i++, at += ROW) {
        board.channel[i].quantity = at[0];
        board.channel[i].scale = ln_get_f64(at + 1);
        board.channel[i].offset = ln_get_f64(at + 9);
    }
    for (size_t i = 0; i < (size_t)2 * board.bands; i++, at += 4) {
        board.band_hz[i] = ln_get_f32(at);
    }
    memcpy(board.output, at, board.outputs);
    ln_node_start(&bench.node, &board, &HAL, bench.port->burst_memory, bench.port->burst_counts, boot_id, cause);
    bench.booted = true;
    return true;
}

static bool advance(uint32_t length)
{
    uint8_t data[22];
    uint8_t wire[256];
    if (length != sizeof data || !take(data, sizeof data)) {
        return false;
    }
    bench.now_ns = ln_get_u64(data);
    bench.frames = data[12];
    if ((data[13] & CLOCK_WAS_SET) != 0) {
        ln_node_clock_set(&bench.node, (int64_t)ln_get_u64(data + 14));
    }
    if ((data[13] & RESUMED) != 0) {
        ln_node_resume(&bench.node);
    }
    for (uint32_t left = ln_get_u32(data + 8); left > 0;) {
        const uint32_t piece = left < sizeof wire ? left : (uint32_t)sizeof wire;
        if (!bench.port->read(BENCH_WIRE, wire, piece)) {
            return false;
        }
        ln_node_receive(&bench.node, wire, piece, bench.now_ns);
        left -= piece;
    }
    ln_node_step(&bench.node);
    bench.frames = 0;
    return true;
}

static bool converted(uint32_t length)
{
    uint8_t data[17];
    if (length < sizeof data || !take(data, sizeof data)) {
        return false;
    }
    const uint32_t channels = bench.node.capture.channels;
    const uint32_t number = ln_get_u32(data);
    const uint64_t start_ns = ln_get_u64(data + 4);
    const bool shared = (data[16] & SHARED) != 0;
    uint32_t left = ln_get_u32(data + 12);
    if (channels == 0 || length - sizeof data != (shared ? 0 : (size_t)2 * channels * left) ||
        (shared && bench.port->shared_samples == NULL)) {
        return false;
    }
    const int16_t *from = bench.port->shared_samples;
    while (left > 0) {
        const uint32_t most = BLOCK_COUNTS / channels;
        const uint32_t samples = left < most ? left : most;
        if (!shared) {
            /* The bench is little-endian, as is every machine that a port of it runs on. */
            if (!take((uint8_t *)bench.block, 2 * samples * channels)) {
                return false;
            }
            from = bench.block;
        }
        ln_node_converted(&bench.node, number, start_ns, from, samples, (data[16] & SATURATED) != 0);
        from += shared ? (size_t)samples * channels : 0;
        left -= samples;
    }
    return true;
}

static bool edge(uint32_t length)
{
    uint8_t data[8];
    if (length != sizeof data || !take(data, sizeof data)) {
        return false;
    }
    ln_node_edge(&bench.node, ln_get_u64(data));
    return true;
}

static void done(void)
{
    uint8_t data[13];
    ln_put_u64(data, bench.booted ? ln_node_next_ns(&bench.node) : UINT64_MAX);
    ln_put_u32(data + 8, bench.wire_bytes);
    data[12] = bench.frames_sent;
    bench.wire_bytes = 0;
    bench.frames_sent = 0;
    say('D', data, sizeof data);
}

void bench_serve(const bench_port *port)
{
    uint8_t kind;
    uint32_t length;
    memset(&bench, 0, sizeof bench);
    bench.port = port;
    while (hear(&kind, &length)) {
        bool understood = false;
        if (kind == 'B') {
            understood = boot(length);
        } else if (bench.booted) {
            understood = kind == 'A' ? advance(length)
                       : kind == 'C' ? converted(length)
                       : kind == 'E' ? edge(length)
                                     : false;
        }
        if (!understood) {
            return; /* the simulator sees the end of the stream */
        }
        done();
    }
}
