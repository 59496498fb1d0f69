/* SPDX-License-Identifier: MIT */
#ifndef ASM_PROCESSOR_H
#define ASM_PROCESSOR_H

#include <ahoy/compiler.h>

/* Let the hart rest for good. Context: interrupts masked, so that none ends it. */
static __always_inline void __noreturn cpu_idle_forever(void)
{
	for (;;)
		__asm__ __volatile__("wfi" : : : "memory");
}

/*
 * Rest until an interrupt is pending that sie enables, whether or not it is
 * taken (Privileged Architecture, 3.3.3). Context: any.
 */
static __always_inline void wait_for_interrupt(void)
{
	__asm__ __volatile__("wfi" : : : "memory");
}

/* The time counter (Zicntr); its frequency is the platform's. Context: any. */
static __always_inline unsigned long read_time(void)
{
	unsigned long time;

	__asm__ __volatile__("rdtime %0" : "=r"(time));
	return time;
}

#endif
