// SPDX-License-Identifier: MIT
#include <ahoy/compiler.h>
#include <ahoy/errno.h>
#include <ahoy/ktest.h>
#include <ahoy/smp.h>
#include <ahoy/spinlock.h>
#include <ahoy/thread.h>
#include <ahoy/timer.h>
#include <ahoy/wait.h>
#include <asm/irqflags.h>

static u32 seen; /* bit n: a thread ran on hart n (up to 32) */

static int note_hart(void *arg)
{
	u64 end = time_now() + NSEC_PER_MSEC;

	/* Long enough that somebody else comes for the others. */
	while (time_now() < end)
		__atomic_or_fetch(&seen, 1U << this_hart(), __ATOMIC_RELAXED);
	return 0;
}

/* Threads that all become ready on one hart spread over all of them. */
KTEST(smp, spread)
{
	struct thread *threads[64];
	u64 end = time_now() + 20 * NSEC_PER_SEC;
	unsigned int i;
	u32 all;

	smp_wait();
	all = smp_online() >= 32 ? ~0U : (1U << smp_online()) - 1;
	/* An emulator on a busy machine may leave a hart alone for a while. */
	while (READ_ONCE(seen) != all && time_now() < end) {
		for (i = 0; i < ARRAY_SIZE(threads); i++) {
			threads[i] = thread_create("spread", note_hart, NULL, PRIORITY_DEFAULT);
			KTEST_ASSERT(threads[i]);
		}
		for (i = 0; i < ARRAY_SIZE(threads); i++)
			thread_join(threads[i]);
	}
	KTEST_EXPECT(READ_ONCE(seen) == all);
	console_printf("# %u harts\n", smp_online());
}

/* Not more: where harts are more than processors, passing a lock on takes time slices. */
#define COUNTERS 8
#define ROUNDS	 100

static struct spinlock counter_lock;
static unsigned long counter;

static int count(void *arg)
{
	for (unsigned int i = 0; i < ROUNDS; i++) {
		unsigned long flags = spin_lock(&counter_lock);

		counter++;
		spin_unlock(&counter_lock, flags);
	}
	return 0;
}

KTEST(smp, spinlock)
{
	struct thread *threads[COUNTERS];
	unsigned int i;

	counter = 0;
	for (i = 0; i < COUNTERS; i++) {
		threads[i] = thread_create("count", count, NULL, PRIORITY_DEFAULT);
		KTEST_ASSERT(threads[i]);
	}
	for (i = 0; i < COUNTERS; i++)
		thread_join(threads[i]);
	KTEST_EXPECT(counter == (unsigned long)COUNTERS * ROUNDS);
}

static void note_call(void *arg)
{
	*(u32 *)arg |= 1U << this_hart();
}

static u32 crossed;

static int call_back(void *arg)
{
	for (unsigned int i = 0; i < 100; i++)
		for (unsigned int hart = 0; hart < smp_online(); hart++) {
			u32 made = 0;

			smp_call(hart, note_call, &made);
			if (made != 1U << hart)
				return 1;
			__atomic_add_fetch(&crossed, 1, __ATOMIC_RELAXED);
		}
	return 0;
}

/* Harts call each other, also at the same time. */
KTEST(smp, call)
{
	struct thread *threads[2];
	unsigned int i;

	smp_wait();
	crossed = 0;
	KTEST_EXPECT(smp_call(NR_HARTS, note_call, NULL) == -ENODEV);
	for (i = 0; i < 2; i++) {
		threads[i] = thread_create("caller", call_back, NULL, PRIORITY_DEFAULT);
		KTEST_ASSERT(threads[i]);
	}
	for (i = 0; i < 2; i++)
		KTEST_EXPECT(thread_join(threads[i]) == 0);
	KTEST_EXPECT(crossed == 200 * smp_online());
}

static struct timer again;
static u32 again_runs;

static void arm_again(struct timer *timer)
{
	WRITE_ONCE(again_runs, 1);
	time_delay(2 * NSEC_PER_MSEC);
	timer_arm(timer, time_now() + 100 * NSEC_PER_MSEC);
}

static void arm_here(void *arg)
{
	timer_arm(&again, time_now());
}

/* A timer that arms itself again on another hart does not after it was cancelled. */
KTEST(smp, cancel_while_arming)
{
	unsigned long flags;

	smp_wait();
	if (smp_online() < 2)
		return;
	again_runs = 0;
	timer_init(&again, arm_again);
	/* Not moved to where the timer is. */
	flags = local_irq_save();
	smp_call(!this_hart(), arm_here, NULL);
	while (!READ_ONCE(again_runs))
		;
	timer_cancel(&again);
	KTEST_EXPECT(!READ_ONCE(again.armed));
	local_irq_restore(flags);
}
