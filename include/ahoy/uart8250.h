/* SPDX-License-Identifier: MIT */
/*
 * The 8250 family (National Semiconductor PC16550D data sheet), transmitter
 * only, polled. Inline, since the smallest kernels are nothing but this.
 */
#ifndef AHOY_UART8250_H
#define AHOY_UART8250_H

#include <ahoy/compiler.h>
#include <ahoy/types.h>
#include <asm/io.h>

#define UART8250_THR  0 /* transmit holding register */
#define UART8250_RBR  0 /* receive buffer register, when it is read */
#define UART8250_DLL  0 /* divisor, while LCR_DLAB is set */
#define UART8250_DLM  1
#define UART8250_IER  1
#define UART8250_FCR  2
#define UART8250_IIR  2 /* the same register, when it is read */
#define UART8250_LCR  3
#define UART8250_MCR  4
#define UART8250_LSR  5
#define UART8250_REGS 8

#define UART8250_IER_RDI	  0x01 /* interrupt when there is data */
#define UART8250_IER_THRI	  0x02 /* and when there is room */
#define UART8250_IIR_NONE	  0x01 /* it wants nothing */
#define UART8250_IIR_FIFO	  0xc0 /* FIFOs are on, and work */
#define UART8250_FCR_ENABLE_CLEAR 0x07
#define UART8250_FCR_ENABLE_HALF  0x81 /* interrupt at 8 bytes, or when they are old */
#define UART8250_LCR_8N1	  0x03
#define UART8250_LCR_DLAB	  0x80
#define UART8250_MCR_DTR_RTS	  0x03
#define UART8250_MCR_OUT2	  0x08 /* lets interrupts out, on PCs */
#define UART8250_MCR_LOOP	  0x10 /* what is sent comes back */
#define UART8250_LSR_DR		  0x01 /* there is data */
#define UART8250_LSR_OE		  0x02 /* data was lost (overrun) */
#define UART8250_LSR_ERRORS	  0x0c /* a bad parity bit, a bad stop bit */
#define UART8250_LSR_BI		  0x10 /* the line was held low (break) */
#define UART8250_LSR_THRE	  0x20 /* transmit holding register empty */
#define UART8250_LSR_TEMT	  0x40 /* and the shift register, too */

/* Where its registers are: at base + (register << shift), io_width bytes each. */
struct uart8250 {
	void __iomem *base;
	u8 shift;
	u8 io_width; /* 1, 2 or 4 */
};

static __always_inline u32 uart8250_read(const struct uart8250 *uart, unsigned int reg)
{
	const void __iomem *addr = uart->base + (reg << uart->shift);

	switch (uart->io_width) {
	case 4:
		return io_read32(addr);
	case 2:
		return io_read16(addr);
	default:
		return io_read8(addr);
	}
}

static __always_inline void uart8250_write(const struct uart8250 *uart, unsigned int reg, u8 value)
{
	void __iomem *addr = uart->base + (reg << uart->shift);

	switch (uart->io_width) {
	case 4:
		io_write32(value, addr);
		break;
	case 2:
		io_write16(value, addr);
		break;
	default:
		io_write8(value, addr);
	}
}

/* May a character be sent? */
static __always_inline bool uart8250_tx_ready(const struct uart8250 *uart)
{
	return uart8250_read(uart, UART8250_LSR) & UART8250_LSR_THRE;
}

/* Has all that was sent left? */
static __always_inline bool uart8250_tx_empty(const struct uart8250 *uart)
{
	return uart8250_read(uart, UART8250_LSR) & UART8250_LSR_TEMT;
}

/* Send @c, whatever the transmitter does. */
static __always_inline void uart8250_tx(const struct uart8250 *uart, u8 c)
{
	uart8250_write(uart, UART8250_THR, c);
}

/*
 * 8 bits, no parity, one stop bit, FIFOs on, no interrupts. @clock: input clock
 * in Hz; @baud: bits per second, not 0. Return: false if no divisor (1 to
 * 65535) comes near that rate; nothing is changed then.
 */
static __always_inline bool uart8250_setup(const struct uart8250 *uart, u32 clock, u32 baud)
{
	u64 divisor = (clock + 8ULL * baud) / (16ULL * baud);

	if (divisor == 0 || divisor > 0xffff)
		return false;
	uart8250_write(uart, UART8250_IER, 0);
	uart8250_write(uart, UART8250_LCR, UART8250_LCR_DLAB);
	uart8250_write(uart, UART8250_DLL, divisor & 0xff);
	uart8250_write(uart, UART8250_DLM, divisor >> 8);
	uart8250_write(uart, UART8250_LCR, UART8250_LCR_8N1);
	uart8250_write(uart, UART8250_FCR, UART8250_FCR_ENABLE_CLEAR);
	uart8250_write(uart, UART8250_MCR, UART8250_MCR_DTR_RTS);
	return true;
}

#endif
