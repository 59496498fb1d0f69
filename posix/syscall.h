/* SPDX-License-Identifier: MIT */
/*
 * System calls, in a table that the linker collects: SYSCALLn() stands before
 * the body of one with n arguments, like Linux's SYSCALL_DEFINEn().
 */
#ifndef POSIX_SYSCALL_H
#define POSIX_SYSCALL_H

#include <ahoy/core.h>
#include <ahoy/errno.h>
#include <ahoy/section.h>

typedef long syscall_fn(unsigned long a0, unsigned long a1, unsigned long a2, unsigned long a3,
			unsigned long a4, unsigned long a5);

struct syscall_row {
	syscall_fn *fn;
	/* Instead, if it needs all registers; the result goes to regs->a0 */
	void (*with_regs)(struct user_regs *regs);
	u16 nr;
#ifdef CONFIG_SYSCALL_TRACE
	u8 args;
	const char *name;
#endif
};

#endif
