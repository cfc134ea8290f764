#include "cobs.h"

enum { FULL_RUN = 254 };

size_t ln_cobs_encode(const uint8_t *data, size_t length, uint8_t *out)
{
    size_t code_at = 0; /* where the code of the run under way goes */
    size_t end = 1;
    for (size_t i = 0; i < length; i++) {
        if (data[i] != 0) {
            out[end++] = data[i];
        }
        const size_t run = end - code_at - 1;
        /* A full run that ends the data has nothing behind it, not even an empty run. */
        if (data[i] == 0 || (run == FULL_RUN && i + 1 < length)) {
            out[code_at] = (uint8_t)(run + 1);
            code_at = end++;
        }
    }
    out[code_at] = (uint8_t)(end - code_at);
    return end;
}

bool ln_cobs_decode(uint8_t *data, size_t length, size_t *decoded_length)
{
    size_t from = 0;
    size_t to = 0; /* never overtakes `from`: each run loses its code before it may gain a zero */
    while (from < length) {
        const size_t code = data[from++];
        if (code == 0 || code - 1 > length - from) {
            return false;
        }
        for (size_t i = 1; i < code; i++) {
            if (data[from] == 0) {
                return false;
            }
            data[to++] = data[from++];
        }
        if (code <= FULL_RUN && from < length) {
            data[to++] = 0;
        }
    }
    *decoded_length = to;
    return true;
}
