// SPDX-License-Identifier: MIT
#include <stdarg.h>

#include <ahoy/console.h>
#include <ahoy/lockdep.h>
#include <ahoy/panic.h>
#include <ahoy/power.h>
#include <ahoy/printk.h>
#include <ahoy/smp.h>
#include <asm/irqflags.h>
#include <asm/processor.h>
#include <asm/traps.h>

#ifdef CONFIG_SMP
/* One report at a time, from the hart that was first; the others stop. */
static void claim_report(void)
{
	static u32 owner; /* index + 1 */
	u32 none = 0, own = this_hart() + 1;

	if (!__atomic_compare_exchange_n(&owner, &none, own, false, __ATOMIC_SEQ_CST,
					 __ATOMIC_SEQ_CST) &&
	    none != own)
		smp_stop_self();
	smp_stop_others();
}
#else
static void claim_report(void)
{
}
#endif

static void begin(const char *fmt, va_list args)
{
	local_irq_disable();
	lockdep_off();
	claim_report();
	console_break_lock();
	printk_show_all();
	console_printf("Kernel panic - not syncing: ");
	console_vprintf(fmt, args);
	console_printf("\n");
}

void panic_begin(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	begin(fmt, args);
	va_end(args);
}

void panic_end(void)
{
	console_printf("---[ end Kernel panic ]---\n");
	console_flush();
	machine_fail(1);
}

void panic(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	begin(fmt, args);
	va_end(args);
	dump_stack();
	panic_end();
}
