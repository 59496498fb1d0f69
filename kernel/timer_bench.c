// SPDX-License-Identifier: MIT
#include <ahoy/bench.h>
#include <ahoy/timer.h>
#include <asm/irqflags.h>
#include <asm/processor.h>

static bool fired;

static void fire(struct timer *timer)
{
	fired = true;
}

static void arm_and_fire(struct timer *timer)
{
	unsigned long flags;

	fired = false;
	flags = local_irq_save();
	timer_arm(timer, 0);
	/* Its time has come already. */
	local_irq_restore(flags);
	while (!READ_ONCE(fired))
		;
}

BENCH(timer, arm_fire)
{
	struct timer timer;

	timer_init(&timer, fire);
	BENCH_LOOP
	{
		arm_and_fire(&timer);
	}
	return BENCH_ROUNDS;
}

BENCH(timer, arm_cancel)
{
	struct timer timer;

	timer_init(&timer, fire);
	BENCH_LOOP
	{
		timer_arm(&timer, TIME_NEVER - 1);
		timer_cancel(&timer);
	}
	return BENCH_ROUNDS;
}
