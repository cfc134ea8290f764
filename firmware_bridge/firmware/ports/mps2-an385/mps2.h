/* The parts of the board that the node uses. */
#ifndef LN_MPS2_H
#define LN_MPS2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum { UART_WIRE = 0, UART_BENCH = 1 } mps2_uart;

void mps2_uart_init(void);

/* Wait for `length` bytes. */
void mps2_uart_read(mps2_uart uart, uint8_t *data, size_t length);
void mps2_uart_write(mps2_uart uart, const uint8_t *data, size_t length);

void node_main(void);

#endif
