// SPDX-License-Identifier: MIT
/*
 * Exceptions of the kernel itself: what happened, where, with which registers
 * and by which way of calls. Nothing returns from here.
 */
#include <ahoy/compiler.h>
#include <ahoy/panic.h>
#include <ahoy/printk.h>
#include <asm/crash.h>
#include <asm/csr.h>
#include <asm/layout.h>
#include <asm/page.h>
#include <asm/ptrace.h>
#include <asm/traps.h>
#include <asm/user_paging.h>

/* Called by the trap entry alone. */
void trap_report(const struct pt_regs *regs) __noreturn;
void trap_nested(void) __noreturn;
extern void trap_entry(void);
extern char trap_stack_top[];

BUILD_BUG_ON(sizeof(struct pt_regs) != PT_SIZE);
BUILD_BUG_ON(offsetof(struct pt_regs, t6) != PT_X(31));
BUILD_BUG_ON(offsetof(struct pt_regs, cause) != PT_CAUSE);

/* Exception codes (Privileged Architecture, 10.1.8) */
#define CAUSE_ILLEGAL	 2
#define CAUSE_BREAKPOINT 3

static const char *const causes[] = {
	[0] = "instruction address misaligned",
	[1] = "instruction access fault",
	[CAUSE_ILLEGAL] = "illegal instruction",
	[CAUSE_BREAKPOINT] = "breakpoint",
	[4] = "load address misaligned",
	[5] = "load access fault",
	[6] = "store address misaligned",
	[7] = "store access fault",
	[8] = "environment call from U-mode",
	[9] = "environment call from S-mode",
	[12] = "instruction page fault",
	[13] = "load page fault",
	[15] = "store page fault",
};

static const char *const interrupts[] = {
	[IRQ_SOFT] = "supervisor software interrupt",
	[IRQ_TIMER] = "supervisor timer interrupt",
	[IRQ_EXTERNAL] = "supervisor external interrupt",
};

static const char *cause_name(unsigned long cause)
{
	unsigned long code = cause & ~SCAUSE_INTERRUPT;
	const char *name = NULL;

	if (cause & SCAUSE_INTERRUPT) {
		if (code < ARRAY_SIZE(interrupts))
			name = interrupts[code];
	} else if (code < ARRAY_SIZE(causes)) {
		name = causes[code];
	}
	return name ? name : "unknown trap";
}

/* What the address says about the reason, where it says something. */
static const char *hint(const struct pt_regs *regs)
{
#ifdef CONFIG_MMU
	extern char boot_stack_guard[];
	unsigned long guard = (unsigned long)boot_stack_guard;

	if (regs->tval >= guard && regs->tval < guard + PAGE_SIZE)
		return " (stack overflow)";
	/* Threads' stacks have guards on both sides, too. */
	if (IS_ENABLED(CONFIG_VMALLOC) && regs->cause >= 12 && regs->tval >= VMALLOC_START &&
	    regs->tval < VMALLOC_END)
		return regs->tval + PAGE_SIZE > regs->sp && regs->tval < regs->sp + PAGE_SIZE
			       ? " (stack overflow)"
			       : " (beyond the end of a mapping)";
	if (regs->cause >= 12 && regs->tval < PAGE_SIZE)
		return " (null pointer)";
	if (IS_ENABLED(CONFIG_ADDRESS_SPACES) && regs->cause >= 12 && regs->tval < user_end)
		return " (user memory)";
	if (regs->cause == 15 && regs->tval >= (unsigned long)_start &&
	    regs->tval < (unsigned long)_rodata_end)
		return " (write to read-only kernel memory)";
	if (regs->cause == 12 && regs->tval >= (unsigned long)_rodata_start &&
	    regs->tval < (unsigned long)_end)
		return " (execution of data)";
#endif
	if (IS_ENABLED(CONFIG_UBSAN) && regs->cause == CAUSE_BREAKPOINT)
		return " (undefined behaviour)";
	return "";
}

static void show_regs(const struct pt_regs *regs)
{
	static const char names[][4] = {
		"epc", "ra", "sp", "gp", "tp",	"t0",  "t1", "t2", "s0", "s1", "a0",
		"a1",  "a2", "a3", "a4", "a5",	"a6",  "a7", "s2", "s3", "s4", "s5",
		"s6",  "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
	};
	const unsigned long *reg = &regs->epc;
	unsigned int i;

	for (i = 1; i < ARRAY_SIZE(names); i++)
		console_printf("%3s %016lx%s", names[i], reg[i],
			       i % 4 == 0 || i + 1 == ARRAY_SIZE(names) ? "\n" : "  ");
	console_printf("status %016lx  cause %016lx  tval %016lx\n", regs->status, regs->cause,
		       regs->tval);
}

#ifdef CONFIG_CRASH_TEST
bool crash_in_report;
#else
#define crash_in_report false
#endif

void trap_report(const struct pt_regs *regs)
{
	/* stval is no address for these, nor for interrupts (10.1.9). */
	if (regs->cause == CAUSE_ILLEGAL || regs->cause == CAUSE_BREAKPOINT ||
	    regs->cause & SCAUSE_INTERRUPT)
		panic_begin("%s%s", cause_name(regs->cause), hint(regs));
	else
		panic_begin("%s at 0x%lx%s", cause_name(regs->cause), regs->tval, hint(regs));
	console_printf("epc %pS\n ra %pS\n", (void *)regs->epc, (void *)regs->ra);
	if (crash_in_report)
		crash_illegal();
	show_regs(regs);
	show_stack(regs->epc, regs->ra, regs->s0);
	panic_end();
}

#ifdef CONFIG_ADDRESS_SPACES
void trap_report_here(const struct pt_regs *regs)
{
	/* By this a fault inside the report is known. */
	csr_write(sscratch, 0);
	trap_report(regs);
}
#endif

void trap_nested(void)
{
	unsigned long cause = csr_read(scause), epc = csr_read(sepc), tval = csr_read(stval);

	console_printf("\nanother fault during the report: %s, tval 0x%lx, epc %pS\n",
		       cause_name(cause), tval, (void *)epc);
	panic_end();
}

void traps_hart_init(void *stack_top)
{
	unsigned long top = (unsigned long)stack_top;

	if (IS_ENABLED(CONFIG_USERSPACE))
		top = IS_ENABLED(CONFIG_SMP) ? ~top : 1;
	csr_write(sscratch, top);
	csr_write(stvec, trap_entry);
}

void traps_init(void)
{
	traps_hart_init(trap_stack_top);
}
