/* Reset of the RP2350's first core. */
#include <stdint.h>

#include "chip.h"

/* Set by memory.ld: only the addresses of these count. */
extern uint32_t data_start, data_end, data_load, bss_start, bss_end, stack_top;

void reset(void);
void node_main(void);
void siren_tick(void);

static void stop(void)
{
    for (;;) { /* the watchdog ends it */
    }
}

/* The stack, reset, and the faults; SysTick is the siren's. No interrupt of the chip is used. */
__attribute__((section(".vectors"), used)) static const struct {
    const uint32_t *stack;     /* cppcheck-suppress unusedStructMember */
    void (*handler[67])(void); /* cppcheck-suppress unusedStructMember */
} VECTORS = {&stack_top, {[0] = reset, [1] = stop, [2] = stop, [3] = stop, [4] = stop, [5] = stop, [14] = siren_tick}};

/* What the boot ROM wants to see before it starts an image: Arm, secure, executable (datasheet 5.9.5). */
__attribute__((section(".boot_block"), used)) static const uint32_t BOOT_BLOCK[5] = {
    0xFFFFDED3u, 0x10210142u, 0x000001FFu, 0x00000000u, 0xAB123579u};

void reset(void)
{
    const uint32_t *from = &data_load;
    *(volatile uint32_t *)0xE000ED88u |= 0xFu << 20; /* the floating-point unit, before anything may use it */
    __asm volatile("dsb\n isb" ::: "memory");
    for (uintptr_t to = (uintptr_t)&data_start; to != (uintptr_t)&data_end; to += sizeof *from) {
        *(uint32_t *)to = *from++;
    }
    for (uintptr_t to = (uintptr_t)&bss_start; to != (uintptr_t)&bss_end; to += sizeof *from) {
        *(uint32_t *)to = 0;
    }
    node_main();
    stop();
}
