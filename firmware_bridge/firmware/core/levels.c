#include "levels.h"

#include "bytes.h"

void ln_levels_init(ln_levels *levels, const ln_board *board, uint8_t channels, uint8_t first_channel)
{
    memset(levels, 0, sizeof *levels);
    ln_spectrum_init(&levels->spectrum);
    memcpy(levels->band_hz, board->band_hz, sizeof levels->band_hz);
    levels->rate_hz = board->burst_rate_hz;
    levels->bands = board->bands;
    levels->channels = channels;
    levels->first_channel = first_channel;
}

static uint64_t window_ns(const ln_levels *levels)
{
    return LN_LEVEL_SAMPLES * LN_NS_PER_S / levels->rate_hz;
}

bool ln_levels_ask(ln_levels *levels, uint32_t period_ms, uint64_t now_ns)
{
    if (levels->rate_hz == 0 || levels->bands == 0 || levels->channels == 0 ||
        levels->channels > LN_LEVEL_CHANNELS) {
        return false;
    }
    levels->listening = false;
    levels->period_ns = (uint64_t)period_ms * 1000000u;
    if (period_ms != 0 && levels->period_ns < 2 * window_ns(levels)) {
        levels->period_ns = 2 * window_ns(levels); /* as fast as this board can */
    }
    levels->next_ns = now_ns;
    return true;
}

bool ln_levels_begin(ln_levels *levels, uint64_t now_ns, ln_conversion *conversion)
{
    if (now_ns < ln_levels_next_ns(levels)) {
        return false;
    }
    levels->next_ns += levels->period_ns;
    if (levels->next_ns <= now_ns) {
        levels->next_ns = now_ns + levels->period_ns; /* what was missed stays so */
    }
    levels->listening = true;
    levels->saturated = false;
    levels->taken = 0;
    levels->filled = levels->segments = 0;
    memset(levels->sum, 0, sizeof levels->sum);
    memset(conversion, 0, sizeof *conversion);
    conversion->from_ns = now_ns;
    conversion->samples = LN_LEVEL_SAMPLES;
    conversion->for_levels = true;
    return true;
}

void ln_levels_skip(ln_levels *levels)
{
    levels->listening = false;
}

/* A bin reaches half a bin to either side; where an edge cuts it, each side has its share, so that bands that touch add
 * up. What lies beyond half the sample rate is empty. */
static float share(float bin, float low, float high)
{
    const float from = bin - 0.5f > low ? bin - 0.5f : low;
    const float to = bin + 0.5f < high ? bin + 0.5f : high;
    return to > from ? to - from : 0.0f;
}

static void add_segment(ln_levels *levels)
{
    const float bins_a_hz = (float)LN_SEGMENT / (float)levels->rate_hz;
    for (size_t channel = 0; channel < levels->channels; channel++) {
        ln_spectrum_powers(&levels->spectrum, levels->history[channel], levels->powers);
        for (size_t band = 0; band < levels->bands; band++) {
            const float low = levels->band_hz[2 * band] * bins_a_hz;
            const float high = levels->band_hz[2 * band + 1] * bins_a_hz;
            float sum = 0.0f;
            for (size_t bin = 1; bin < LN_BINS; bin++) {
                sum += levels->powers[bin] * share((float)bin, low, high);
            }
            levels->sum[channel][band] += sum;
        }
        memmove(levels->history[channel], levels->history[channel] + LN_SEGMENT / 2,
                sizeof levels->history[channel] / 2);
    }
    levels->filled = LN_SEGMENT / 2;
    levels->segments++;
}

bool ln_levels_take(ln_levels *levels, uint64_t start_ns, const int16_t *counts, uint32_t samples, bool saturated)
{
    if (!levels->listening) {
        return false;
    }
    levels->start_ns = start_ns;
    levels->saturated = levels->saturated || saturated;
    for (uint32_t i = 0; i < samples && levels->taken < LN_LEVEL_SAMPLES; i++, levels->taken++) {
        for (size_t channel = 0; channel < levels->channels; channel++) {
            const int16_t count = counts[(size_t)i * levels->channels + channel];
            levels->saturated = levels->saturated || count == INT16_MAX || count == INT16_MIN;
            levels->history[channel][levels->filled] = count;
        }
        if (++levels->filled == LN_SEGMENT) {
            add_segment(levels);
        }
    }
    levels->listening = levels->taken < LN_LEVEL_SAMPLES;
    return !levels->listening;
}

void ln_levels_tell(const ln_levels *levels, ln_band_levels *report, uint8_t *numbers_out)
{
    uint8_t *at = numbers_out;
    report->window_ns = window_ns(levels);
    report->first_channel = levels->first_channel;
    report->channels = levels->channels;
    report->bands = levels->bands;
    report->edges = at;
    for (size_t i = 0; i < (size_t)2 * levels->bands; i++, at += 4) {
        ln_put_f32(at, levels->band_hz[i]);
    }
    report->levels = at;
    for (size_t channel = 0; channel < levels->channels; channel++) {
        for (size_t band = 0; band < levels->bands; band++, at += 4) {
            ln_put_f32(at, levels->sum[channel][band] / (float)levels->segments);
        }
    }
}

uint64_t ln_levels_next_ns(const ln_levels *levels)
{
    return levels->period_ns == 0 || levels->listening ? UINT64_MAX : levels->next_ns;
}
