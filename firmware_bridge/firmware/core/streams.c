#include "streams.h"

#include "bytes.h"
#include "codec.h"

#define OLDEST_NS (600u * LN_NS_PER_S) /* the first instant of a frame may not be older */

void ln_streams_init(ln_streams *streams, const ln_board *board)
{
    memset(streams, 0, sizeof *streams);
    streams->board = board;
    for (size_t i = 0; i < board->channels; i++) {
        streams->width = (uint8_t)(streams->width + (ln_in_bursts(&board->channel[i]) ? 0 : 1));
    }
}

void ln_streams_start(ln_streams *streams, uint32_t period_ms, uint64_t now_ns)
{
    streams->period_ns = (uint64_t)(period_ms == 0 ? 1 : period_ms) * 1000000u;
    if (streams->period_ns > LN_MAX_PERIOD_NS) {
        streams->period_ns = LN_MAX_PERIOD_NS; /* the longest that SAMPLES can say */
    }
    streams->next_sample_ns = streams->next_status_ns = now_ns;
    streams->rows = 0;
}

void ln_streams_stop(ln_streams *streams)
{
    streams->period_ns = 0;
    streams->rows = 0;
}

void ln_streams_skip(ln_streams *streams, uint64_t now_ns)
{
    streams->next_sample_ns = streams->next_status_ns = now_ns;
    streams->rows = 0;
}

static uint16_t rows_a_frame(const ln_streams *streams)
{
    uint64_t rows = streams->board->instants_a_frame;
    const uint64_t fitting = LN_MAX_ROW_COUNTS / streams->width;
    const uint64_t young = OLDEST_NS / streams->period_ns;
    rows = rows < fitting ? rows : fitting;
    rows = rows < young ? rows : young;
    return (uint16_t)(rows > 0 ? rows : 1);
}

/* Channels that are not neighbours go in several frames. */
static void send(ln_streams *streams, ln_outbox *outbox)
{
    uint8_t payload[LN_MAX_PAYLOAD_BYTES];
    const ln_board *board = streams->board;
    size_t column = 0;
    for (size_t first = 0; first < board->channels;) {
        size_t run = 0;
        while (first + run < board->channels && !ln_in_bursts(&board->channel[first + run])) {
            run++;
        }
        if (run == 0) {
            first++;
            continue;
        }
        uint8_t *at = payload + LN_SAMPLES_AT;
        for (size_t row = 0; row < streams->rows; row++) {
            for (size_t i = 0; i < run; i++, at += 4) {
                ln_put_u32(at, (uint32_t)streams->counts[row * streams->width + column + i]);
            }
        }
        ln_message message = {.kind = LN_SAMPLES};
        message.as.samples.first_channel = (uint8_t)first;
        message.as.samples.channels = (uint8_t)run;
        message.as.samples.period_ns = streams->period_ns;
        message.as.samples.instants = streams->rows;
        message.as.samples.counts = payload + LN_SAMPLES_AT;
        uint16_t count;
        const size_t length = ln_encode(&message, payload, &count);
        (void)ln_outbox_stream(outbox, LN_SAMPLES, count, 0, streams->rows_from_ns, payload, length);
        column += run;
        first += run;
    }
    streams->rows = 0;
}

void ln_streams_step(ln_streams *streams, const ln_hal *hal, ln_outbox *outbox, uint64_t now_ns)
{
    if (streams->period_ns == 0 || streams->width == 0 || now_ns < streams->next_sample_ns) {
        return;
    }
    if (now_ns - streams->next_sample_ns >= streams->period_ns) {
        /* Late by an instant or more: what was not sampled then is not invented now. */
        streams->overruns++;
        if (streams->rows > 0) {
            send(streams, outbox);
        }
        streams->next_sample_ns = now_ns;
    }
    if (streams->rows == 0) {
        streams->rows_from_ns = streams->next_sample_ns;
    }
    hal->read_slow(hal->context, streams->counts + (size_t)streams->rows * streams->width);
    streams->rows++;
    streams->next_sample_ns += streams->period_ns;
    if (streams->rows >= rows_a_frame(streams)) {
        send(streams, outbox);
    }
}

bool ln_streams_status_due(ln_streams *streams, uint64_t now_ns)
{
    if (streams->period_ns == 0 || now_ns < streams->next_status_ns) {
        return false;
    }
    streams->next_status_ns = now_ns + LN_NS_PER_S;
    return true;
}

uint64_t ln_streams_next_ns(const ln_streams *streams)
{
    if (streams->period_ns == 0) {
        return UINT64_MAX;
    }
    if (streams->width == 0 || streams->next_status_ns < streams->next_sample_ns) {
        return streams->next_status_ns;
    }
    return streams->next_sample_ns;
}
