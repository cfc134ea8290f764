/* Powers of 1024 samples by frequency: a Hann window and a Fourier transform, without <math.h>. */
#ifndef LN_SPECTRUM_H
#define LN_SPECTRUM_H

#include <stddef.h>
#include <stdint.h>

enum { LN_SEGMENT = 1024, LN_BINS = LN_SEGMENT / 2 };

/* Tables and working memory; 12 KB. */
typedef struct {
    float cosine[LN_BINS], sine[LN_BINS]; /* of 2 pi i / LN_SEGMENT */
    float real[LN_SEGMENT], imaginary[LN_SEGMENT];
} ln_spectrum;

void ln_spectrum_init(ln_spectrum *spectrum);

/* The mean square of the samples, their mean removed, by bins of rate / LN_SEGMENT: bin i stands about i of them.
 * A sine of amplitude a gives a^2/2 over the three bins about it. Bin 0 is 0. */
void ln_spectrum_powers(ln_spectrum *spectrum, const int16_t *samples, float powers[LN_BINS]);

#endif
