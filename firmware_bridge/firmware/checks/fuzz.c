/* Random damage for the whole receiving side, under sanitizers: the deframer and codec, and a node that obeys what gets
 * through. With clang it is a libFuzzer target; with FUZZ_ALONE it has a main of its own:
 *
 *     fuzz MEGABYTES SEED CORPUS      CORPUS is frames as they travel, one behind the other
 */
#include "bytes.h"
#include "codec.h"
#include "filter.h"
#include "node.h"

enum { OUT_BYTES = 1 << 20, MEMORY_COUNTS = 40000, MOST = 8192 };

static struct {
    ln_node node;
    uint64_t now_ns;
    uint32_t random;
    ln_conversion order;
    size_t sent_bytes;
    uint32_t stuck; /* the line takes nothing for so many steps: only so does memory fill up */
} fuzzed;

static uint32_t drawn(uint32_t below)
{
    fuzzed.random = fuzzed.random * 1664525u + 1013904223u;
    return below == 0 ? 0 : (uint32_t)((uint64_t)(fuzzed.random >> 4) * below >> 28);
}

static uint64_t now_ns(void *context)
{
    (void)context;
    return fuzzed.now_ns;
}

static bool ready(void *context)
{
    (void)context;
    return fuzzed.stuck == 0 && drawn(4) != 0;
}

static void transmit(void *context, const uint8_t *frame, size_t length)
{
    (void)context;
    fuzzed.sent_bytes += length;
    for (size_t i = 0; i < length; i++) {
        fuzzed.random ^= frame[i]; /* so that every byte is read, and an unwritten one is found */
    }
}

static void read_slow(void *context, int32_t *counts)
{
    (void)context;
    for (size_t i = 0; i < fuzzed.node.streams.width; i++) {
        counts[i] = (int32_t)drawn(1u << 28);
    }
}

static void convert(void *context, const ln_conversion *order)
{
    (void)context;
    fuzzed.order = *order;
}

static void told(void *context, uint8_t what)
{
    (void)context;
    (void)what;
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
    *temperature_k = 300.0f;
    *supply_v = 5.0f;
}

static void feed(void *context)
{
    (void)context;
}

static const ln_hal HAL = {NULL, now_ns, ready, transmit, read_slow, convert, told, relay, lamp, board_state, feed};

static void start_node(void)
{
    static int16_t memory[MEMORY_COUNTS];
    static const uint8_t QUANTITY[] = {1, 2, LN_ULTRASOUND, LN_ULTRASOUND, LN_ULTRASOUND, 9, 1};
    ln_board board;
    memset(&board, 0, sizeof board);
    board.min_version = board.max_version = LN_PROTOCOL_VERSION;
    board.features = (uint16_t)(drawn(4) == 0 ? drawn(64) : 63);
    board.burst_rate_hz = 192000;
    board.longest_burst = drawn(2) == 0 ? 8192 : 100000;
    board.instants_a_frame = (uint16_t)drawn(300);
    board.channels = sizeof QUANTITY;
    for (size_t i = 0; i < sizeof QUANTITY; i++) {
        board.channel[i] = (ln_channel){QUANTITY[i], 0.5, 0.0};
    }
    board.bands = 2;
    board.band_hz[0] = 1e3f;
    board.band_hz[1] = board.band_hz[2] = 2e4f;
    board.band_hz[3] = 2e5f; /* beyond half the rate */
    board.outputs = 1;
    ln_node_start(&fuzzed.node, &board, &HAL, memory, MEMORY_COUNTS, (uint8_t)drawn(256), 1);
}

static void live(void)
{
    const uint64_t next_ns = ln_node_next_ns(&fuzzed.node);
    fuzzed.now_ns += drawn(3) == 0 && next_ns != UINT64_MAX && next_ns > fuzzed.now_ns
                         ? (next_ns - fuzzed.now_ns) % (UINT64_C(1) << 42)
                         : (uint64_t)drawn(2000) * 1000000u;
    if (fuzzed.order.samples > 0) {
        static int16_t counts[3 * 512];
        const uint32_t samples = 1 + drawn(fuzzed.order.samples < 512 ? fuzzed.order.samples : 512);
        for (size_t i = 0; i < (size_t)3 * samples; i++) {
            counts[i] = (int16_t)((int32_t)drawn(65536) - 32768);
        }
        ln_node_converted(&fuzzed.node, fuzzed.order.number, fuzzed.order.from_ns, counts, samples, false);
        fuzzed.order.samples -= samples;
    }
    fuzzed.stuck = fuzzed.stuck > 0 ? fuzzed.stuck - 1 : drawn(300) == 0 ? drawn(300) : 0;
    switch (drawn(40)) {
    case 0:
        ln_node_edge(&fuzzed.node, fuzzed.now_ns);
        break;
    case 1:
        ln_node_clock_set(&fuzzed.node, (int64_t)drawn(1u << 28) - (1 << 27));
        break;
    case 2:
        ln_node_resume(&fuzzed.node);
        break;
    case 3:
        ln_node_overrun(&fuzzed.node);
        break;
    default:
        break;
    }
    (void)ln_siren_tick(&fuzzed.node.siren, fuzzed.now_ns);
    ln_node_step(&fuzzed.node);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    static uint8_t out[OUT_BYTES];
    static bool started;
    (void)checks_filter(data, length < MOST ? length : MOST, out, sizeof out);
    if (!started || drawn(2000) == 0) {
        fuzzed.now_ns += LN_NS_PER_S;
        start_node();
        started = true;
    }
    for (size_t at = 0; at < length;) {
        const size_t piece = 1 + drawn((uint32_t)(length - at));
        ln_node_receive(&fuzzed.node, data + at, piece < length - at ? piece : length - at, fuzzed.now_ns);
        at += piece;
        live();
    }
    return 0;
}

#ifdef FUZZ_ALONE
#include <stdio.h>
#include <stdlib.h>

/* A frame that is sound but says anything: what lies behind the checksum is reached by it. */
static size_t any_frame(uint8_t *out)
{
    static ln_packet_buffer buffer;
    static const uint16_t LENGTHS[] = {0, 1, 2, 4, 5, 12, 20, 22, 25, 39, 100, 1000, LN_MAX_PAYLOAD_BYTES};
    ln_header header = {.version = (uint8_t)(drawn(8) == 0 ? drawn(8) : 1), .kind = (uint8_t)drawn(32)};
    const size_t length = LENGTHS[drawn(sizeof LENGTHS / sizeof LENGTHS[0])];
    header.count = (uint16_t)drawn(drawn(2) == 0 ? 8 : 65536);
    header.sequence = (uint16_t)drawn(65536);
    for (size_t i = 0; i < length; i++) {
        buffer.bytes[LN_HEADER_BYTES + i] = (uint8_t)(drawn(3) == 0 ? drawn(256) : drawn(4));
    }
    return ln_frame(&header, &buffer, length, out);
}

/* A command that a host might send to this node now: only so are captures begun, recorded, sent, refused. */
static size_t sensible_command(uint8_t *out)
{
    static ln_packet_buffer buffer;
    static uint16_t sequence;
    ln_message message = {.kind = (uint8_t)(drawn(2) == 0 ? LN_CAPTURE : LN_HELLO + drawn(9))};
    ln_header header = {.version = LN_PROTOCOL_VERSION, .kind = message.kind, .sequence = sequence};
    sequence = (uint16_t)(sequence + (drawn(8) == 0 ? 0 : 1)); /* now and then the same again */
    switch (message.kind) {
    case LN_CAPTURE:
        message.as.capture.burst_id = drawn(1000);
        message.as.capture.samples = drawn(drawn(2) == 0 ? 6000 : 1500);
        message.as.capture.role = (uint8_t)drawn(3);
        message.as.capture.start_ns = drawn(3) == 0 ? 0 : fuzzed.now_ns + drawn(3000) * UINT64_C(1000000);
        break;
    case LN_START:
        message.as.sample_period_ms = drawn(2000);
        break;
    case LN_LEVELS:
        message.as.levels_period_ms = drawn(3) == 0 ? 0 : 100 + drawn(1000);
        break;
    case LN_SWITCH:
        message.as.output.output = (uint8_t)drawn(3);
        message.as.output.on = drawn(2) == 0;
        break;
    default:
        message.as.levels_period_ms = drawn(4); /* the others begin with a small number, too */
        break;
    }
    const size_t length = ln_encode(&message, buffer.bytes + LN_HEADER_BYTES, &header.count);
    return ln_frame(&header, &buffer, length, out);
}

static size_t damaged(uint8_t *data, size_t length)
{
    for (uint32_t times = drawn(4); times > 0 && length > 4 && length < MOST - 4; times--) {
        const size_t at = drawn((uint32_t)length - 2);
        switch (drawn(4)) {
        case 0:
            data[at] ^= (uint8_t)(1u << drawn(8));
            break;
        case 1:
            data[at] = (uint8_t)drawn(256);
            break;
        case 2:
            memmove(data + at, data + at + 1, length - at - 1);
            length--;
            break;
        default:
            memmove(data + at + 1, data + at, length - at);
            length++;
            break;
        }
    }
    return length;
}

int main(int arguments, char **argument)
{
    static uint8_t corpus[1 << 16];
    static uint8_t input[MOST + LN_MAX_FRAME_BYTES];
    if (arguments != 4) {
        (void)fputs("usage: fuzz MEGABYTES SEED CORPUS\n", stderr);
        return 2;
    }
    const uint64_t bytes = strtoull(argument[1], NULL, 10) * 1000000u;
    fuzzed.random = (uint32_t)strtoul(argument[2], NULL, 10);
    FILE *file = fopen(argument[3], "rb");
    const size_t size = file == NULL ? 0 : fread(corpus, 1, sizeof corpus, file);
    if (file == NULL || size == 0) {
        (void)fprintf(stderr, "fuzz: nothing in %s\n", argument[3]);
        return 2;
    }
    (void)fclose(file);
    uint64_t done = 0;
    uint64_t inputs = 0;
    for (; done < bytes; inputs++) {
        size_t length;
        if (drawn(3) == 0) {
            length = any_frame(input);
        } else if (drawn(2) == 0) {
            length = sensible_command(input);
        } else {
            const size_t from = drawn((uint32_t)size);
            length = 1 + drawn((uint32_t)(size - from < 600 ? size - from : 600));
            memcpy(input, corpus + from, length);
        }
        length = drawn(2) == 0 ? damaged(input, length) : length;
        (void)LLVMFuzzerTestOneInput(input, length);
        done += length;
    }
    (void)printf("%llu inputs, %llu bytes, %llu bytes answered\n", (unsigned long long)inputs,
                 (unsigned long long)done, (unsigned long long)fuzzed.sent_bytes);
    return 0;
}
#endif
