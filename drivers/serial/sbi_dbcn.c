// SPDX-License-Identifier: MIT
/* SBI's debug console: one call a text. */
#include <ahoy/console.h>
#include <ahoy/errno.h>
#include <asm/page.h>
#include <asm/sbi.h>

static int sbi_dbcn_probe(const struct uart_port *port)
{
	return sbi_ecall(SBI_EXT_BASE, SBI_BASE_PROBE_EXTENSION, SBI_EXT_DBCN, 0, 0).value
		       ? 0
		       : -ENODEV;
}

/* Firmware may take fewer bytes than it is given, but not none for ever. */
static size_t sbi_dbcn_write(const char *text, size_t len)
{
	size_t done = 0;

	while (done < len) {
		struct sbiret ret = sbi_debug_console_write(virt_to_phys(text + done), len - done);

		if (ret.error || ret.value <= 0)
			break;
		done += ret.value;
	}
	return done;
}

CONSOLE_DECLARE(sbi_dbcn, CONSOLE_ORDER_DBCN) = {
	.name = "hvc",
	.probe = sbi_dbcn_probe,
	.write = sbi_dbcn_write,
};
