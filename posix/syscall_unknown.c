// SPDX-License-Identifier: MIT
/* A system call that is not there names itself, once. */
#include "message.h"
#include "process.h"
#include "syscall.h"

void syscall_unknown(unsigned long nr)
{
	static u32 beyond;

	/* Only of those beyond the table there may be a second time. */
	if (nr >= 512 && __atomic_exchange_n(&beyond, 1, __ATOMIC_RELAXED))
		return;
	message("process %d: no system call %lu\n", current_process()->pid, nr);
}
