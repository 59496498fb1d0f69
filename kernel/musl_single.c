// SPDX-License-Identifier: MIT
/* One thread, for which musl has a place, and which nobody would wake. */
#include "musl_emu.h"
#include <ahoy/compiler.h>
#include <ahoy/errno.h>
#include <ahoy/libc.h>
#include <ahoy/panic.h>

#define FUTEX_WAIT    0u
#define FUTEX_WAKE    1u
#define FUTEX_PRIVATE 128u

__used void *libc_thread(void)
{
	return libc_boot_thread;
}

MUSL_CALL(98, futex)
{
	switch ((u32)arg[1] & ~FUTEX_PRIVATE) {
	case FUTEX_WAIT:
		panic("musl waits for a lock that was taken twice");
	case FUTEX_WAKE:
		return 0;
	default:
		return -ENOSYS;
	}
}
