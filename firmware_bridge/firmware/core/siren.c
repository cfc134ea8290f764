#include "siren.h"

#define MS UINT64_C(1000000)

enum {
    TICK_LOST_MS = 1000,    /* ten to a hundred ticks: a timer that is late for so long stands still */
    HOST_LOST_MS = 20000    /* twenty pings; longer than a controller takes to start again */
};

/* How long the horn is on and then off, ms, by pattern: the graver, the denser; an emergency never pauses. */
static const struct {
    uint16_t on_ms, off_ms;
} CADENCE[] = {{0, 1000}, {150, 9850}, {400, 2600}, {500, 500}, {1000, 0}};

void ln_siren_init(ln_siren *siren, uint64_t now_ns)
{
    siren->ticks = 0;
    siren->ticks_seen = 0;
    siren->seen_ns = now_ns;
    ln_siren_play(siren, LN_SILENT, now_ns);
    siren->watched = false; /* nobody has made it part of anything yet */
}

static void play(ln_siren *siren, uint8_t pattern, uint64_t now_ns)
{
    siren->pattern = pattern;
    siren->complement = pattern ^ 0xFFu;
    siren->since_ns = now_ns;
}

void ln_siren_play(ln_siren *siren, uint8_t pattern, uint64_t now_ns)
{
    siren->told = pattern;
    siren->told_complement = pattern ^ 0xFFu;
    siren->watched = true;
    siren->heard_ns = now_ns;
    play(siren, pattern, now_ns);
}

void ln_siren_heard(ln_siren *siren, uint64_t now_ns)
{
    siren->heard_ns = now_ns;
}

void ln_siren_rest(ln_siren *siren)
{
    siren->watched = false;
}

static bool intact(const ln_siren *siren)
{
    return siren->pattern <= LN_EMERGENCY && (siren->pattern ^ siren->complement) == 0xFF &&
           siren->told <= LN_EMERGENCY && (siren->told ^ siren->told_complement) == 0xFF;
}

bool ln_siren_watch(ln_siren *siren, uint64_t now_ns)
{
    if (!intact(siren)) {
        return false; /* not repaired: the watchdog starts all anew */
    }
    const bool alone = siren->watched && now_ns >= siren->heard_ns && now_ns - siren->heard_ns >= HOST_LOST_MS * MS;
    const uint8_t due = alone && siren->told < LN_CAUTION ? (uint8_t)LN_CAUTION : siren->told;
    if (due == siren->pattern) {
        return false;
    }
    play(siren, due, now_ns);
    return true;
}

uint64_t ln_siren_next_ns(const ln_siren *siren)
{
    const bool waiting = siren->watched && siren->told < LN_CAUTION && siren->pattern == siren->told;
    return waiting ? siren->heard_ns + HOST_LOST_MS * MS : UINT64_MAX;
}

bool ln_siren_tick(ln_siren *siren, uint64_t now_ns)
{
    siren->ticks++;
    if (!intact(siren)) {
        return false; /* the watchdog is not fed any more: soon all starts anew */
    }
    const uint64_t on_ms = CADENCE[siren->pattern].on_ms;
    const uint64_t since_ms = now_ns < siren->since_ns ? 0 : (now_ns - siren->since_ns) / MS;
    return since_ms % (on_ms + CADENCE[siren->pattern].off_ms) < on_ms;
}

bool ln_siren_alive(ln_siren *siren, uint64_t now_ns)
{
    const uint32_t ticks = siren->ticks;
    if (ticks != siren->ticks_seen || now_ns < siren->seen_ns) { /* a clock that was set back is no dead timer */
        siren->ticks_seen = ticks;
        siren->seen_ns = now_ns;
    }
    return intact(siren) && now_ns - siren->seen_ns < TICK_LOST_MS * MS;
}
