/* The node on the bench, as a Cortex-M3 image: UART 0 is the wire, UART 1 the bench, samples lie in the PSRAM. */
#include "bench.h"
#include "mps2.h"

enum { BURST_COUNTS = 3 << 18 }; /* 1.5 MB: three bursts of 65,536 samples of four channels */

static int16_t burst_memory[BURST_COUNTS];

static bool read_all(bench_stream stream, uint8_t *data, size_t length)
{
    mps2_uart_read(stream == BENCH_WIRE ? UART_WIRE : UART_BENCH, data, length);
    return true;
}

static bool write_all(bench_stream stream, const uint8_t *data, size_t length)
{
    mps2_uart_write(stream == BENCH_WIRE ? UART_WIRE : UART_BENCH, data, length);
    return true;
}

void node_main(void)
{
    static const bench_port PORT = {read_all, write_all, (const int16_t *)0x21000000u, burst_memory, BURST_COUNTS};
    mps2_uart_init();
    bench_serve(&PORT);
}
