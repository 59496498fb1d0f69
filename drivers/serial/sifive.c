// SPDX-License-Identifier: MIT
/* SiFive's UART as a console. */
#include <ahoy/console.h>
#include <ahoy/errno.h>
#include <ahoy/init.h>
#include <ahoy/of.h>
#include <ahoy/printk.h>
#include <ahoy/uart_sifive.h>
#include <asm/paging.h>

#define TX_POLLS 10000000

static void __iomem *base;

static bool wait_for_tx(void)
{
	unsigned int polls;

	for (polls = TX_POLLS; polls; polls--)
		if (uart_sifive_tx_ready(base))
			return true;
	return false;
}

static int uart_sifive_console_probe(const struct uart_port *port)
{
	u32 unused;

	base = fixmap_io(FIXMAP_UART, port->base, UART_SIFIVE_SIZE);
	if (!base || port->base % sizeof(u32))
		return -EINVAL;
	if (io_probe_read32(base + UART_SIFIVE_TXDATA, &unused))
		return -ENODEV;
	uart_sifive_enable(base);
	return wait_for_tx() ? 0 : -EIO;
}

static void uart_sifive_console_flush(void)
{
	unsigned int polls;

	for (polls = TX_POLLS; polls && !uart_sifive_tx_empty(base); polls--)
		;
}

static __always_inline bool put(u8 c)
{
	if (!wait_for_tx())
		return false;
	uart_sifive_tx(base, c);
	return true;
}

static size_t uart_sifive_console_write(const char *text, size_t len)
{
	return console_put_each(text, len, put);
}

CONSOLE_DECLARE(ttySIF, CONSOLE_ORDER_UART) = {
	.name = "ttySIF",
	.probe = uart_sifive_console_probe,
	.write = uart_sifive_console_write,
	.flush = uart_sifive_console_flush,
	.needs_port = true,
};

#ifdef CONFIG_OF
static void uart_sifive_found(const struct of_device *dev)
{
	struct uart_port port = { .base = dev->base, .size = dev->size };

	if (!dev->base) {
		pr_err("ttySIF: a node without a usable reg\n");
		return;
	}
	console_add_port("ttySIF", &port, of_path(dev));
}
OF_DRIVER(sifive_uart0, "sifive,uart0", uart_sifive_found);
#else
static void uart_sifive_platform_init(void)
{
	const struct uart_port port = { .base = CONFIG_PLATFORM_UART_BASE };

	console_add_port("ttySIF", &port, 0);
}
INIT(mm, uart_sifive_platform_init);
#endif
