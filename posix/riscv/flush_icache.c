// SPDX-License-Identifier: MIT
/* riscv_flush_icache(), which only this machine has. */
#include "syscall.h"
#include <ahoy/compiler.h>

/* For this thread alone; all are served in any case. */
#define FLUSH_ICACHE_LOCAL 1ul

SYSCALL3(259, riscv_flush_icache, unsigned long, start, unsigned long, end, unsigned long, flags)
{
	(void)start;
	(void)end;
	if (flags & ~FLUSH_ICACHE_LOCAL)
		return -EINVAL;
	user_code_fence();
	return 0;
}
