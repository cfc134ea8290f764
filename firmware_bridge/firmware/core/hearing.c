#include "codec.h"
#include "node_parts.h"

static void acknowledge(ln_node *node, const ln_ack *ack)
{
    ln_message message = {.kind = LN_ACK};
    message.as.ack = *ack;
    (void)ln_outbox_answer(&node->outbox, &message, ln_now(node));
}

static bool has_output(const ln_board *board, uint8_t output)
{
    for (size_t i = 0; i < board->outputs; i++) {
        if (board->output[i] == output) {
            return true;
        }
    }
    return false;
}

static uint8_t carry_out(ln_node *node, const ln_message *command, uint64_t at_ns, const char **why)
{
    const ln_hal *hal = node->hal;
    const uint16_t features = node->board.features;
    *why = "";
    switch (command->kind) {
    case LN_START:
        ln_streams_start(&node->streams, command->as.sample_period_ms, at_ns);
        return LN_DONE;
    case LN_STOP:
        ln_streams_stop(&node->streams);
        (void)ln_levels_ask(&node->levels, 0, at_ns);
        ln_siren_rest(&node->siren);
        return LN_DONE;
    case LN_CAPTURE:
        return ln_capture_arm(&node->capture, &command->as.capture, at_ns, why);
    case LN_SIREN:
        if ((features & LN_FEATURE_SIREN) == 0) {
            break;
        }
        ln_siren_play(&node->siren, command->as.pattern, at_ns);
        hal->siren(hal->context, command->as.pattern);
        return LN_DONE;
    case LN_IDENTIFY:
        node->lamp_next_ns = at_ns;
        node->lamp_until_ns = at_ns + command->as.identify_s * LN_NS_PER_S;
        return LN_DONE;
    case LN_SWITCH:
        if ((features & LN_FEATURE_SWITCH) == 0 || !has_output(&node->board, command->as.output.output)) {
            break;
        }
        hal->relay(hal->context, command->as.output.output, command->as.output.on);
        return LN_DONE;
    case LN_LEVELS:
        if ((features & LN_FEATURE_LEVELS) == 0 ||
            !ln_levels_ask(&node->levels, command->as.levels_period_ms, at_ns)) {
            break;
        }
        return LN_DONE;
    default:
        break;
    }
    *why = "this board cannot do that";
    return LN_REFUSED;
}

static void obey(ln_node *node, const ln_header *header, const ln_message *command, uint64_t at_ns)
{
    ln_message answer;
    ln_siren_heard(&node->siren, at_ns);
    if (command->kind == LN_HELLO) {
        node->has_last = false; /* a host that was started anew counts anew */
        answer.kind = LN_HELLO_ACK;
        (void)ln_outbox_answer(&node->outbox, &answer, ln_now(node));
        return;
    }
    if (command->kind == LN_PING) {
        answer.kind = LN_PONG;
        answer.as.pong.ping_id = command->as.ping_id;
        answer.as.pong.received_ns = at_ns;
        (void)ln_outbox_answer(&node->outbox, &answer, at_ns);
        return;
    }
    if (!node->has_last || node->last.command_kind != header->kind ||
        node->last.command_sequence != header->sequence) {
        const char *why;
        node->last.command_kind = header->kind;
        node->last.command_sequence = header->sequence;
        node->last.result = carry_out(node, command, at_ns, &why);
        node->last.text = ln_constant_text(why);
        node->has_last = true;
    }
    acknowledge(node, &node->last); /* once more, not done once more, if it came again */
}

static void hear(ln_node *node, const ln_packet *packet, uint64_t at_ns)
{
    const ln_header *header = &packet->header;
    const bool ours = header->version >= node->board.min_version && header->version <= node->board.max_version;
    ln_message command;
    if (header->kind < LN_FIRST_COMMAND) {
        return; /* an echo of ours on a line that echoes */
    }
    if (!ln_decode(packet, &command)) {
        node->bad_frames++;
        if (ours) {
            const ln_ack unknown = {header->kind, LN_UNKNOWN, header->sequence, ln_constant_text("not in this version")};
            acknowledge(node, &unknown);
        }
    } else if (ours || header->kind == LN_HELLO) {
        obey(node, header, &command, at_ns);
        ln_node_watch(node, at_ns);
    } else {
        node->bad_frames++;
    }
}

void ln_node_receive(ln_node *node, const uint8_t *data, size_t length, uint64_t at_ns)
{
    for (size_t i = 0; i < length; i++) {
        ln_packet packet;
        uint32_t piece_length;
        const ln_found found = ln_deframer_take(&node->deframer, data[i], &packet, &piece_length);
        if (found == LN_PACKET) {
            hear(node, &packet, at_ns);
        } else if (found != LN_NOTHING) {
            node->bad_frames++;
        }
    }
}
