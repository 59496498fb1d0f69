/* SPDX-License-Identifier: MIT */
/* Other harts: starting them, interrupting them. */
#ifndef ASM_SMP_H
#define ASM_SMP_H

#define HART_START_SATP	  0
#define HART_START_OFFSET 8
#define HART_START_SP	  16
#define HART_START_TP	  24

#ifndef __ASSEMBLY__
#include <ahoy/types.h>

/* What a hart must know to get into the kernel's address space; in the linear map. */
struct hart_start {
	unsigned long satp, offset, sp, tp;
};

/*
 * Start hart @hartid, which calls secondary_start() as @thread, on the stack
 * below @stack_top. @start: must stay as it is until then. Return: 0, or -EIO
 * if the firmware refuses. Context: any.
 */
int hart_start(unsigned long hartid, struct hart_start *start, void *thread, void *stack_top);

/* Interrupt hart @hartid: it calls ipi_received(). Context: any. */
void hart_interrupt(unsigned long hartid);

/*
 * Have the harts with numbers @base + n, where bit n of @mask is set, forget
 * their translations of [@start, @start + @size), under any ASID. Returns when
 * they have. Context: any.
 */
void hart_fence(unsigned long mask, unsigned long base, unsigned long start, unsigned long size);

/*
 * Have harts, numbered in the same way, see the code that this one has written; all
 * harts if @base is -1. Returns when they do. Context: any.
 */
void hart_fence_code(unsigned long mask, unsigned long base);

/* Let this hart be interrupted by others. Context: each hart, once. */
void hart_accept_interrupts(void);

#endif
#endif
