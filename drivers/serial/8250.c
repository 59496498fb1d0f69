// SPDX-License-Identifier: MIT
/* The 8250 family as a console: the device-tree glue and the polled transmitter. */
#include <ahoy/console.h>
#include <ahoy/errno.h>
#include <ahoy/init.h>
#include <ahoy/of.h>
#include <ahoy/printk.h>
#include <ahoy/uart8250.h>
#include <asm/paging.h>

#include "8250.h"

static struct uart8250 uart;

static __always_inline bool wait_for_tx(void)
{
	unsigned int polls;

	for (polls = TX_POLLS; polls; polls--)
		if (likely(uart8250_tx_ready(&uart)))
			return true;
	return false;
}

/* Read the line status through a path that survives if nothing is there. */
static int probe_status(u32 *status)
{
	const void __iomem *lsr = uart.base + (UART8250_LSR << uart.shift);

	return uart.io_width == 4 ? io_probe_read32(lsr, status) : io_probe_read8(lsr, status);
}

static int uart8250_console_probe(const struct uart_port *port)
{
	size_t size = UART8250_REGS << port->reg_shift;
	u32 status;

	uart.shift = port->reg_shift;
	uart.io_width = port->reg_io_width;
	uart.base = fixmap_io(FIXMAP_UART, port->base, size);
	if (!uart.base || port->base % uart.io_width || (port->size && port->size < size))
		return -EINVAL;
	if (probe_status(&status) || (status & 0xff) == 0xff)
		return -ENODEV;
	if (IS_ENABLED(CONFIG_SERIAL_8250_INIT) && port->clock && port->baud &&
	    !uart8250_setup(&uart, port->clock, port->baud))
		pr_err("ttyS: no divisor of %u Hz makes %u baud; taken as it is\n", port->clock,
		       port->baud);
	if (!wait_for_tx())
		return -EIO;
	uart8250_irq_port(&uart, port);
	return 0;
}

static void uart8250_console_flush(void)
{
	unsigned int polls;

	uart8250_irq_flush();
	for (polls = TX_POLLS; polls && !uart8250_tx_empty(&uart); polls--)
		;
}

static __always_inline bool put(u8 c)
{
	if (!wait_for_tx())
		return false;
	uart8250_tx(&uart, c);
	return true;
}

static size_t uart8250_console_write(const char *text, size_t len)
{
	unsigned long flags;
	size_t done;

	if (uart8250_irq_begin(&flags)) {
		done = console_put_each(text, len, uart8250_irq_put);
		uart8250_irq_end(flags);
		return done;
	}
	return console_put_each(text, len, put);
}

CONSOLE_DECLARE(ttyS, CONSOLE_ORDER_UART) = {
	.name = "ttyS",
	.probe = uart8250_console_probe,
	.write = uart8250_console_write,
	.flush = uart8250_console_flush,
	.needs_port = true,
#ifdef CONFIG_CONSOLE_QUEUE
	.poll = uart8250_irq_poll,
#endif
};

#ifdef CONFIG_OF
static void uart8250_found(const struct of_device *dev)
{
	struct uart_port port = {
		.base = dev->base,
		.size = dev->size,
		.clock = dev->clock_frequency,
		.baud = dev->current_speed,
		.reg_shift = dev->reg_shift,
		.reg_io_width = dev->reg_io_width ? dev->reg_io_width : 1,
	};

	if (!dev->base || dev->reg_shift > 4 ||
	    (port.reg_io_width != 1 && port.reg_io_width != 2 && port.reg_io_width != 4)) {
		pr_err("ttyS: 0x%llx: reg, reg-shift or reg-io-width makes no sense\n", dev->base);
		return;
	}
	uart8250_irq_found(dev, &port);
	console_add_port("ttyS", &port, of_path(dev));
}
OF_DRIVER(ns16550a, "ns16550a", uart8250_found);
OF_DRIVER(ns16550, "ns16550", uart8250_found);
OF_DRIVER(dw_apb_uart, "snps,dw-apb-uart", uart8250_found);
#else
#ifndef CONFIG_SERIAL_8250_INIT
#define CONFIG_PLATFORM_UART_CLOCK 0
#define CONFIG_PLATFORM_UART_BAUD  0
#endif
static void uart8250_platform_init(void)
{
	const struct uart_port port = {
		.base = CONFIG_PLATFORM_UART_BASE,
		.clock = CONFIG_PLATFORM_UART_CLOCK,
		.baud = CONFIG_PLATFORM_UART_BAUD,
		.reg_io_width = 1,
	};

	console_add_port("ttyS", &port, 0);
}
INIT(mm, uart8250_platform_init);
#endif
