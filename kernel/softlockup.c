// SPDX-License-Identifier: MIT
/*
 * Threads that keep a hart for themselves while others wait for it. Each hart
 * that does not idle has a timer, which looks whether threads were switched
 * since it looked last.
 */
#include <ahoy/cmdline.h>
#include <ahoy/hangs.h>
#include <ahoy/kstrtox.h>
#include <ahoy/panic.h>
#include <ahoy/printk.h>
#include <ahoy/smp.h>
#include <ahoy/thread.h>
#include <ahoy/timer.h>
#include <asm/traps.h>

static struct watch {
	struct timer timer;
	bool idle;
	bool switched; /* since the timer was set */
	bool reported; /* the thread that runs */
} watches[NR_HARTS];

static bool panics;

static void set_panic(const char *value)
{
	if (kstrtobool(value ? value : "1", &panics))
		pr_err("softlockup_panic=%s: neither 0 nor 1\n", value);
}
PARAM(softlockup_panic, set_panic);

static void report(void)
{
	const char *name = thread_current()->name;

	if (panics)
		panic("soft lockup: thread %s keeps hart %u from others for %u s", name,
		      this_hart(), CONFIG_SOFTLOCKUP_SECONDS);
	pr_err("soft lockup: thread %s keeps hart %u from others for %u s\n", name, this_hart(),
	       CONFIG_SOFTLOCKUP_SECONDS);
	dump_stack();
}

static void look(struct timer *timer)
{
	struct watch *watch = container_of(timer, struct watch, timer);

	if (watch->idle)
		return;
	if (!watch->switched && !watch->reported && sched_others_wait()) {
		watch->reported = true;
		report();
	}
	watch->switched = false;
	timer_arm(timer, time_now() + CONFIG_SOFTLOCKUP_SECONDS * NSEC_PER_SEC);
}

void softlockup_switch(bool idle)
{
	struct watch *watch = &watches[this_hart()];

	watch->idle = idle;
	watch->switched = true;
	watch->reported = false;
	if (idle || watch->timer.armed)
		return;
	timer_init(&watch->timer, look);
	timer_arm(&watch->timer, time_now() + CONFIG_SOFTLOCKUP_SECONDS * NSEC_PER_SEC);
}
