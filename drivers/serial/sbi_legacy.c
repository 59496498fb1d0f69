// SPDX-License-Identifier: MIT
/* SBI's legacy console: one call a character. It always works, as far as anybody can tell. */
#include <ahoy/console.h>
#include <asm/sbi.h>

static int sbi_legacy_probe(const struct uart_port *port)
{
	return 0;
}

static size_t sbi_legacy_write(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		sbi_legacy_putchar(text[i]);
	return len;
}

CONSOLE_DECLARE(sbi_legacy, CONSOLE_ORDER_LEGACY) = {
	.name = "hvc",
	.probe = sbi_legacy_probe,
	.write = sbi_legacy_write,
};
