// SPDX-License-Identifier: MIT
/* Ways in which a C library ends a program, to see what it does to a kernel. */
#include <ahoy/crash.h>

/* As musl's own headers have them */
void abort(void);
void exit(int status);
int printf(const char *fmt, ...);

static void crash_abort(void)
{
	abort();
}
CRASH_WAY(abort, "abort", crash_abort);

/* What is printed before is out first. */
static void crash_exit(void)
{
	printf("exit() with 3");
	exit(3);
}
CRASH_WAY(exit, "exit", crash_exit);
