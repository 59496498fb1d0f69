/* SPDX-License-Identifier: MIT */
/*
 * The console without a table: each configured one in turn, as straight-line
 * code; the UART's address is a constant. For ahoy/console.h alone.
 */
#ifndef AHOY_CONSOLE_DIRECT_H
#define AHOY_CONSOLE_DIRECT_H

#include <ahoy/uart8250.h>
#include <ahoy/uart_sifive.h>
#include <asm/paging.h>
#include <asm/sbi.h>

#ifndef CONFIG_PLATFORM_UART_BASE
#define CONFIG_PLATFORM_UART_BASE 0
#endif
#ifndef CONFIG_SERIAL_8250_INIT
#define CONFIG_PLATFORM_UART_CLOCK 0
#define CONFIG_PLATFORM_UART_BAUD  1
#endif

static __always_inline void __iomem *console_uart_base(void)
{
	return fixmap_address(FIXMAP_UART, CONFIG_PLATFORM_UART_BASE);
}

static __always_inline struct uart8250 console_uart8250(void)
{
	return (struct uart8250){ .base = console_uart_base(), .shift = 0, .io_width = 1 };
}

static inline void console_init_early(void)
{
}

static __always_inline void console_init(void)
{
	if (IS_ENABLED(CONFIG_SERIAL_8250) || IS_ENABLED(CONFIG_SERIAL_SIFIVE))
		fixmap_io(FIXMAP_UART, CONFIG_PLATFORM_UART_BASE, UART_SIFIVE_SIZE);
	if (IS_ENABLED(CONFIG_SERIAL_8250_INIT)) {
		struct uart8250 uart = console_uart8250();

		uart8250_setup(&uart, CONFIG_PLATFORM_UART_CLOCK, CONFIG_PLATFORM_UART_BAUD);
	}
	if (IS_ENABLED(CONFIG_SERIAL_SIFIVE))
		uart_sifive_enable(console_uart_base());
}

/* Where SBI can take over, a UART that stays busy for so many looks is given up. */
#define CONSOLE_POLLS 10000000
#define CONSOLE_HAS_NEXT                                                                           \
	(IS_ENABLED(CONFIG_CONSOLE_SBI_DBCN) || IS_ENABLED(CONFIG_CONSOLE_SBI_LEGACY))

static __always_inline bool console_put_8250(u8 c)
{
	struct uart8250 uart = console_uart8250();
	unsigned long polls = CONSOLE_POLLS;

	while (!uart8250_tx_ready(&uart))
		if (CONSOLE_HAS_NEXT && --polls == 0)
			return false;
	uart8250_tx(&uart, c);
	return true;
}

static __always_inline bool console_put_sifive(u8 c)
{
	unsigned long polls = CONSOLE_POLLS;

	while (!uart_sifive_tx_ready(console_uart_base()))
		if (CONSOLE_HAS_NEXT && --polls == 0)
			return false;
	uart_sifive_tx(console_uart_base(), c);
	return true;
}

static __always_inline void console_write(const char *text, size_t len)
{
	const char *end = text + len;

	if (IS_ENABLED(CONFIG_SERIAL_8250))
		text += console_put_each(text, len, console_put_8250);
	if (IS_ENABLED(CONFIG_SERIAL_SIFIVE))
		text += console_put_each(text, len, console_put_sifive);
	if (!CONSOLE_HAS_NEXT || text == end)
		return;
	if (IS_ENABLED(CONFIG_CONSOLE_SBI_DBCN) &&
	    !sbi_debug_console_write(virt_to_phys(text), end - text).error)
		return;
	if (IS_ENABLED(CONFIG_CONSOLE_SBI_LEGACY)) {
		for (; text != end; text++)
			sbi_legacy_putchar(*text);
	}
}

static __always_inline void console_flush(void)
{
	struct uart8250 uart = console_uart8250();
	unsigned long polls = CONSOLE_POLLS;

	while (IS_ENABLED(CONFIG_SERIAL_8250) && !uart8250_tx_empty(&uart))
		if (CONSOLE_HAS_NEXT && --polls == 0)
			break;
	while (IS_ENABLED(CONFIG_SERIAL_SIFIVE) && !uart_sifive_tx_empty(console_uart_base()))
		if (CONSOLE_HAS_NEXT && --polls == 0)
			break;
}

#endif
