/* SPDX-License-Identifier: MIT */
/* The change from one thread to another. */
#ifndef ASM_SWITCH_H
#define ASM_SWITCH_H

#define SWITCH_RA   0
#define SWITCH_SP   8
#define SWITCH_S(n) (16 + 8 * (n))
#ifdef CONFIG_USERSPACE
#define SWITCH_GP   112
#define SWITCH_SIZE 120
#else
#define SWITCH_SIZE 112
#endif

/* Bits of what is to be done before a thread's program goes on. */
#define WORK_NOTIFIED 1
#define WORK_RESCHED  2
#define WORK_REGS     4 /* a system call that needs all registers */

#ifndef __ASSEMBLY__

struct thread;

/* What C functions keep; all else is saved by who calls the switch. */
struct switch_frame {
	unsigned long ra, sp, s[12];
#ifdef CONFIG_USERSPACE
	unsigned long gp; /* a program's */
#endif
};

/*
 * Go on with @next, which becomes the current thread. Returns when another
 * switch leads back to @prev. Return: the thread that ran before that.
 * Context: interrupts masked, scheduler's lock held.
 */
struct thread *switch_to(struct thread *prev, struct thread *next);

/* Have @frame begin in @entry, at the top of a stack; it gets what switch_to() returns. */
static inline void switch_frame_init(struct switch_frame *frame, void (*entry)(struct thread *prev),
				     void *stack_top)
{
	*frame = (struct switch_frame){
		.ra = (unsigned long)entry,
		.sp = (unsigned long)stack_top,
	};
}

#endif
#endif
