/* SPDX-License-Identifier: MIT */
/*
 * What a personality is called for, by the core and by arch's entries. Context,
 * where nothing else is said: the thread whose program it is about, no lock held,
 * interrupts enabled.
 */
#ifndef AHOY_PERSONALITY_H
#define AHOY_PERSONALITY_H

#include <ahoy/types.h>

/* What an access is, and what a mapping permits. Writing includes reading. */
#define VM_READ	 1
#define VM_WRITE 2
#define VM_EXEC	 4

/* The registers of a program; the pc stands in the place of x0. */
struct user_regs {
	unsigned long pc;
	unsigned long ra, sp, gp, tp, t0, t1, t2, s0, s1;
	unsigned long a0, a1, a2, a3, a4, a5, a6, a7;
	unsigned long s2, s3, s4, s5, s6, s7, s8, s9, s10, s11;
	unsigned long t3, t4, t5, t6;
};

/*
 * There is user space now. @initramfs: the archive, which stays, and its size;
 * NULL if there is none. The first program is to be made that of the current
 * thread: its registers in *@regs, its space entered. Return: 0, or a negative
 * errno, and then nothing more is called.
 */
int personality_start(const void *initramfs, size_t size, struct user_regs *regs);

/*
 * The program made system call @nr. Return: what is to be in a0, or what
 * syscall_wants_regs() returned if all its registers are needed to do it.
 */
long personality_syscall(unsigned long a0, unsigned long a1, unsigned long a2, unsigned long a3,
			 unsigned long a4, unsigned long a5, unsigned long a6, unsigned long nr);

/* Have personality_syscall_regs() called, too. @a0: the call's argument. Context: personality_syscall(). */
unsigned long syscall_wants_regs(unsigned long a0);

/* The same call, with all its registers; what is in a0 afterwards is the result. */
void personality_syscall_regs(struct user_regs *regs);

enum user_fault {
	USER_FAULT_ACCESS,     /* to memory, of the kind @access, at @addr */
	USER_FAULT_MISALIGNED, /* the same */
	USER_FAULT_ILLEGAL,    /* instruction @addr, which may be unknown (0) */
	USER_FAULT_BREAKPOINT,
};

/*
 * The program did what it cannot go on from. @error: of an access: as
 * address_space_fault(); -EIO: the memory itself failed.
 */
void personality_fault(struct user_regs *regs, enum user_fault fault, unsigned long addr,
		       unsigned int access, int error);

/* The thread was notified, and its program is about to go on. */
void personality_attention(struct user_regs *regs);

#endif
