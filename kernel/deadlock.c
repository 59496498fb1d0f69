// SPDX-License-Identifier: MIT
/*
 * A kernel that nothing can wake: all harts sleep, no thread is ready, no timer
 * is set and no device may interrupt. What harts do for each other ends before
 * the last of them sleeps.
 */
#include <ahoy/hangs.h>
#include <ahoy/lockdep.h>
#include <ahoy/panic.h>
#include <ahoy/printk.h>
#include <asm/irqflags.h>

/* How many harts are awake, and, from bit 32 on, how often one has woken up. */
static u64 harts = 1;

#define WOKEN (1ULL << 32)

void deadlock_hart_starts(void)
{
	__atomic_add_fetch(&harts, 1, __ATOMIC_SEQ_CST);
}

void deadlock_hart_sleeps(void)
{
	u64 before = __atomic_sub_fetch(&harts, 1, __ATOMIC_SEQ_CST);

	if ((u32)before || device_interrupts_enabled() || timers_pending() || sched_anybody_ready())
		return;
	/* None has woken up meanwhile, so what was seen belongs together. */
	if (__atomic_load_n(&harts, __ATOMIC_SEQ_CST) != before)
		return;
	panic_begin("deadlock: every thread waits, and nothing can wake one");
	wait_show_all();
	panic_end();
}

void deadlock_hart_wakes(void)
{
	__atomic_add_fetch(&harts, 1 + WOKEN, __ATOMIC_SEQ_CST);
}
