// SPDX-License-Identifier: MIT
/* The line without a C library. hello-raw.lds makes it a program. */
#include "raw.h"

void __attribute__((noreturn)) _start(void);

void _start(void)
{
	static const char line[] = "Hello world.\n";

	raw_exit(raw_write(1, line, sizeof(line) - 1) != sizeof(line) - 1);
}
