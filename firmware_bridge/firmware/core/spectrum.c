#include "spectrum.h"

enum { STAGES = 10 };

/* Taylor's series up to x^13 of an angle up to pi/2: its error is below 1e-9, far below single precision. */
static double series_sine(double x)
{
    const double y = x * x;
    return x * (1.0 - y / 6.0 * (1.0 - y / 20.0 * (1.0 - y / 42.0 * (1.0 - y / 72.0 * (1.0 - y / 110.0 *
           (1.0 - y / 156.0))))));
}

void ln_spectrum_init(ln_spectrum *spectrum)
{
    const double step = 2.0 * 3.14159265358979323846 / LN_SEGMENT;
    const int quarter = LN_SEGMENT / 4;
    for (int i = 0; i < LN_BINS; i++) {
        const int folded = i <= quarter ? i : LN_BINS - i;
        const double sine = series_sine(step * folded);
        const double cosine = series_sine(step * (quarter - folded));
        spectrum->sine[i] = (float)sine;
        spectrum->cosine[i] = (float)(i <= quarter ? cosine : -cosine);
    }
}

static unsigned reversed(unsigned index)
{
    unsigned turned = 0;
    for (int bit = 0; bit < STAGES; bit++) {
        turned = turned << 1 | (index >> bit & 1u);
    }
    return turned;
}

static void transform(ln_spectrum *spectrum)
{
    float *re = spectrum->real;
    float *im = spectrum->imaginary;
    for (size_t half = 1, stride = LN_BINS; half < LN_SEGMENT; half *= 2, stride /= 2) {
        for (size_t block = 0; block < LN_SEGMENT; block += 2 * half) {
            for (size_t i = 0; i < half; i++) {
                const float c = spectrum->cosine[i * stride];
                const float s = spectrum->sine[i * stride];
                const size_t low = block + i;
                const size_t high = low + half;
                const float turned_re = re[high] * c + im[high] * s;
                const float turned_im = im[high] * c - re[high] * s;
                re[high] = re[low] - turned_re;
                im[high] = im[low] - turned_im;
                re[low] += turned_re;
                im[low] += turned_im;
            }
        }
    }
}

void ln_spectrum_powers(ln_spectrum *spectrum, const int16_t *samples, float powers[LN_BINS])
{
    int32_t sum = 0; /* 1024 x 2^15 is 2^25 */
    for (int i = 0; i < LN_SEGMENT; i++) {
        sum += samples[i];
    }
    const float mean = (float)sum / (float)LN_SEGMENT;
    for (unsigned i = 0; i < LN_SEGMENT; i++) {
        const float cosine = i < LN_BINS ? spectrum->cosine[i] : -spectrum->cosine[i - LN_BINS];
        const unsigned to = reversed(i); /* decimation in time: the transform wants its input so */
        spectrum->real[to] = ((float)samples[i] - mean) * (0.5f - 0.5f * cosine);
        spectrum->imaginary[to] = 0.0f;
    }
    transform(spectrum);
    /* By Parseval: one-sided, over the window's own power, whose sum of squares is 3/8 of its length. */
    const float scale = 2.0f / ((float)LN_SEGMENT * 0.375f * (float)LN_SEGMENT);
    for (size_t i = 0; i < LN_BINS; i++) {
        const float re = spectrum->real[i];
        const float im = spectrum->imaginary[i];
        powers[i] = (re * re + im * im) * scale;
    }
    powers[0] = 0.0f; /* what stands still belongs to no band */
}
