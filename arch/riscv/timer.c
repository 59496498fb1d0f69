// SPDX-License-Identifier: MIT
/*
 * The hart's timer: its stimecmp register (Sstc extension), or a call of the
 * firmware, which then sets its own and passes the interrupt on.
 */
#include <ahoy/compiler.h>
#include <ahoy/printk.h>
#include <asm/csr.h>
#include <asm/sbi.h>
#include <asm/timer.h>

#ifdef CONFIG_RISCV_SSTC
static bool has_sstc;

/* Below, by number: assemblers of some versions do not know the name. */
#define STIMECMP "0x14d"

/* Writing stimecmp traps where it is missing, or where firmware keeps it to itself. */
static bool probe_sstc(void)
{
	unsigned long there;

	__asm__ __volatile__("lla	t0, 1f\n\t"
			     "csrrw	t0, stvec, t0\n\t"
			     "li	%0, 0\n\t"
			     "csrw	" STIMECMP ", %1\n\t"
			     "li	%0, 1\n\t"
			     ".balign	4\n"
			     "1:	csrw	stvec, t0"
			     : "=&r"(there)
			     : "r"(~0UL)
			     : "t0", "memory");
	return there;
}
#else
#define has_sstc false
#endif

void clockevent_init(void)
{
#ifdef CONFIG_RISCV_SSTC
	has_sstc = probe_sstc();
	pr_debug("timer: %s\n", has_sstc ? "Sstc" : "SBI");
#endif
	csr_set(sie, 1UL << IRQ_TIMER);
}

void clockevent_set(u64 ticks)
{
#ifdef CONFIG_RISCV_SSTC
	if (likely(has_sstc)) {
		__asm__ __volatile__("csrw " STIMECMP ", %0" : : "r"(ticks) : "memory");
		return;
	}
#endif
	sbi_set_timer(ticks);
}
