/* SPDX-License-Identifier: MIT */
/* Programs: what the trap entry saves of them, and how they go on. */
#ifndef ASM_USER_H
#define ASM_USER_H

/* Offsets in struct user_frame. */
#define USER_PC		0
#define USER_X(n)	(8 * (n))
#define USER_STATUS	256
#define USER_THREAD	264
#define USER_TRAP_STACK 272
#define USER_TVAL	280
#define USER_CAUSE	288

/* Offsets in struct thread: behind what the switch saves. */
#define THREAD_WORK SWITCH_SIZE
#define THREAD_WORD (SWITCH_SIZE + 8)

#include <asm/switch.h>

#ifndef __ASSEMBLY__
#include <ahoy/compiler.h>
#include <ahoy/personality.h>
#include <asm/fpu.h>

struct thread;

/*
 * The registers of a program, at the top of its thread's stack. Registers that C
 * functions keep are there only where all are asked for.
 */
struct user_frame {
	struct user_regs regs;
	unsigned long status;
	struct thread *thread;
	unsigned long trap_stack;  /* what sscratch is for the hart's kernel, while it runs there */
	unsigned long tval, cause; /* of an exception */
	struct fpu_state fpu;
} __aligned(16);

/* Make @frame one of @thread's program; its regs are the caller's to fill. */
void user_frame_init(struct user_frame *frame, struct thread *thread);

/* Have @thread, which is new, begin with its program, whose frame is on its stack. */
void user_thread_frame(struct switch_frame *frame, struct user_frame *user);

/* Go on with the current thread's program. Context: any, nothing on the stack is used again. */
void user_enter(struct user_frame *frame) __noreturn;

/* Let programs read the time counter on this hart. Context: each hart, once. */
void user_hart_init(void);

#endif
#endif
