/* Little-endian numbers to and from bytes, one at a time: no alignment, no overlay of structs, any byte order. */
#ifndef LN_BYTES_H
#define LN_BYTES_H

#include <stdint.h>
#include <string.h>

static inline void ln_put_u16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value & 0xFFu);
    at[1] = (uint8_t)(value >> 8);
}

static inline void ln_put_u32(uint8_t *at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++) {
        at[i] = (uint8_t)((value >> (8 * i)) & 0xFFu);
    }
}

static inline void ln_put_u64(uint8_t *at, uint64_t value)
{
    ln_put_u32(at, (uint32_t)(value & 0xFFFFFFFFu));
    ln_put_u32(at + 4, (uint32_t)(value >> 32));
}

static inline uint16_t ln_get_u16(const uint8_t *at)
{
    return (uint16_t)(at[0] | (uint16_t)(at[1] << 8));
}

static inline uint32_t ln_get_u32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static inline uint64_t ln_get_u64(const uint8_t *at)
{
    return (uint64_t)ln_get_u32(at) | (uint64_t)ln_get_u32(at + 4) << 32;
}

/* Floats travel as the bits that IEEE 754 gives them; memcpy is the only way to see those without undefined behaviour. */
static inline void ln_put_f32(uint8_t *at, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    ln_put_u32(at, bits);
}

static inline void ln_put_f64(uint8_t *at, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    ln_put_u64(at, bits);
}

static inline float ln_get_f32(const uint8_t *at)
{
    uint32_t bits = ln_get_u32(at);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline double ln_get_f64(const uint8_t *at)
{
    uint64_t bits = ln_get_u64(at);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

#endif
