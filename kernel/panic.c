// SPDX-License-Identifier: MIT
#include <stdarg.h>

#include <ahoy/console.h>
#include <ahoy/panic.h>
#include <ahoy/power.h>
#include <ahoy/printk.h>
#include <asm/irqflags.h>
#include <asm/traps.h>

static void begin(const char *fmt, va_list args)
{
	local_irq_disable();
	printk_show_all();
	console_printf("Kernel panic - not syncing: ");
	console_vprintf(fmt, args);
	console_printf("\n");
}

void panic_begin(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	begin(fmt, args);
	va_end(args);
}

void panic_end(void)
{
	console_printf("---[ end Kernel panic ]---\n");
	console_flush();
	machine_fail();
}

void panic(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	begin(fmt, args);
	va_end(args);
	dump_stack();
	panic_end();
}
