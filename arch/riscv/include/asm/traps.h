/* SPDX-License-Identifier: MIT */
#ifndef ASM_TRAPS_H
#define ASM_TRAPS_H

#ifdef CONFIG_TRAPS
/*
 * Point stvec at the trap entry. Its reports run on a stack of TRAP_STACK_SIZE
 * bytes that ends at @stack_top. Context: each hart, once, before it can fault.
 */
void traps_hart_init(void *stack_top);

/* The same for the boot hart, whose stack is there. */
void traps_init(void);

#ifdef CONFIG_ADDRESS_SPACES
struct pt_regs;

/* Report a trap that another handler could do nothing about, on the stack of that. */
void trap_report_here(const struct pt_regs *regs) __attribute__((__noreturn__));
#endif
#else
static inline void traps_init(void)
{
}
#endif

#ifdef CONFIG_STACKTRACE
/*
 * Print the chain of calls from frame pointer @fp; @pc is where it starts, @ra
 * the way back if the function at @pc keeps that in the register. Follows
 * frames only within one of the kernel's stacks. Context: any.
 */
void show_stack(unsigned long pc, unsigned long ra, unsigned long fp);

/* The same from the caller of this. */
void dump_stack(void);
#else
static inline void show_stack(unsigned long pc, unsigned long ra, unsigned long fp)
{
}

static inline void dump_stack(void)
{
}
#endif
#endif
