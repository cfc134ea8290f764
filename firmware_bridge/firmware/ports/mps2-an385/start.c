/* Reset of a Cortex-M3: memory is set up, then main. No interrupt handler is ever entered, see uart.c. */
#include <stdint.h>

#include "mps2.h"

/* Set by memory.ld: only the addresses of these count. */
extern uint32_t data_start, data_end, data_load, bss_start, bss_end, stack_top;

void reset(void);

static void stop(void)
{
    for (;;) {
        __asm volatile("wfi");
    }
}

/* The stack, reset, and the faults; all others stay disabled or masked. */
__attribute__((section(".vectors"), used)) static const struct {
    const uint32_t *stack;     /* cppcheck-suppress unusedStructMember */
    void (*handler[15])(void); /* cppcheck-suppress unusedStructMember */
} VECTORS = {&stack_top, {reset, stop, stop, stop, stop, stop}};

void reset(void)
{
    const uint32_t *from = &data_load;
    for (uintptr_t to = (uintptr_t)&data_start; to != (uintptr_t)&data_end; to += sizeof *from) {
        *(uint32_t *)to = *from++;
    }
    for (uintptr_t to = (uintptr_t)&bss_start; to != (uintptr_t)&bss_end; to += sizeof *from) {
        *(uint32_t *)to = 0;
    }
    node_main();
    stop();
}
