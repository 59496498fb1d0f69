/* SPDX-License-Identifier: MIT */
/* What of the Linux ABI is this machine's own: registers, and where things are in memory. */
#ifndef POSIX_ABI_H
#define POSIX_ABI_H

#include <ahoy/compiler.h>
#include <ahoy/personality.h>
#include <ahoy/types.h>

/* The stack pointer's alignment (RISC-V ELF psABI, integer calling convention) */
#define ABI_STACK_ALIGN 16

/*
 * Where a program goes that can be anywhere: its last pages of stack, itself and
 * the code of the vDSO need no more than one table of pages then.
 */
#define ABI_PROGRAM_BASE ((1UL << 30) + (1UL << 20))

/* What lies apart has so much space between. */
#define ABI_FAR (1UL << 30)

/* What a program finds in its registers at first: zeroes, but for where it is and its stack. */
static inline void abi_start(struct user_regs *regs, unsigned long pc, unsigned long sp)
{
	*regs = (struct user_regs){ .pc = pc, .sp = sp };
}

#endif
