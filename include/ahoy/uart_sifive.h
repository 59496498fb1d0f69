/* SPDX-License-Identifier: MIT */
/* SiFive's UART (FU540-C000 manual, chapter 13), transmitter only, polled. */
#ifndef AHOY_UART_SIFIVE_H
#define AHOY_UART_SIFIVE_H

#include <ahoy/compiler.h>
#include <ahoy/types.h>
#include <asm/io.h>

#define UART_SIFIVE_TXDATA 0x00
#define UART_SIFIVE_TXCTRL 0x08
#define UART_SIFIVE_IP	   0x14
#define UART_SIFIVE_SIZE   0x1c

#define UART_SIFIVE_TXFULL     0x80000000
#define UART_SIFIVE_TXEN       0x1
#define UART_SIFIVE_TXCNT_MASK 0x70000
#define UART_SIFIVE_TXCNT_1    0x10000 /* "txwm" means less than one character waits */
#define UART_SIFIVE_IP_TXWM    0x1

/* May a character be sent? @base: the registers. */
static __always_inline bool uart_sifive_tx_ready(const void __iomem *base)
{
	return !(io_read32(base + UART_SIFIVE_TXDATA) & UART_SIFIVE_TXFULL);
}

/* Has all that was sent left the FIFO? Needs uart_sifive_enable(). */
static __always_inline bool uart_sifive_tx_empty(const void __iomem *base)
{
	return io_read32(base + UART_SIFIVE_IP) & UART_SIFIVE_IP_TXWM;
}

/* Send @c, whatever the transmitter does. */
static __always_inline void uart_sifive_tx(void __iomem *base, u8 c)
{
	io_write32(c, base + UART_SIFIVE_TXDATA);
}

/* Switch the transmitter on, and leave the rest as firmware set it up, but for the watermark. */
static __always_inline void uart_sifive_enable(void __iomem *base)
{
	u32 ctrl = io_read32(base + UART_SIFIVE_TXCTRL) & ~UART_SIFIVE_TXCNT_MASK;

	io_write32(ctrl | UART_SIFIVE_TXEN | UART_SIFIVE_TXCNT_1, base + UART_SIFIVE_TXCTRL);
}

#endif
