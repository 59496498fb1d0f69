// SPDX-License-Identifier: MIT
/* Which system calls musl wanted and did not get. */
#include "musl_emu.h"
#include <ahoy/compiler.h>
#include <ahoy/printk.h>

/* The numbers of Linux's calls are below this. */
#define CALLS 512

void musl_report_refused(long nr, const void *caller)
{
	static unsigned long told[CALLS / 64];
	unsigned long bit = 1UL << nr % 64;

	if (nr < 0 || nr >= CALLS)
		return;
	if (__atomic_fetch_or(&told[nr / 64], bit, __ATOMIC_RELAXED) & bit)
		return;
	console_printf("musl: system call %ld is not there, called from %pS\n", nr, caller);
}
