// SPDX-License-Identifier: MIT
#include <ahoy/compiler.h>
#include <ahoy/ktest.h>
#include <ahoy/timer.h>
#include <asm/irqflags.h>
#include <asm/processor.h>

#define TIMERS 1000

static struct {
	struct timer timer;
	bool cancelled, fired;
} timers[TIMERS];
static u64 last;
static unsigned int fired, late, disorder;

static void fire(struct timer *timer)
{
	typeof(&timers[0]) own = container_of(timer, typeof(timers[0]), timer);

	late += time_now() < timer->deadline;
	disorder += timer->deadline < last || own->cancelled || own->fired;
	last = timer->deadline;
	own->fired = true;
	fired++;
}

/* At ktest.scale=100, these are 100,000. Armed, moved and cancelled at random, they fire in order and none too early. */
KTEST(timer, order)
{
	unsigned int i, round, rounds = ktest_scaled(1), expected = 0;
	unsigned long flags;

	fired = late = disorder = 0;
	for (round = 0; round < rounds; round++) {
		u64 start = time_now() + NSEC_PER_MSEC;

		/* None fires before all are set. */
		flags = local_irq_save();

		last = 0;
		for (i = 0; i < TIMERS; i++) {
			timer_init(&timers[i].timer, fire);
			timers[i].cancelled = timers[i].fired = false;
			timer_arm(&timers[i].timer, start + ktest_random(1000000));
		}
		for (i = 0; i < TIMERS; i += 1 + ktest_random(3)) {
			if (ktest_random(2))
				timers[i].cancelled = timer_cancel(&timers[i].timer);
			else
				timer_arm(&timers[i].timer,
					  start + 1000000 + ktest_random(1000000));
		}
		for (i = 0; i < TIMERS; i++)
			expected += !timers[i].cancelled;
		local_irq_restore(flags);
		while (READ_ONCE(fired) < expected && time_now() < start + NSEC_PER_SEC)
			;
	}
	mdelay(1);
	KTEST_EXPECT(READ_ONCE(fired) == expected);
	KTEST_EXPECT(late == 0);
	KTEST_EXPECT(disorder == 0);
}

/* A delay lasts as long as it says; the tick of a moment is not before it. */
KTEST(time, delay)
{
	u64 start = time_now(), ns = 0;

	ndelay(1000);
	KTEST_EXPECT(time_now() - start >= 1000);
	start = time_now();
	udelay(500);
	KTEST_EXPECT(time_now() - start >= 500 * NSEC_PER_USEC);
	KTEST_EXPECT(time_to_ticks(ns) <= 1);
	for (ns = 1; ns < U64_MAX / 2; ns *= 2)
		KTEST_EXPECT(time_to_ticks(ns * 2) >= time_to_ticks(ns));
	KTEST_EXPECT(time_to_ticks(time_now()) <= read_time() + 1);
	KTEST_EXPECT(time_to_ticks(time_now() + NSEC_PER_SEC) > read_time());
}
