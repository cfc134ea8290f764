/* The siren: which pattern plays, when its horn is on, whether all that keeps it alive is alive, and the host too. */
#ifndef LN_SIREN_H
#define LN_SIREN_H

#include <stdbool.h>
#include <stdint.h>

#include "messages.h"

/* A pattern outlives a lost line; it does not outlive the firmware, so whoever plays it is watched from two sides:
 * the main loop by the tick (a timer interrupt), the tick by the main loop. Only while both move is the hardware
 * watchdog fed. */
typedef struct {
    uint8_t pattern;
    uint8_t complement; /* of the pattern: memory that was damaged is noticed, not obeyed */
    uint64_t since_ns;
    volatile uint32_t ticks; /* written by the interrupt only */
    uint32_t ticks_seen;
    uint64_t seen_ns;
    uint8_t told, told_complement; /* what the host asked for last */
    bool watched;                  /* whether a host that falls silent is an alarm of its own */
    uint64_t heard_ns;
} ln_siren;

void ln_siren_init(ln_siren *siren, uint64_t now_ns);

/* The host asks for another pattern. From here on its silence is watched. */
void ln_siren_play(ln_siren *siren, uint8_t pattern, uint64_t now_ns);

/* The host said something. */
void ln_siren_heard(ln_siren *siren, uint64_t now_ns);

/* The host's silence means nothing any more, until it asks for a pattern again. */
void ln_siren_rest(ln_siren *siren);

/* Play what is due: what the host asked for, or at least a caution where it has been silent; whether that changed. */
bool ln_siren_watch(ln_siren *siren, uint64_t now_ns);

/* When the host's silence would be too long; UINT64_MAX where it would change nothing. */
uint64_t ln_siren_next_ns(const ln_siren *siren);

/* Call every 10 to 100 ms from a timer: whether the horn is to be on now. */
bool ln_siren_tick(ln_siren *siren, uint64_t now_ns);

/* Call from the main loop: whether the watchdog may be fed. */
bool ln_siren_alive(ln_siren *siren, uint64_t now_ns);

#endif
