#include "capture.h"

#include "bytes.h"
#include "framing.h"

enum { PIECE_SAMPLES = 512, PIECE_COUNTS = 2048 }; /* of more than four channels fewer, so that pieces stay as long */

void ln_capture_init(ln_capture *capture, const ln_board *board, int16_t *memory, size_t capacity)
{
    memset(capture, 0, sizeof *capture);
    capture->memory = memory;
    capture->capacity = capacity;
    capture->rate_hz = board->burst_rate_hz;
    capture->longest = board->longest_burst;
    capture->features = board->features;
    for (uint8_t i = board->channels; i > 0; i--) {
        if (ln_in_bursts(&board->channel[i - 1])) {
            capture->first_channel = (uint8_t)(i - 1);
            capture->channels++;
        }
    }
    const uint32_t fitting = capture->channels == 0 ? 0 : (uint32_t)PIECE_COUNTS / capture->channels;
    capture->piece_samples = fitting < PIECE_SAMPLES ? fitting : PIECE_SAMPLES;
}

static ln_burst *newest(ln_capture *capture)
{
    return &capture->burst[(unsigned)(capture->oldest + capture->bursts - 1) % LN_MAX_BURSTS];
}

static size_t counts_of(const ln_capture *capture, uint32_t samples)
{
    return (size_t)samples * capture->channels;
}

static bool place(ln_capture *capture, size_t counts, size_t *at)
{
    if (capture->bursts == 0) {
        *at = 0;
        return counts <= capture->capacity;
    }
    const size_t oldest_at = capture->burst[capture->oldest].at;
    const ln_burst *last = newest(capture);
    const size_t end = last->at + counts_of(capture, last->order.samples);
    if (last->at < oldest_at) { /* wrapped around already */
        *at = end;
        return counts <= oldest_at - end;
    }
    if (counts <= capture->capacity - end) {
        *at = end;
        return true;
    }
    *at = 0;
    return counts <= oldest_at;
}

uint8_t ln_capture_arm(ln_capture *capture, const ln_capture_command *order, uint64_t now_ns, const char **why)
{
    size_t at;
    if ((capture->features & LN_FEATURE_BURSTS) == 0 || capture->channels == 0) {
        *why = "this board cannot do that";
        return LN_REFUSED;
    }
    if (order->samples == 0 || order->samples > capture->longest ||
        counts_of(capture, order->samples) > capture->capacity) {
        *why = "a burst of that length does not fit";
        return LN_REFUSED;
    }
    if (order->role != LN_AT_TIME && (capture->features & LN_FEATURE_TRIGGER_LINE) == 0) {
        *why = "no trigger line on this board";
        return LN_REFUSED;
    }
    if (order->role == LN_WAIT_EDGE && now_ns > order->start_ns) {
        *why = "the edge was due before the command came";
        return LN_TOO_LATE;
    }
    if (capture->armed) {
        *why = "another burst has not begun yet";
        return LN_BUSY;
    }
    if (capture->recording) {
        *why = "another burst is being recorded";
        return LN_BUSY;
    }
    if (capture->bursts == LN_MAX_BURSTS || !place(capture, counts_of(capture, order->samples), &at)) {
        *why = "earlier bursts still fill the memory";
        return LN_BUSY;
    }
    capture->bursts++;
    ln_burst *burst = newest(capture);
    memset(burst, 0, sizeof *burst);
    burst->order = *order;
    burst->armed_at_ns = now_ns;
    burst->at = at;
    capture->armed = true;
    return LN_DONE;
}

static void start(ln_capture *capture, uint64_t from_ns, bool triggered, ln_conversion *conversion)
{
    ln_burst *burst = newest(capture);
    burst->start_ns = from_ns;
    burst->triggered = triggered;
    capture->armed = false;
    capture->recording = true;
    conversion->from_ns = from_ns;
    conversion->samples = burst->order.samples;
    conversion->drives_line = burst->order.role == LN_DRIVE;
    conversion->triggered = triggered;
    conversion->burst_id = burst->order.burst_id;
    conversion->for_levels = false;
}

bool ln_capture_begin(ln_capture *capture, uint64_t now_ns, ln_conversion *conversion)
{
    if (!capture->armed || now_ns < ln_capture_next_ns(capture)) {
        return false;
    }
    const ln_burst *burst = newest(capture);
    if (burst->order.role == LN_WAIT_EDGE) { /* no edge came in time */
        capture->armed = false;
        capture->bursts--;
        return false;
    }
    start(capture, ln_capture_next_ns(capture), burst->order.role == LN_DRIVE, conversion);
    return true;
}

bool ln_capture_edge(ln_capture *capture, uint64_t at_ns, ln_conversion *conversion)
{
    if (!capture->armed || newest(capture)->order.role != LN_WAIT_EDGE || at_ns > newest(capture)->order.start_ns) {
        return false; /* nobody waits, or no longer */
    }
    start(capture, at_ns, true, conversion);
    return true;
}

void ln_capture_take(ln_capture *capture, uint64_t start_ns, const int16_t *counts, uint32_t samples, bool saturated)
{
    if (!capture->recording) {
        return;
    }
    ln_burst *burst = newest(capture);
    const uint32_t wanted = burst->order.samples - burst->recorded;
    const uint32_t taken = samples < wanted ? samples : wanted;
    burst->start_ns = start_ns;
    burst->saturated = burst->saturated || saturated;
    memcpy(capture->memory + burst->at + counts_of(capture, burst->recorded), counts,
           counts_of(capture, taken) * sizeof *counts);
    burst->recorded += taken;
    capture->recording = burst->recorded < burst->order.samples;
}

void ln_capture_cut(ln_capture *capture)
{
    capture->recording = false;
    if (capture->armed) {
        capture->armed = false;
        capture->bursts--;
    }
}

bool ln_capture_piece(ln_capture *capture, ln_burst_piece *piece, uint8_t *counts_out, uint64_t *start_ns,
                      uint8_t *flags)
{
    while (capture->bursts > 0) {
        ln_burst *burst = &capture->burst[capture->oldest];
        const bool open = capture->bursts == 1 && (capture->armed || capture->recording);
        const uint32_t ready = burst->recorded - burst->sent;
        if (ready < capture->piece_samples && open) {
            return false; /* the rest comes later: no smaller pieces meanwhile */
        }
        const uint32_t length = ready < capture->piece_samples ? ready : capture->piece_samples;
        if (length == 0) { /* all is sent: its memory is free */
            capture->oldest = (uint8_t)((capture->oldest + 1u) % LN_MAX_BURSTS);
            capture->bursts--;
            continue;
        }
        *start_ns = burst->start_ns;
        *flags = (uint8_t)((burst->triggered ? LN_FLAG_TRIGGERED : 0) | (burst->saturated ? LN_FLAG_SATURATED : 0));
        piece->burst_id = burst->order.burst_id;
        piece->offset = burst->sent;
        piece->total = burst->order.samples;
        piece->rate_hz = capture->rate_hz;
        piece->first_channel = capture->first_channel;
        piece->channels = capture->channels;
        piece->samples = (uint16_t)length;
        piece->counts = counts_out;
        const int16_t *from = capture->memory + burst->at + counts_of(capture, burst->sent);
        for (size_t channel = 0; channel < capture->channels; channel++) {
            for (size_t i = 0; i < length; i++) {
                const int16_t count = from[i * capture->channels + channel];
                if (count == INT16_MAX || count == INT16_MIN) {
                    *flags |= LN_FLAG_SATURATED;
                }
                ln_put_u16(counts_out + 2 * (channel * length + i), (uint16_t)count);
            }
        }
        burst->sent += length;
        return true;
    }
    return false;
}

uint64_t ln_capture_next_ns(const ln_capture *capture)
{
    if (!capture->armed) {
        return UINT64_MAX;
    }
    const ln_burst *burst = &capture->burst[(unsigned)(capture->oldest + capture->bursts - 1) % LN_MAX_BURSTS];
    if (burst->order.role == LN_WAIT_EDGE) {
        return burst->order.start_ns;
    }
    return burst->order.start_ns > burst->armed_at_ns ? burst->order.start_ns : burst->armed_at_ns;
}
