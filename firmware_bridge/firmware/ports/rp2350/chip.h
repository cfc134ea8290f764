/* The RP2350 as the node uses it: clocks, one UART with DMA, the converter with DMA, pins, timer, watchdog.
 *
 * Register layouts are those of the RP2350 datasheet. This was never run: see README.md. */
#ifndef LN_RP2350_CHIP_H
#define LN_RP2350_CHIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CHIP_HZ = 150000000,
    CHIP_INPUTS = 4,           /* ADC 0 to 3 on GPIO 26 to 29, taken in turn */
    CHIP_INPUT_RATE_HZ = 125000 /* a quarter of the converter's 500 kS/s */
};

/* Everything to its working state. */
void chip_init(uint32_t baud);

/* Microseconds since the reset, in ns; 64 bits that do not wrap. */
uint64_t chip_now_ns(void);

/* Of this chip, for life. */
uint64_t chip_uid(void);

/* Why the chip was reset, in the numbers of STATUS. */
uint8_t chip_reset_cause(void);

/* A number that the last start did not have: counted in a register that outlives resets; after power-up it is drawn. */
uint8_t chip_boot_id(void);

/* UART 0 on GPIO 0 and 1. */
bool chip_uart_ready(void);
void chip_uart_send(const uint8_t *data, size_t length); /* by DMA: `data` stays until ready */
bool chip_uart_take(uint8_t *byte);

/* Convert all inputs `samples` times into `counts`, from now on; and how many counts are there by now. */
void chip_convert(uint16_t *counts, uint32_t samples);
uint32_t chip_converted(void);

/* A pin as an output, and its level. */
void chip_output(unsigned pin, bool on);

void chip_feed_watchdog(void);

#endif
