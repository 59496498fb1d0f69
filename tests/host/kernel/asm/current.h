/* SPDX-License-Identifier: MIT */
/* In place of the kernel's: a host's thread plays a hart. */
#ifndef ASM_CURRENT_H
#define ASM_CURRENT_H

struct thread;

extern __thread struct thread *host_current;

static inline struct thread *thread_current(void)
{
	return host_current;
}

#endif
