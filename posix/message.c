// SPDX-License-Identifier: MIT
#include "message.h"
#include <ahoy/core.h>
#include <ahoy/printf.h>

void message(const char *fmt, ...)
{
	char text[200];
	va_list args;

	va_start(args, fmt);
	console_output(text, (size_t)vscnprintf(text, sizeof(text), fmt, args));
	va_end(args);
}
