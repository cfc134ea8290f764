#include "node.h"

#include <string.h>

#include "codec.h"
#include "node_parts.h"

#define LAMP_HALF_NS (LN_NS_PER_S / 4) /* two flashes a second */

void ln_node_start(ln_node *node, const ln_board *board, const ln_hal *hal, int16_t *memory, size_t capacity,
                   uint8_t boot_id, uint8_t reset_cause)
{
    memset(node, 0, sizeof *node);
    node->board = *board;
    node->hal = hal;
    node->reset_cause = reset_cause;
    node->started_ns = ln_now(node);
    if (node->board.instants_a_frame == 0) {
        node->board.instants_a_frame = 1;
    }
    ln_capture_init(&node->capture, &node->board, memory, capacity);
    const size_t fitting = node->capture.channels == 0 ? 0 : capacity / node->capture.channels;
    if (node->board.longest_burst > fitting) {
        node->board.longest_burst = node->capture.longest = (uint32_t)fitting; /* no promise that memory cannot keep */
    }
    ln_deframer_init(&node->deframer);
    ln_outbox_init(&node->outbox, node->board.max_version, boot_id);
    ln_streams_init(&node->streams, &node->board);
    ln_levels_init(&node->levels, &node->board, node->capture.channels, node->capture.first_channel);
    ln_siren_init(&node->siren, node->started_ns);
    node->delimit = true;
    node->last_sent_ns = node->started_ns;
    hal->siren(hal->context, LN_SILENT);
}

static void convert(ln_node *node, ln_conversion *conversion)
{
    conversion->number = ++node->conversion;
    node->for_levels = conversion->for_levels;
    if (!conversion->for_levels) {
        ln_levels_skip(&node->levels); /* a burst is worth more than a window */
    }
    node->hal->convert(node->hal->context, conversion);
}

/* ---------------------------------------------------------------------------- what comes from the board */

void ln_node_edge(ln_node *node, uint64_t at_ns)
{
    ln_conversion conversion;
    if (ln_capture_edge(&node->capture, at_ns, &conversion)) {
        convert(node, &conversion);
    }
}

void ln_node_converted(ln_node *node, uint32_t number, uint64_t start_ns, const int16_t *counts, uint32_t samples,
                       bool saturated)
{
    if (number != node->conversion) {
        return; /* of an order that another one has replaced, or from before a reset */
    }
    if (!node->for_levels) {
        ln_capture_take(&node->capture, start_ns, counts, samples, saturated);
        return;
    }
    if (ln_levels_take(&node->levels, start_ns, counts, samples, saturated)) {
        ln_message message = {.kind = LN_BAND_LEVELS};
        uint8_t payload[LN_MAX_PAYLOAD_BYTES];
        uint16_t count;
        ln_levels_tell(&node->levels, &message.as.band_levels, payload + LN_LEVELS_AT);
        const size_t length = ln_encode(&message, payload, &count);
        (void)ln_outbox_stream(&node->outbox, LN_BAND_LEVELS, count,
                               node->levels.saturated ? LN_FLAG_SATURATED : 0, start_ns, payload, length);
    }
}

void ln_node_overrun(ln_node *node)
{
    node->streams.overruns++;
    ln_levels_skip(&node->levels);
    ln_capture_cut(&node->capture);
}

void ln_node_clock_set(ln_node *node, int64_t by_ns)
{
    node->outbox.clock_was_set = true;
    node->started_ns += (uint64_t)by_ns; /* what is a time since something moves along; modulo 2^64 that is right */
    node->siren.since_ns += (uint64_t)by_ns;
    node->siren.heard_ns += (uint64_t)by_ns;
    node->last_sent_ns += (uint64_t)by_ns;
    node->lamp_next_ns += (uint64_t)by_ns;
    node->lamp_until_ns += node->lamp_until_ns == 0 ? 0 : (uint64_t)by_ns;
    ln_streams_skip(&node->streams, ln_now(node));
    node->levels.next_ns = ln_now(node);
}

void ln_node_resume(ln_node *node)
{
    ln_capture_cut(&node->capture);
    ln_levels_skip(&node->levels);
    node->conversion++; /* what is still being converted is nobody's */
    ln_streams_skip(&node->streams, ln_now(node));
}

/* ---------------------------------------------------------------------------- what is due */

static void blink(ln_node *node, uint64_t now_ns)
{
    if (now_ns < node->lamp_next_ns || (node->lamp_until_ns == 0 && !node->lamp_on)) {
        return;
    }
    const bool on = now_ns < node->lamp_until_ns && !node->lamp_on;
    node->lamp_next_ns = now_ns + LAMP_HALF_NS;
    if (now_ns >= node->lamp_until_ns) {
        node->lamp_until_ns = 0;
    }
    if (on != node->lamp_on) {
        node->lamp_on = on;
        node->hal->lamp(node->hal->context, on);
    }
}

void ln_node_watch(ln_node *node, uint64_t now_ns)
{
    if (ln_siren_watch(&node->siren, now_ns)) {
        node->hal->siren(node->hal->context, node->siren.pattern);
    }
}

void ln_node_step(ln_node *node)
{
    const ln_hal *hal = node->hal;
    const uint64_t now_ns = ln_now(node);
    ln_conversion conversion;
    if (ln_capture_begin(&node->capture, now_ns, &conversion)) {
        convert(node, &conversion);
    }
    if (!node->capture.recording && ln_levels_begin(&node->levels, now_ns, &conversion)) {
        convert(node, &conversion);
    }
    if (ln_streams_status_due(&node->streams, now_ns)) {
        ln_message status = {.kind = LN_STATUS};
        const uint64_t up_ns = now_ns < node->started_ns ? 0 : now_ns - node->started_ns;
        status.as.status.uptime_s = (uint32_t)(up_ns / LN_NS_PER_S);
        status.as.status.dropped_frames = node->outbox.dropped_frames;
        status.as.status.bad_frames = node->bad_frames;
        status.as.status.overruns = node->streams.overruns;
        status.as.status.reset_cause = node->reset_cause;
        hal->board_state(hal->context, &status.as.status.temperature_k, &status.as.status.supply_v);
        (void)ln_outbox_answer(&node->outbox, &status, now_ns);
    }
    ln_streams_step(&node->streams, hal, &node->outbox, now_ns);
    blink(node, now_ns);
    ln_node_watch(node, now_ns);
    ln_node_send(node);
    if (ln_siren_alive(&node->siren, now_ns)) {
        hal->feed_watchdog(hal->context);
    }
}

uint64_t ln_node_next_ns(const ln_node *node)
{
    uint64_t next_ns = ln_streams_next_ns(&node->streams);
    const uint64_t capture_ns = ln_capture_next_ns(&node->capture);
    const uint64_t levels_ns = node->capture.recording ? UINT64_MAX : ln_levels_next_ns(&node->levels);
    next_ns = capture_ns < next_ns ? capture_ns : next_ns;
    const uint64_t siren_ns = ln_siren_next_ns(&node->siren);
    next_ns = levels_ns < next_ns ? levels_ns : next_ns;
    next_ns = siren_ns < next_ns ? siren_ns : next_ns;
    if ((node->lamp_until_ns != 0 || node->lamp_on) && node->lamp_next_ns < next_ns) {
        next_ns = node->lamp_next_ns;
    }
    return next_ns;
}
