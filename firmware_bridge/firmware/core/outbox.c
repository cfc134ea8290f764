#include "outbox.h"

#include "bytes.h"

enum { RECORD_BYTES = 16 }; /* before each payload in the ring: length, kind, flags, sequence, count, time */

void ln_outbox_init(ln_outbox *outbox, uint8_t version, uint8_t boot_id)
{
    memset(outbox, 0, sizeof *outbox);
    outbox->version = version;
    outbox->boot_id = boot_id;
}

ln_header ln_outbox_header(ln_outbox *outbox, uint8_t kind, uint8_t flags, uint64_t time_ns)
{
    const uint32_t bit = UINT32_C(1) << (kind % LN_KINDS);
    ln_header header = {.version = outbox->version, .kind = kind, .boot_id = outbox->boot_id, .time_ns = time_ns};
    header.flags = (uint8_t)(flags | ((outbox->overflown & bit) != 0 ? LN_FLAG_OVERFLOW : 0));
    header.sequence = outbox->sequence[kind % LN_KINDS]++;
    outbox->overflown &= ~bit;
    return header;
}

/* It used up its number: the host sees the gap. */
static bool dropped(ln_outbox *outbox, uint8_t kind)
{
    outbox->sequence[kind % LN_KINDS]++;
    outbox->overflown |= UINT32_C(1) << (kind % LN_KINDS);
    outbox->dropped_frames++;
    return false;
}

bool ln_outbox_answer(ln_outbox *outbox, const ln_message *message, uint64_t time_ns)
{
    if (outbox->answers == LN_MAX_ANSWERS) {
        return dropped(outbox, message->kind);
    }
    ln_answer *answer = &outbox->answer[(unsigned)(outbox->first_answer + outbox->answers) % LN_MAX_ANSWERS];
    answer->header = ln_outbox_header(outbox, message->kind, 0, time_ns);
    answer->message = *message;
    outbox->answers++;
    return true;
}

bool ln_outbox_next_answer(ln_outbox *outbox, ln_answer *answer)
{
    if (outbox->answers == 0) {
        return false;
    }
    *answer = outbox->answer[outbox->first_answer];
    outbox->first_answer = (uint8_t)((outbox->first_answer + 1u) % LN_MAX_ANSWERS);
    outbox->answers--;
    return true;
}

static void push(ln_outbox *outbox, const uint8_t *data, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        outbox->stream[(outbox->stream_at + outbox->stream_bytes++) % LN_STREAM_BYTES] = data[i];
    }
}

static void pop(ln_outbox *outbox, uint8_t *data, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        data[i] = outbox->stream[(outbox->stream_at + i) % LN_STREAM_BYTES];
    }
    outbox->stream_at = (outbox->stream_at + length) % LN_STREAM_BYTES;
    outbox->stream_bytes -= length;
}

bool ln_outbox_stream(ln_outbox *outbox, uint8_t kind, uint16_t count, uint8_t flags, uint64_t time_ns,
                      const uint8_t *payload, size_t length)
{
    uint8_t record[RECORD_BYTES];
    if (length > LN_MAX_PAYLOAD_BYTES || outbox->stream_bytes + RECORD_BYTES + length > LN_STREAM_BYTES) {
        return dropped(outbox, kind);
    }
    const ln_header header = ln_outbox_header(outbox, kind, flags, time_ns);
    ln_put_u16(record, (uint16_t)length);
    record[2] = header.kind;
    record[3] = header.flags;
    ln_put_u16(record + 4, header.sequence);
    ln_put_u16(record + 6, count);
    ln_put_u64(record + 8, header.time_ns);
    push(outbox, record, sizeof record);
    push(outbox, payload, length);
    return true;
}

bool ln_outbox_next_stream(ln_outbox *outbox, ln_header *header, uint8_t *payload, size_t *length)
{
    uint8_t record[RECORD_BYTES];
    if (outbox->stream_bytes == 0) {
        return false;
    }
    pop(outbox, record, sizeof record);
    *header = (ln_header){.version = outbox->version, .kind = record[2], .boot_id = outbox->boot_id};
    header->flags = record[3];
    header->sequence = ln_get_u16(record + 4);
    header->count = ln_get_u16(record + 6);
    header->time_ns = ln_get_u64(record + 8);
    *length = ln_get_u16(record);
    pop(outbox, payload, *length);
    return true;
}

uint8_t ln_outbox_step_flag(ln_outbox *outbox)
{
    const bool was_set = outbox->clock_was_set;
    outbox->clock_was_set = false;
    return was_set ? LN_FLAG_TIME_STEP : 0;
}
