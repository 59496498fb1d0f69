/* SPDX-License-Identifier: MIT */
/* Order between harts (RISC-V Unprivileged Architecture, chapter 17: RVWMO). */
#ifndef ASM_BARRIER_H
#define ASM_BARRIER_H

#include <ahoy/compiler.h>

/* All accesses before it are seen before all those after it. */
#define mb() __asm__ __volatile__("fence rw, rw" : : : "memory")

/* What this hart fetches from here on is what it has written before (Zifencei). */
#define fence_code() __asm__ __volatile__("fence.i" : : : "memory")

/* What was written before this store is seen by whoever sees it with load_acquire(). */
#define store_release(p, v)                                                                        \
	do {                                                                                       \
		__asm__ __volatile__("fence rw, w" : : : "memory");                                \
		WRITE_ONCE(*(p), v);                                                               \
	} while (0)

#define load_acquire(p)                                                                            \
	({                                                                                         \
		__typeof__(*(p)) __value = READ_ONCE(*(p));                                        \
		__asm__ __volatile__("fence r, rw" : : : "memory");                                \
		__value;                                                                           \
	})

#endif
