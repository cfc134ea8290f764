/* Payloads of reports, there and back. */
#include <float.h>

#include "bytes.h"
#include "codec.h"

enum {
    HELLO_ACK_BYTES = 22,
    CHANNEL_BYTES = 17,
    PONG_BYTES = 20,
    STATUS_BYTES = 25,
    ACK_BYTES = 5
};

static const double MAX_SCALE = 1e9;
static const double MAX_OFFSET = 1e12;

/* Without <math.h>: NaN fails every comparison, infinity this one. */
static bool finite32(float value)
{
    return value >= -FLT_MAX && value <= FLT_MAX;
}

static bool channel_is_good(const ln_channel *channel)
{
    const double scale = channel->scale < 0.0 ? -channel->scale : channel->scale;
    return scale > 0.0 && scale <= MAX_SCALE && channel->offset >= -MAX_OFFSET && channel->offset <= MAX_OFFSET;
}

static bool decode_hello_ack(const ln_packet *packet, ln_hello_ack *report)
{
    const uint8_t *at = packet->payload;
    if (packet->payload_length < HELLO_ACK_BYTES || at[20] > LN_MAX_CHANNELS || at[21] > LN_MAX_TEXT_BYTES) {
        return false;
    }
    report->min_version = at[0];
    report->max_version = at[1];
    report->features = ln_get_u16(at + 2);
    report->uid = ln_get_u64(at + 4);
    report->burst_rate_hz = ln_get_u32(at + 12);
    report->longest_burst = ln_get_u32(at + 16);
    report->channels = at[20];
    report->firmware.length = at[21];
    const size_t text_at = HELLO_ACK_BYTES + (size_t)CHANNEL_BYTES * at[20];
    if (packet->payload_length != text_at + at[21]) {
        return false;
    }
    report->firmware.bytes = at + text_at;
    for (size_t i = 0; i < report->channels; i++) {
        const uint8_t *row = at + HELLO_ACK_BYTES + CHANNEL_BYTES * i;
        ln_channel *channel = &report->channel[i];
        /* A newer node may measure what has no name yet; it is still able to say who it is. */
        channel->quantity = row[0] <= LN_LAST_QUANTITY ? row[0] : 0;
        channel->scale = ln_get_f64(row + 1);
        channel->offset = ln_get_f64(row + 9);
        if (!channel_is_good(channel)) {
            return false;
        }
    }
    return true;
}

static size_t encode_hello_ack(const ln_hello_ack *report, uint8_t *out)
{
    out[0] = report->min_version;
    out[1] = report->max_version;
    ln_put_u16(out + 2, report->features);
    ln_put_u64(out + 4, report->uid);
    ln_put_u32(out + 12, report->burst_rate_hz);
    ln_put_u32(out + 16, report->longest_burst);
    out[20] = report->channels;
    out[21] = report->firmware.length;
    uint8_t *at = out + HELLO_ACK_BYTES;
    for (size_t i = 0; i < report->channels; i++, at += CHANNEL_BYTES) {
        at[0] = report->channel[i].quantity;
        ln_put_f64(at + 1, report->channel[i].scale);
        ln_put_f64(at + 9, report->channel[i].offset);
    }
    memcpy(at, report->firmware.bytes, report->firmware.length);
    return (size_t)(at - out) + report->firmware.length;
}

static bool decode_samples(const ln_packet *packet, ln_samples *report)
{
    const uint8_t *at = packet->payload;
    if (packet->payload_length < LN_SAMPLES_AT) {
        return false;
    }
    report->first_channel = at[0];
    report->channels = at[1];
    report->period_ns = ln_get_u64(at + 4);
    report->instants = packet->header.count;
    report->counts = at + LN_SAMPLES_AT;
    return report->channels >= 1 && report->channels <= LN_MAX_CHANNELS && report->period_ns >= 1 &&
           report->period_ns <= LN_MAX_PERIOD_NS &&
           packet->payload_length == LN_SAMPLES_AT + (size_t)4 * report->channels * report->instants;
}

static bool decode_burst_piece(const ln_packet *packet, ln_burst_piece *report)
{
    const uint8_t *at = packet->payload;
    if (packet->payload_length < LN_BURST_AT) {
        return false;
    }
    report->burst_id = ln_get_u32(at);
    report->offset = ln_get_u32(at + 4);
    report->total = ln_get_u32(at + 8);
    report->rate_hz = ln_get_u32(at + 12);
    report->first_channel = at[16];
    report->channels = at[17];
    report->samples = packet->header.count;
    report->counts = at + LN_BURST_AT;
    return report->channels >= 1 && report->channels <= LN_MAX_CHANNELS && report->samples > 0 &&
           report->rate_hz > 0 && (uint64_t)report->offset + report->samples <= report->total &&
           packet->payload_length == LN_BURST_AT + (size_t)2 * report->channels * report->samples;
}

static bool decode_band_levels(const ln_packet *packet, ln_band_levels *report)
{
    const uint8_t *at = packet->payload;
    if (packet->payload_length < LN_LEVELS_AT) {
        return false;
    }
    report->window_ns = ln_get_u64(at);
    report->first_channel = at[8];
    report->channels = at[9];
    report->bands = at[10];
    if (report->window_ns < 1 || report->window_ns > LN_MAX_PERIOD_NS || report->channels < 1 ||
        report->channels > LN_MAX_CHANNELS || report->bands < 1 || report->bands > LN_MAX_BANDS) {
        return false;
    }
    report->edges = at + LN_LEVELS_AT;
    report->levels = report->edges + (size_t)8 * report->bands;
    const size_t floats = (size_t)2 * report->bands + (size_t)report->channels * report->bands;
    if (packet->payload_length != LN_LEVELS_AT + 4 * floats) {
        return false;
    }
    for (size_t i = 0; i < floats; i++) {
        const float value = ln_get_f32(report->edges + 4 * i);
        if (!finite32(value) || value < 0.0f) {
            return false;
        }
    }
    for (size_t i = 0; i < report->bands; i++) {
        if (!(ln_get_f32(report->edges + 8 * i) < ln_get_f32(report->edges + 8 * i + 4))) {
            return false;
        }
    }
    return true;
}

bool ln_decode_report(const ln_packet *packet, ln_message *message)
{
    const uint8_t *at = packet->payload;
    const size_t length = packet->payload_length;
    switch (message->kind) {
    case LN_HELLO_ACK:
        return decode_hello_ack(packet, &message->as.hello_ack);
    case LN_PONG:
        if (length != PONG_BYTES) {
            return false;
        }
        message->as.pong.ping_id = ln_get_u32(at);
        message->as.pong.received_ns = ln_get_u64(at + 4);
        message->as.pong.sent_ns = ln_get_u64(at + 12);
        return true;
    case LN_STATUS:
        if (length != STATUS_BYTES) {
            return false;
        }
        message->as.status.uptime_s = ln_get_u32(at);
        message->as.status.dropped_frames = ln_get_u32(at + 4);
        message->as.status.bad_frames = ln_get_u32(at + 8);
        message->as.status.overruns = ln_get_u32(at + 12);
        message->as.status.reset_cause = at[16];
        message->as.status.temperature_k = ln_get_f32(at + 17);
        message->as.status.supply_v = ln_get_f32(at + 21);
        return finite32(message->as.status.temperature_k) && finite32(message->as.status.supply_v);
    case LN_SAMPLES:
        return decode_samples(packet, &message->as.samples);
    case LN_BURST_PIECE:
        return decode_burst_piece(packet, &message->as.burst_piece);
    case LN_ACK:
        if (length < ACK_BYTES || at[4] > LN_MAX_TEXT_BYTES || length != (size_t)ACK_BYTES + at[4]) {
            return false;
        }
        message->as.ack.command_kind = at[0];
        message->as.ack.result = at[1];
        message->as.ack.command_sequence = ln_get_u16(at + 2);
        message->as.ack.text.length = at[4];
        message->as.ack.text.bytes = at + ACK_BYTES;
        return at[1] <= LN_TOO_LATE;
    case LN_BAND_LEVELS:
        return decode_band_levels(packet, &message->as.band_levels);
    default:
        return false;
    }
}

/* Streams are moved, not copied: a node lays their numbers down where they belong beforehand. */
static size_t encode_samples(const ln_samples *report, uint8_t *out)
{
    const size_t bytes = (size_t)4 * report->channels * report->instants;
    out[0] = report->first_channel;
    out[1] = report->channels;
    ln_put_u16(out + 2, 0);
    ln_put_u64(out + 4, report->period_ns);
    memmove(out + LN_SAMPLES_AT, report->counts, bytes);
    return LN_SAMPLES_AT + bytes;
}

static size_t encode_burst_piece(const ln_burst_piece *report, uint8_t *out)
{
    const size_t bytes = (size_t)2 * report->channels * report->samples;
    ln_put_u32(out, report->burst_id);
    ln_put_u32(out + 4, report->offset);
    ln_put_u32(out + 8, report->total);
    ln_put_u32(out + 12, report->rate_hz);
    out[16] = report->first_channel;
    out[17] = report->channels;
    ln_put_u16(out + 18, 0);
    memmove(out + LN_BURST_AT, report->counts, bytes);
    return LN_BURST_AT + bytes;
}

static size_t encode_band_levels(const ln_band_levels *report, uint8_t *out)
{
    const size_t edges = (size_t)8 * report->bands;
    const size_t levels = (size_t)4 * report->channels * report->bands;
    ln_put_u64(out, report->window_ns);
    out[8] = report->first_channel;
    out[9] = report->channels;
    out[10] = report->bands;
    out[11] = 0;
    memmove(out + LN_LEVELS_AT, report->edges, edges);
    memmove(out + LN_LEVELS_AT + edges, report->levels, levels);
    return LN_LEVELS_AT + edges + levels;
}

size_t ln_encode_report(const ln_message *message, uint8_t *out, uint16_t *count)
{
    switch (message->kind) {
    case LN_HELLO_ACK:
        return encode_hello_ack(&message->as.hello_ack, out);
    case LN_PONG:
        ln_put_u32(out, message->as.pong.ping_id);
        ln_put_u64(out + 4, message->as.pong.received_ns);
        ln_put_u64(out + 12, message->as.pong.sent_ns);
        return PONG_BYTES;
    case LN_STATUS:
        ln_put_u32(out, message->as.status.uptime_s);
        ln_put_u32(out + 4, message->as.status.dropped_frames);
        ln_put_u32(out + 8, message->as.status.bad_frames);
        ln_put_u32(out + 12, message->as.status.overruns);
        out[16] = message->as.status.reset_cause;
        ln_put_f32(out + 17, message->as.status.temperature_k);
        ln_put_f32(out + 21, message->as.status.supply_v);
        return STATUS_BYTES;
    case LN_SAMPLES:
        *count = message->as.samples.instants;
        return encode_samples(&message->as.samples, out);
    case LN_BURST_PIECE:
        *count = message->as.burst_piece.samples;
        return encode_burst_piece(&message->as.burst_piece, out);
    case LN_ACK:
        out[0] = message->as.ack.command_kind;
        out[1] = message->as.ack.result;
        ln_put_u16(out + 2, message->as.ack.command_sequence);
        out[4] = message->as.ack.text.length;
        memcpy(out + ACK_BYTES, message->as.ack.text.bytes, message->as.ack.text.length);
        return ACK_BYTES + (size_t)message->as.ack.text.length;
    case LN_BAND_LEVELS:
        return encode_band_levels(&message->as.band_levels, out);
    default:
        return 0;
    }
}
