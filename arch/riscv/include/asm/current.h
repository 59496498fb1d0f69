/* SPDX-License-Identifier: MIT */
/* The register tp holds the thread that runs. */
#ifndef ASM_CURRENT_H
#define ASM_CURRENT_H

#include <ahoy/compiler.h>

struct thread;

/* The thread that runs this. Context: any, after init level mm. */
static __always_inline struct thread *thread_current(void)
{
	struct thread *thread;

	/* Not volatile: it is the same for all of a function's life. */
	__asm__("mv %0, tp" : "=r"(thread));
	return thread;
}

static __always_inline void set_thread_current(struct thread *thread)
{
	__asm__ __volatile__("mv tp, %0" : : "r"(thread));
}

#endif
