/* A node on the simulator's bench: its clock, its sensors and its line are moved by another program, step by step.
 *
 * Two byte streams: the WIRE carries what a UART would (docs/protocol.md), the BENCH what the board's other pins would
 * (messages in bench.c; explained in README.md). Nothing here looks at a real clock, so a run is the same each time. */
#ifndef LN_BENCH_H
#define LN_BENCH_H

#include <stddef.h>
#include <stdint.h>

#include "node.h"

typedef enum { BENCH_WIRE, BENCH_BENCH } bench_stream;

/* What a port gives: whole reads and writes that wait as long as they have to; false at the end of the stream. */
typedef struct {
    bool (*read)(bench_stream stream, uint8_t *data, size_t length);
    bool (*write)(bench_stream stream, const uint8_t *data, size_t length);
    const int16_t *shared_samples; /* memory that the simulator writes samples to; NULL: they come on the bench */
    int16_t *burst_memory;
    size_t burst_counts;
} bench_port;

/* Serve until a stream ends. */
void bench_serve(const bench_port *port);

#endif
