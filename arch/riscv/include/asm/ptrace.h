/* SPDX-License-Identifier: MIT */
/* The registers as the trap entry saves them. */
#ifndef ASM_PTRACE_H
#define ASM_PTRACE_H

/* Offsets in struct pt_regs: register xN at 8 * N, the pc in the place of x0. */
#define PT_EPC	  0
#define PT_X(n)	  (8 * (n))
#define PT_STATUS 256
#define PT_TVAL	  264
#define PT_CAUSE  272
#define PT_FP_PAD 280
#define PT_SIZE	  288

/* What an interrupt saves: the registers that C functions may change. */
#define IRQ_RA	       0
#define IRQ_T(n)       (8 + 8 * (n))
#define IRQ_A(n)       (64 + 8 * (n))
#define IRQ_EPC	       128
#define IRQ_STATUS     136
#define IRQ_FRAME_SIZE 144

#ifndef __ASSEMBLY__
#include <ahoy/types.h>

struct pt_regs {
	unsigned long epc;
	unsigned long ra, sp, gp, tp, t0, t1, t2, s0, s1;
	unsigned long a0, a1, a2, a3, a4, a5, a6, a7;
	unsigned long s2, s3, s4, s5, s6, s7, s8, s9, s10, s11;
	unsigned long t3, t4, t5, t6;
	unsigned long status, tval, cause;
	unsigned long pad; /* the stack stays aligned to 16 bytes */
};
#endif
#endif
