// SPDX-License-Identifier: MIT
#include <stdarg.h>

#include <ahoy/console.h>
#include <ahoy/printf.h>
#include <ahoy/printk.h>

void console_vprintf(const char *fmt, va_list args)
{
	char text[PRINTK_LINE_MAX];

	console_write(text, vscnprintf(text, sizeof(text), fmt, args));
}

void console_printf(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	console_vprintf(fmt, args);
	va_end(args);
}
