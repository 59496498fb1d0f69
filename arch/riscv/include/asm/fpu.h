/* SPDX-License-Identifier: MIT */
/*
 * The floating-point registers of programs (Unprivileged Architecture, chapters
 * 20 and 21). The kernel uses none. A program has them off (sstatus.FS; Privileged
 * Architecture, 3.1.6.6) until it uses one, after each switch of threads: whoever
 * does not use them never pays for them.
 */
#ifndef ASM_FPU_H
#define ASM_FPU_H

#include <ahoy/types.h>

struct user_frame;

#ifdef CONFIG_FPU

struct fpu_state {
	u64 f[32];
	u32 fcsr;
	bool used; /* else all are zero */
};

/*
 * Has this hart such registers? Those of F are taken to be those of D, as in all
 * harts for which there are distributions. Context: any.
 */
bool fpu_present(void);

/*
 * An illegal instruction: was it the first one that needs them? Then it can be
 * repeated. Context: the program's thread.
 */
bool fpu_first_use(struct user_frame *frame);

/* The thread of @frame gives up this hart. Context: interrupts masked. */
void fpu_switch(struct user_frame *frame);

/* Let the new program of @child have what the one of @parent has. Context: the latter's thread. */
void fpu_clone(struct user_frame *child, struct user_frame *parent);

/* Forget what the program has: all are zero. Context: its thread. */
void fpu_reset(struct user_frame *frame);

#else

struct fpu_state {
};

static inline bool fpu_present(void)
{
	return false;
}

static inline bool fpu_first_use(struct user_frame *frame)
{
	return false;
}

static inline void fpu_switch(struct user_frame *frame)
{
}

static inline void fpu_clone(struct user_frame *child, struct user_frame *parent)
{
}

static inline void fpu_reset(struct user_frame *frame)
{
}

#endif
#endif
