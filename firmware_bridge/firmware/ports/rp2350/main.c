/* A node on a Raspberry Pi Pico 2: four analogue microphones on the chip's own converter, a horn, a lamp.
 *
 * The converter takes its inputs in turn, 2 us apart: the node does not claim SIMULTANEOUS. A board for real work has a
 * converter of its own; this one shows all that a port needs. */
#include "chip.h"
#include "node.h"

enum {
    BAUD = 921600,
    LONGEST_BURST = 16384,
    BLOCK = 512,  /* samples a channel, handed to the core at a time */
    MIDDLE = 2048, /* a microphone's signal stands at half the supply */
    HIGHEST = 4095,
    HORN_PIN = 22,
    LAMP_PIN = 25,
    TICK_HZ = 100
};

static ln_node node;
static uint16_t converted[LONGEST_BURST * CHIP_INPUTS];
static int16_t bursts[LONGEST_BURST * CHIP_INPUTS];
static ln_conversion order;
static uint32_t delivered; /* samples of the order */

static uint64_t now_ns(void *context)
{
    (void)context;
    return chip_now_ns();
}

static bool ready(void *context)
{
    (void)context;
    return chip_uart_ready();
}

static void transmit(void *context, const uint8_t *frame, size_t length)
{
    (void)context;
    chip_uart_send(frame, length);
}

static void read_slow(void *context, int32_t *counts)
{
    (void)context;
    (void)counts; /* this board has none; a barometer goes here */
}

static void convert(void *context, const ln_conversion *asked)
{
    (void)context;
    order = *asked;
    order.from_ns = chip_now_ns();
    delivered = 0;
    chip_convert(converted, order.samples);
}

static void deliver(void)
{
    static int16_t block[BLOCK * CHIP_INPUTS];
    const uint32_t there = order.samples == 0 ? 0 : chip_converted() / CHIP_INPUTS;
    while (delivered < order.samples && (there - delivered >= BLOCK || there == order.samples)) {
        const uint32_t left = there - delivered;
        const uint32_t samples = left < BLOCK ? left : BLOCK;
        bool saturated = false;
        for (uint32_t i = 0; i < samples * CHIP_INPUTS; i++) {
            const uint16_t count = converted[delivered * CHIP_INPUTS + i] & HIGHEST;
            saturated = saturated || count == 0 || count == HIGHEST;
            block[i] = (int16_t)((int32_t)count - MIDDLE);
        }
        delivered += samples;
        ln_node_converted(&node, order.number, order.from_ns, block, samples, saturated);
    }
}

static void siren(void *context, uint8_t pattern)
{
    (void)context;
    (void)pattern; /* its horn follows the tick */
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
    chip_output(LAMP_PIN, on);
}

static void board_state(void *context, float *temperature_k, float *supply_v)
{
    (void)context;
    *temperature_k = 0.0f; /* not measured */
    *supply_v = 0.0f;
}

static void feed_watchdog(void *context)
{
    (void)context;
    chip_feed_watchdog();
}

static const ln_hal HAL = {NULL,  now_ns, ready, transmit,    read_slow,    convert,
                           siren, relay,  lamp,  board_state, feed_watchdog};

void siren_tick(void);
void node_main(void);

void siren_tick(void)
{
    chip_output(HORN_PIN, ln_siren_tick(&node.siren, chip_now_ns()));
}

static void start_tick(void)
{
    *(volatile uint32_t *)0xE000E014u = CHIP_HZ / TICK_HZ - 1;
    *(volatile uint32_t *)0xE000E018u = 0;
    *(volatile uint32_t *)0xE000E010u = 7; /* the core's clock, its exception, on */
}

void node_main(void)
{
    ln_board board = {.min_version = LN_PROTOCOL_VERSION, .max_version = LN_PROTOCOL_VERSION};
    chip_init(BAUD);
    board.uid = chip_uid();
    board.features = LN_FEATURE_BURSTS | LN_FEATURE_SIREN | LN_FEATURE_LEVELS;
    board.burst_rate_hz = CHIP_INPUT_RATE_HZ;
    board.longest_burst = LONGEST_BURST;
    board.channels = CHIP_INPUTS;
    for (size_t i = 0; i < CHIP_INPUTS; i++) {
        board.channel[i] = (ln_channel){LN_ULTRASOUND, 0.001, 0.0}; /* Pa a count: set it for the microphone */
    }
    board.bands = 2;
    board.band_hz[0] = 20e3f;
    board.band_hz[1] = board.band_hz[2] = 40e3f;
    board.band_hz[3] = 60e3f;
    ln_node_start(&node, &board, &HAL, bursts, sizeof bursts / sizeof *bursts, chip_boot_id(), chip_reset_cause());
    start_tick();
    for (;;) {
        uint8_t byte;
        while (chip_uart_take(&byte)) {
            ln_node_receive(&node, &byte, 1, chip_now_ns());
        }
        deliver();
        ln_node_step(&node);
    }
}
