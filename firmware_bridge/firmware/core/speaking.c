#include <string.h>

#include "codec.h"
#include "node_parts.h"

static const char FIRMWARE[] = "leakloc reference node 1";

ln_text ln_constant_text(const char *words)
{
    const ln_text found = {(uint8_t)strlen(words), (const uint8_t *)words};
    return found;
}

static void introduce(const ln_node *node, ln_hello_ack *report)
{
    report->min_version = node->board.min_version;
    report->max_version = node->board.max_version;
    report->features = node->board.features;
    report->uid = node->board.uid;
    report->burst_rate_hz = node->board.burst_rate_hz;
    report->longest_burst = node->board.longest_burst;
    report->channels = node->board.channels;
    memcpy(report->channel, node->board.channel, sizeof report->channel);
    report->firmware = ln_constant_text(FIRMWARE);
}

/* The next packet to leave: its payload stands in node->packet then. */
static bool next_packet(ln_node *node, ln_header *header, size_t *length)
{
    uint8_t *payload = node->packet.bytes + LN_HEADER_BYTES;
    ln_answer answer;
    if (ln_outbox_next_answer(&node->outbox, &answer)) {
        *header = answer.header;
        if (header->kind == LN_HELLO_ACK) {
            introduce(node, &answer.message.as.hello_ack);
        } else if (header->kind == LN_PONG) {
            header->time_ns = answer.message.as.pong.sent_ns = ln_now(node);
        }
        *length = ln_encode(&answer.message, payload, &header->count);
        return true;
    }
    if (ln_outbox_next_stream(&node->outbox, header, payload, length)) {
        return true;
    }
    ln_message piece = {.kind = LN_BURST_PIECE};
    uint64_t start_ns;
    uint8_t flags;
    if (!ln_capture_piece(&node->capture, &piece.as.burst_piece, payload + LN_BURST_AT, &start_ns, &flags)) {
        return false;
    }
    *header = ln_outbox_header(&node->outbox, LN_BURST_PIECE, flags, start_ns);
    *length = ln_encode(&piece, payload, &header->count);
    return true;
}

void ln_node_send(ln_node *node)
{
    const ln_hal *hal = node->hal;
    while (hal->ready(hal->context)) {
        ln_header header;
        size_t length;
        size_t at = 0;
        const bool found = next_packet(node, &header, &length);
        const uint64_t now_ns = ln_now(node);
        if (!found && !node->delimit) {
            return;
        }
        /* After silence a receiver may have made bytes out of noise: an empty frame ends them. */
        if (node->delimit || now_ns - node->last_sent_ns > LN_NS_PER_S) {
            node->frame[at++] = 0;
            node->delimit = false;
        }
        if (found) {
            header.flags |= ln_outbox_step_flag(&node->outbox);
            at += ln_frame(&header, &node->packet, length, node->frame + at);
        }
        node->last_sent_ns = now_ns;
        hal->transmit(hal->context, node->frame, at);
    }
}
