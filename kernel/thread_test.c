// SPDX-License-Identifier: MIT
#include <ahoy/compiler.h>
#include <ahoy/errno.h>
#include <ahoy/ktest.h>
#include <ahoy/page_alloc.h>
#include <ahoy/sched.h>
#include <ahoy/smp.h>
#include <ahoy/thread.h>
#include <ahoy/wait.h>
#include <asm/irqflags.h>

static int twice(void *arg)
{
	return 2 * (int)(unsigned long)arg;
}

KTEST(thread, create_and_join)
{
	size_t used;
	unsigned int i;

	thread_free_spare_stacks();
	used = page_alloc_counts().used;
	for (i = 0; i < 10000; i++) {
		struct thread *thread =
			thread_create("twice", twice, (void *)(unsigned long)i, PRIORITY_DEFAULT);

		KTEST_ASSERT(thread);
		KTEST_ASSERT(thread_join(thread) == 2 * (int)i);
	}
	/* Tables and slabs may stay. */
	thread_free_spare_stacks();
	KTEST_EXPECT(page_alloc_counts().used <= used + 3);
}

static int yield_some(void *arg)
{
	for (unsigned int i = 0; i < 10; i++)
		thread_yield();
	__atomic_add_fetch((u32 *)arg, 1, __ATOMIC_RELAXED);
	return 0;
}

/* At ktest.scale=100, these are 10,000, of which some exist at the same time. */
KTEST(thread, many)
{
	struct thread *threads[50];
	unsigned int i, round, rounds = ktest_scaled(2);
	u32 ended = 0;

	for (round = 0; round < rounds; round++) {
		for (i = 0; i < ARRAY_SIZE(threads); i++) {
			threads[i] = thread_create("many", yield_some, &ended,
						   PRIORITY_DEFAULT - 2 + ktest_random(5));
			KTEST_ASSERT(threads[i]);
		}
		for (i = 0; i < ARRAY_SIZE(threads); i++)
			KTEST_EXPECT(thread_join(threads[i]) == 0);
	}
	KTEST_EXPECT(ended == rounds * ARRAY_SIZE(threads));
}

static char order[8];
static unsigned int order_len;

static int note(void *arg)
{
	/* The end of a time slice must not come in between. */
	unsigned long flags = local_irq_save();

	order[order_len++] = *(const char *)arg;
	schedule();
	order[order_len++] = *(const char *)arg;
	local_irq_restore(flags);
	return 0;
}

/* The urgent ones first, equal ones in turns. */
KTEST(thread, priorities)
{
	struct thread *threads[3];

	/* With several harts they run side by side. */
	if (smp_online() > 1)
		return;
	order_len = 0;
	threads[0] = thread_create("a", note, "a", PRIORITY_DEFAULT + 2);
	threads[1] = thread_create("b", note, "b", PRIORITY_DEFAULT + 2);
	threads[2] = thread_create("c", note, "c", PRIORITY_DEFAULT + 1);
	for (unsigned int i = 0; i < 3; i++) {
		KTEST_ASSERT(threads[i]);
		thread_join(threads[i]);
	}
	KTEST_EXPECT(order_len == 6);
	KTEST_EXPECT(order[0] == 'c' && order[1] == 'c');
	KTEST_EXPECT(order[2] == 'a' && order[3] == 'b' && order[4] == 'a' && order[5] == 'b');
}

static u32 ball;

static int play(void *arg)
{
	u32 me = (unsigned long)arg;

	for (unsigned int i = 0; i < 1000; i++) {
		while (READ_ONCE(ball) != me)
			wait_on(&ball, !me, TIME_NEVER);
		WRITE_ONCE(ball, !me);
		wake(&ball, 1);
	}
	return 0;
}

KTEST(wait, ping_pong)
{
	struct thread *a, *b;

	ball = 0;
	a = thread_create("ping", play, (void *)0UL, PRIORITY_DEFAULT);
	b = thread_create("pong", play, (void *)1UL, PRIORITY_DEFAULT);
	KTEST_ASSERT(a && b);
	KTEST_EXPECT(thread_join(a) == 0);
	KTEST_EXPECT(thread_join(b) == 0);
	KTEST_EXPECT(ball == 0);
}

static u32 gate;

static int wait_at_gate(void *arg)
{
	return wait_on_interruptible(&gate, 0, TIME_NEVER);
}

KTEST(wait, results)
{
	struct thread *threads[4];
	unsigned int i;

	gate = 0;
	KTEST_EXPECT(wait_on(&gate, 1, TIME_NEVER) == -EAGAIN);
	KTEST_EXPECT(wake(&gate, 1) == 0);
	for (i = 0; i < 4; i++) {
		threads[i] = thread_create("gate", wait_at_gate, NULL, PRIORITY_DEFAULT);
		KTEST_ASSERT(threads[i]);
		while (!READ_ONCE(threads[i]->wait_word))
			thread_yield();
	}
	/* The first one is woken, the second notified, the others woken together. */
	KTEST_EXPECT(wake(&gate, 1) == 1);
	thread_notify(threads[1]);
	KTEST_EXPECT(wake(&gate, 10) == 2);
	for (i = 0; i < 4; i++)
		KTEST_EXPECT(thread_join(threads[i]) == (i == 1 ? -EINTR : 0));
	/* A notification is not lost. */
	thread_notify(thread_current());
	KTEST_EXPECT(wait_on(&gate, 1, TIME_NEVER) == -EAGAIN);
	KTEST_EXPECT(wait_on_interruptible(&gate, 0, TIME_NEVER) == -EINTR);
	KTEST_EXPECT(wait_on_interruptible(&gate, 0, TIME_NEVER) == -EINTR);
	KTEST_EXPECT(thread_attend());
	KTEST_EXPECT(!thread_attend());
	KTEST_EXPECT(wait_on_interruptible(&gate, 1, TIME_NEVER) == -EAGAIN);
}

#ifdef CONFIG_TIMERS
static int interruptible_results[2];

static int wait_twice(void *arg)
{
	interruptible_results[0] = wait_on_interruptible(&gate, 0, TIME_NEVER);
	interruptible_results[1] = wait_on_interruptible(&gate, 1, time_now() + 20 * NSEC_PER_MSEC);
	return 0;
}

/* A notification between the wake and the return of the wait is one for the next wait. */
KTEST(wait, notify_behind_wake)
{
	struct thread *thread;
	unsigned long flags;

	gate = 0;
	thread = thread_create("twice", wait_twice, NULL, PRIORITY_DEFAULT);
	KTEST_ASSERT(thread);
	while (!READ_ONCE(thread->wait_word))
		thread_yield();
	flags = local_irq_save();
	gate = 1;
	KTEST_EXPECT(wake(&gate, 1) == 1);
	thread_notify(thread);
	local_irq_restore(flags);
	thread_join(thread);
	KTEST_EXPECT(interruptible_results[0] == -EINTR || interruptible_results[1] == -EINTR);
}

static int nap(void *arg)
{
	u64 start = time_now(), ns = (unsigned long)arg;

	sleep_ns(ns);
	return time_now() - start >= ns;
}

/* Many sleep at the same time, each long enough. */
KTEST(wait, sleep)
{
	struct thread *threads[8];
	u64 start = time_now();
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(threads); i++) {
		threads[i] = thread_create("nap", nap, (void *)((8UL - i) * NSEC_PER_MSEC),
					   PRIORITY_DEFAULT);
		KTEST_ASSERT(threads[i]);
	}
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		KTEST_EXPECT(thread_join(threads[i]) == true);
	KTEST_EXPECT(time_now() >= start + 8 * NSEC_PER_MSEC);
	sleep_until(start);
}

KTEST(wait, deadline)
{
	u64 start = time_now();

	gate = 0;
	KTEST_EXPECT(wait_on(&gate, 0, start + 5 * NSEC_PER_MSEC) == -ETIMEDOUT);
	KTEST_EXPECT(time_now() >= start + 5 * NSEC_PER_MSEC);
	KTEST_EXPECT(wait_on(&gate, 0, start) == -ETIMEDOUT);
}
#endif

#ifdef CONFIG_PREEMPT
static u32 spins, stop;

static int spin(void *arg)
{
	while (!READ_ONCE(stop))
		WRITE_ONCE(spins, spins + 1);
	return 0;
}

/* One that never gives way does not keep the others from their turns. */
KTEST(thread, preemption)
{
	struct thread *thread;
	u32 before;

	stop = 0;
	thread = thread_create("spin", spin, NULL, PRIORITY_DEFAULT);
	KTEST_ASSERT(thread);
	while (!READ_ONCE(spins))
		;
	before = spins;
	while (READ_ONCE(spins) == before)
		;
	stop = 1;
	thread_join(thread);
}
#endif
