#include "chip.h"

#define REG(address) (*(volatile uint32_t *)(address))
#define CLR(address) REG((address) + 0x3000u) /* atomic aliases: bits written as 1 are cleared, or set */
#define SET(address) REG((address) + 0x2000u)

enum {
    XOSC_MHZ = 12,
    DMA_TX = 0,
    DMA_ADC = 1,
    DREQ_UART0_TX = 28,
    DREQ_ADC = 48,
    FUNCTION_UART = 2,
    FUNCTION_SIO = 5,
    WATCHDOG_US = 500000
};

#define CLOCKS 0x40010000u
#define PSM 0x40018000u
#define RESETS 0x40020000u
#define IO_BANK 0x40028000u
#define PADS 0x40038000u
#define XOSC 0x40048000u
#define PLL_SYS 0x40050000u
#define PLL_USB 0x40058000u
#define UART0 0x40070000u
#define ADC 0x400A0000u
#define TIMER0 0x400B0000u
#define WATCHDOG 0x400D8000u
#define ROSC 0x400E8000u
#define TICKS 0x40108000u
#define OTP_DATA 0x40130000u
#define DMA 0x50000000u
#define SIO 0xD0000000u

static uint32_t to_convert;

static void release(uint32_t blocks)
{
    CLR(RESETS) = blocks;
    while ((REG(RESETS + 0x8) & blocks) != blocks) {
    }
}

/* 12 MHz x multiplier / (first x second). */
static void start_pll(uint32_t pll, uint32_t multiplier, uint32_t first, uint32_t second)
{
    REG(pll) = 1;                             /* reference as it is */
    REG(pll + 0x8) = multiplier;
    CLR(pll + 0x4) = 1u << 0 | 1u << 5;       /* power for the loop and its oscillator */
    while ((REG(pll) & 1u << 31) == 0) {
    }
    REG(pll + 0xC) = first << 16 | second << 12;
    CLR(pll + 0x4) = 1u << 3;
}

static void start_clocks(void)
{
    REG(XOSC) = 0xAA0;                        /* 1 to 15 MHz */
    REG(XOSC + 0xC) = 470;                    /* 10 ms to start up */
    SET(XOSC) = 0xFABu << 12;
    while ((REG(XOSC + 0x4) & 1u << 31) == 0) {
    }
    CLR(CLOCKS + 0x3C) = 1;                   /* the system off its PLL, as a watchdog's reset may have left it */
    while ((REG(CLOCKS + 0x44) & 1) == 0) {
    }
    REG(CLOCKS + 0x30) = 2;                   /* reference: the crystal */
    while ((REG(CLOCKS + 0x38) & 4) == 0) {
    }
    release(1u << 14 | 1u << 15);
    start_pll(PLL_SYS, 125, 5, 2);            /* 1500 MHz, 150 MHz */
    start_pll(PLL_USB, 100, 5, 5);            /* 1200 MHz, 48 MHz */
    REG(CLOCKS + 0x3C) = 0;                   /* system: auxiliary source, which is its PLL */
    SET(CLOCKS + 0x3C) = 1;
    while ((REG(CLOCKS + 0x44) & 2) == 0) {
    }
    REG(CLOCKS + 0x48) = 1u << 11;            /* peripherals: as the system */
    REG(CLOCKS + 0x6C) = 1u << 11;            /* converter: the USB's PLL */
    for (uint32_t generator = 0x18; generator <= 0x30; generator += 0x18) { /* timer 0, watchdog: a tick a microsecond */
        REG(TICKS + generator + 0x4) = XOSC_MHZ;
        REG(TICKS + generator) = 1;
    }
}

static void set_pin(unsigned pin, unsigned function)
{
    REG(PADS + 4 + 4 * pin) = 1u << 6 | 1u << 4; /* input enabled, 4 mA, not isolated */
    REG(IO_BANK + 8 * pin + 4) = function;
}

static void start_uart(uint32_t baud)
{
    const uint32_t divider = (uint32_t)(((uint64_t)CHIP_HZ * 4 + baud / 2) / baud); /* in 64ths of 16 bits' time */
    set_pin(0, FUNCTION_UART);
    set_pin(1, FUNCTION_UART);
    REG(UART0 + 0x24) = divider >> 6;
    REG(UART0 + 0x28) = divider & 0x3F;
    REG(UART0 + 0x2C) = 3u << 5 | 1u << 4;    /* 8 bits, with its FIFOs */
    REG(UART0 + 0x48) = 1u << 1;              /* DMA sends */
    REG(UART0 + 0x30) = 1u << 9 | 1u << 8 | 1u << 0;
}

static void start_adc(void)
{
    for (unsigned pin = 26; pin < 26 + CHIP_INPUTS; pin++) {
        REG(PADS + 4 + 4 * pin) = 1u << 7;    /* no output, no digital input, no pull */
    }
    REG(ADC) = 1;
    while ((REG(ADC) & 1u << 8) == 0) {
    }
}

void chip_init(uint32_t baud)
{
    start_clocks();
    release(1u << 0 | 1u << 2 | 1u << 6 | 1u << 9 | 1u << 23 | 1u << 26); /* ADC, DMA, pins and pads, timer, UART */
    start_uart(baud);
    start_adc();
    REG(PSM + 0x8) = 0x01FFFFF3u;             /* a dog that bites resets all but the oscillators */
    REG(WATCHDOG + 0x4) = WATCHDOG_US;
    SET(WATCHDOG) = 1u << 30;
}

uint64_t chip_now_ns(void)
{
    uint32_t high = REG(TIMER0 + 0x24);
    for (;;) {
        const uint32_t low = REG(TIMER0 + 0x28);
        const uint32_t again = REG(TIMER0 + 0x24);
        if (again == high) {
            return ((uint64_t)high << 32 | low) * 1000u;
        }
        high = again;
    }
}

uint64_t chip_uid(void)
{
    return REG(OTP_DATA) | (uint64_t)REG(OTP_DATA + 4) << 32; /* CHIPID0 to CHIPID3, 16 bits each */
}

uint8_t chip_reset_cause(void)
{
    const uint32_t reason = REG(WATCHDOG + 0x8);
    return (reason & 1) != 0 ? 3 : (reason & 2) != 0 ? 4 : 1;
}

uint8_t chip_boot_id(void)
{
    const uint32_t mark = 0x6C6E0000u;
    uint32_t kept = REG(WATCHDOG + 0xC);
    if ((kept & 0xFFFF0000u) != mark) {
        kept = 0;
        for (int i = 0; i < 8; i++) {
            kept = kept << 1 | (REG(ROSC + 0x20) & 1);
        }
    }
    kept = mark | ((kept + 1) & 0xFF);
    REG(WATCHDOG + 0xC) = kept;
    return (uint8_t)(kept & 0xFF);
}

static uint32_t dma_control(uint32_t size, uint32_t increment, uint32_t channel, uint32_t request)
{
    return request << 17 | channel << 13 | increment | size << 2 | 1; /* chained to itself: to nothing */
}

bool chip_uart_ready(void)
{
    return (REG(DMA + 0x40 * DMA_TX + 0xC) & 1u << 26) == 0;
}

void chip_uart_send(const uint8_t *data, size_t length)
{
    REG(DMA + 0x40 * DMA_TX) = (uint32_t)(uintptr_t)data;
    REG(DMA + 0x40 * DMA_TX + 0x4) = UART0;
    REG(DMA + 0x40 * DMA_TX + 0x8) = (uint32_t)length;
    REG(DMA + 0x40 * DMA_TX + 0xC) = dma_control(0, 1u << 4, DMA_TX, DREQ_UART0_TX);
}

bool chip_uart_take(uint8_t *byte)
{
    if ((REG(UART0 + 0x18) & 1u << 4) != 0) {
        return false;
    }
    *byte = (uint8_t)(REG(UART0) & 0xFF);
    return true;
}

void chip_convert(uint16_t *counts, uint32_t samples)
{
    REG(ADC) = 1;                             /* stop, and begin with input 0 */
    REG(DMA + 0x464) = 1u << DMA_ADC;         /* abort what is under way */
    while ((REG(DMA + 0x464) & 1u << DMA_ADC) != 0) {
    }
    REG(ADC + 0x8) = 1u << 11 | 1u << 10;     /* forget over- and underflow */
    while ((REG(ADC + 0x8) & 1u << 8) == 0) {
        (void)REG(ADC + 0xC);
    }
    REG(ADC + 0x8) = 1u << 24 | 1u << 3 | 1;  /* a request a count */
    to_convert = samples * CHIP_INPUTS;
    REG(DMA + 0x40 * DMA_ADC) = ADC + 0xC;
    REG(DMA + 0x40 * DMA_ADC + 0x4) = (uint32_t)(uintptr_t)counts;
    REG(DMA + 0x40 * DMA_ADC + 0x8) = to_convert;
    REG(DMA + 0x40 * DMA_ADC + 0xC) = dma_control(1, 1u << 6, DMA_ADC, DREQ_ADC);
    REG(ADC) = 0xFu << 16 | 1u << 3 | 1;      /* all four in turn, for ever */
}

uint32_t chip_converted(void)
{
    return to_convert - (REG(DMA + 0x40 * DMA_ADC + 0x8) & 0x0FFFFFFFu);
}

void chip_output(unsigned pin, bool on)
{
    REG(SIO + (on ? 0x18u : 0x20u)) = 1u << pin;
    REG(SIO + 0x38) = 1u << pin;
    set_pin(pin, FUNCTION_SIO);
}

void chip_feed_watchdog(void)
{
    REG(WATCHDOG + 0x4) = WATCHDOG_US;
}
