/* What a node sends unasked once it was started: its slow channels, and when its STATUS is due. */
#ifndef LN_STREAMS_H
#define LN_STREAMS_H

#include "board.h"
#include "codec.h"
#include "outbox.h"

enum { LN_MAX_ROW_COUNTS = (LN_MAX_PAYLOAD_BYTES - LN_SAMPLES_AT) / 4 };

typedef struct {
    const ln_board *board;
    uint64_t period_ns; /* 0: not started */
    uint64_t next_sample_ns, next_status_ns;
    uint64_t rows_from_ns;
    uint16_t rows;
    uint8_t width; /* slow channels */
    int32_t counts[LN_MAX_ROW_COUNTS];
    uint32_t overruns;
} ln_streams;

void ln_streams_init(ln_streams *streams, const ln_board *board);
void ln_streams_start(ln_streams *streams, uint32_t period_ms, uint64_t now_ns);
void ln_streams_stop(ln_streams *streams);

/* The node was kept from its work, or its clock was set: go on from now. */
void ln_streams_skip(ln_streams *streams, uint64_t now_ns);

/* Sample what is due, and queue the frames that are full. */
void ln_streams_step(ln_streams *streams, const ln_hal *hal, ln_outbox *outbox, uint64_t now_ns);

/* Whether a STATUS is due; the next one is a second later. */
bool ln_streams_status_due(ln_streams *streams, uint64_t now_ns);

/* When there is something to do, UINT64_MAX for never. */
uint64_t ln_streams_next_ns(const ln_streams *streams);

#endif
