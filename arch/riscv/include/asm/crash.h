/* SPDX-License-Identifier: MIT */
/* What only a RISC-V hart can do wrong, for kernel/crash_test.c. */
#ifndef ASM_CRASH_H
#define ASM_CRASH_H

#include <ahoy/types.h>

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

/* Fault, and again while the report of it is made. */
#ifdef CONFIG_CRASH_TEST
extern bool crash_in_report;

static inline void crash_nested(void)
{
	crash_in_report = true;
	crash_illegal();
}
#endif

#endif
