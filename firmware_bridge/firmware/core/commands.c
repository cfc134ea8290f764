/* Payloads of commands, there and back. */
#include "bytes.h"
#include "codec.h"

enum { MIN_LEVELS_PERIOD_MS = 100, MAX_LEVELS_PERIOD_MS = 3600000 };

/* Lengths by kind, from LN_HELLO on: all commands of version 1 are of fixed length. */
static const uint8_t LENGTH[] = {2, 4, 4, 0, 20, 1, 2, 2, 4};

static bool levels_period_is_good(uint32_t period_ms)
{
    return period_ms == 0 || (period_ms >= MIN_LEVELS_PERIOD_MS && period_ms <= MAX_LEVELS_PERIOD_MS);
}

bool ln_decode_command(const ln_packet *packet, ln_message *message)
{
    const uint8_t *at = packet->payload;
    const size_t index = (size_t)message->kind - LN_FIRST_COMMAND;
    if (index >= sizeof LENGTH || packet->payload_length != LENGTH[index]) {
        return false;
    }
    switch (message->kind) {
    case LN_HELLO:
        message->as.hello.min_version = at[0];
        message->as.hello.max_version = at[1];
        return true;
    case LN_PING:
        message->as.ping_id = ln_get_u32(at);
        return true;
    case LN_START:
        message->as.sample_period_ms = ln_get_u32(at);
        return true;
    case LN_STOP:
        return true;
    case LN_CAPTURE:
        message->as.capture.burst_id = ln_get_u32(at);
        message->as.capture.samples = ln_get_u32(at + 4);
        message->as.capture.role = at[8];
        message->as.capture.start_ns = ln_get_u64(at + 12);
        return at[8] <= LN_WAIT_EDGE;
    case LN_SIREN:
        message->as.pattern = at[0];
        return at[0] <= LN_EMERGENCY;
    case LN_IDENTIFY:
        message->as.identify_s = ln_get_u16(at);
        return true;
    case LN_SWITCH:
        message->as.output.output = at[0];
        message->as.output.on = at[1] == 1;
        return at[1] <= 1;
    case LN_LEVELS:
        message->as.levels_period_ms = ln_get_u32(at);
        return levels_period_is_good(message->as.levels_period_ms);
    default:
        return false;
    }
}

size_t ln_encode_command(const ln_message *message, uint8_t *out)
{
    switch (message->kind) {
    case LN_HELLO:
        out[0] = message->as.hello.min_version;
        out[1] = message->as.hello.max_version;
        break;
    case LN_PING:
        ln_put_u32(out, message->as.ping_id);
        break;
    case LN_START:
        ln_put_u32(out, message->as.sample_period_ms);
        break;
    case LN_CAPTURE:
        memset(out, 0, 20);
        ln_put_u32(out, message->as.capture.burst_id);
        ln_put_u32(out + 4, message->as.capture.samples);
        out[8] = message->as.capture.role;
        ln_put_u64(out + 12, message->as.capture.start_ns);
        break;
    case LN_SIREN:
        out[0] = message->as.pattern;
        break;
    case LN_IDENTIFY:
        ln_put_u16(out, message->as.identify_s);
        break;
    case LN_SWITCH:
        out[0] = message->as.output.output;
        out[1] = message->as.output.on ? 1 : 0;
        break;
    case LN_LEVELS:
        ln_put_u32(out, message->as.levels_period_ms);
        break;
    default: /* STOP */
        break;
    }
    const size_t index = (size_t)message->kind - LN_FIRST_COMMAND;
    return index < sizeof LENGTH ? LENGTH[index] : 0;
}
