/* CMSDK UARTs 0 and 1 (ARM DDI 0479, APB UART). Reading sleeps until a byte is there. */
#include "mps2.h"

typedef struct {
    volatile uint32_t data, state, control, interrupt, divider;
} registers;

enum {
    TX_FULL = 1, RX_FULL = 2,      /* state */
    TX_ENABLE = 1, RX_ENABLE = 2, RX_INTERRUPT = 8, /* control */
    CLEAR_RX = 2,                  /* interrupt */
    SMALLEST_DIVIDER = 16
};

#define NVIC_ENABLE (*(volatile uint32_t *)0xE000E100u)
#define NVIC_CLEAR_PENDING (*(volatile uint32_t *)0xE000E280u)

static registers *at(mps2_uart uart)
{
    return (registers *)(uart == UART_WIRE ? 0x40004000u : 0x40005000u);
}

static uint32_t rx_interrupt(mps2_uart uart)
{
    return uart == UART_WIRE ? 1u << 0 : 1u << 2;
}

void mps2_uart_init(void)
{
    /* Masked for good: a pending interrupt still ends WFI, and none is ever entered. So a byte that comes between the
     * look at the state and WFI is not slept over. */
    __asm volatile("cpsid i" ::: "memory");
    for (int i = 0; i < 2; i++) {
        registers *uart = at((mps2_uart)i);
        uart->divider = SMALLEST_DIVIDER;
        uart->control = TX_ENABLE | RX_ENABLE | RX_INTERRUPT;
        (void)uart->data; /* what came before is no byte of ours; and this read is what makes QEMU look at its sockets */
        NVIC_ENABLE = rx_interrupt((mps2_uart)i);
    }
}

void mps2_uart_read(mps2_uart uart, uint8_t *data, size_t length)
{
    registers *from = at(uart);
    for (size_t i = 0; i < length; i++) {
        while ((from->state & RX_FULL) == 0) {
            __asm volatile("wfi" ::: "memory");
            /* The other UART's byte may have woken us: it waits in its register, its interrupt is asked for anew. */
            NVIC_CLEAR_PENDING = rx_interrupt(UART_WIRE) | rx_interrupt(UART_BENCH);
            at(UART_WIRE)->interrupt = CLEAR_RX; /* in this order: cleared first, a byte that comes now would be */
            at(UART_BENCH)->interrupt = CLEAR_RX; /* forgotten by the NVIC, with its line high and no edge to follow */
        }
        data[i] = (uint8_t)from->data;
    }
}

void mps2_uart_write(mps2_uart uart, const uint8_t *data, size_t length)
{
    registers *to = at(uart);
    for (size_t i = 0; i < length; i++) {
        while ((to->state & TX_FULL) != 0) {
        }
        to->data = data[i];
    }
}
