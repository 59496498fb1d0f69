/* SPDX-License-Identifier: MIT */
/* What only a RISC-V hart can do wrong, for kernel/crash_test.c. */
#ifndef ASM_CRASH_H
#define ASM_CRASH_H

#include <asm/csr.h>

/* Write a function that returns at once (c.jr ra) to @code. */
static inline void crash_put_return(void *code)
{
	*(volatile unsigned short *)code = 0x8082;
	__asm__ __volatile__("fence.i" : : : "memory");
}

static inline void crash_illegal(void)
{
	__asm__ __volatile__(".half 0");
}

/* Fault with a trap stack that is not there: the report's first store faults again. */
static inline void crash_nested(void)
{
	csr_write(sscratch, 4096);
	__asm__ __volatile__(".half 0");
}

#endif
