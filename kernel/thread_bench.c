// SPDX-License-Identifier: MIT
#include <ahoy/bench.h>
#include <ahoy/mutex.h>
#include <ahoy/sched.h>
#include <ahoy/smp.h>
#include <ahoy/thread.h>
#include <ahoy/wait.h>
#include <asm/processor.h>

static struct mutex mutex;

BENCH(mutex, lock_unlock)
{
	BENCH_LOOP
	{
		mutex_lock(&mutex);
		mutex_unlock(&mutex);
	}
	return BENCH_ROUNDS;
}

/* Threads that keep other harts from taking part, without executing anything. */
static struct thread *occupiers[NR_HARTS];
static struct completion occupied;
static bool leave;

static int occupy(void *arg)
{
	complete(&occupied);
	while (!READ_ONCE(leave))
		wait_for_interrupt();
	return 0;
}

static void occupy_others(void)
{
	WRITE_ONCE(leave, false);
	for (unsigned int i = 1; i < smp_online(); i++) {
		occupiers[i] = thread_create("occupy", occupy, NULL, PRIORITY_DEFAULT);
		if (occupiers[i])
			completion_wait(&occupied, TIME_NEVER);
	}
}

static void leave_others(void)
{
	WRITE_ONCE(leave, true);
	for (unsigned int i = 1; i < smp_online(); i++) {
		/* They look when they are interrupted. */
		for (unsigned int hart = 0; hart < smp_online(); hart++)
			smp_reschedule(hart);
		if (occupiers[i])
			thread_join(occupiers[i]);
	}
}

/* Two threads give way to each other: an interval begins in one, and ends in the other. */
static int ping(void *arg)
{
	for (unsigned int i = 0; i < BENCH_ROUNDS; i++) {
		mark_begin();
		thread_yield();
	}
	return 0;
}

static int pong(void *arg)
{
	for (unsigned int i = 0; i < BENCH_ROUNDS; i++) {
		mark_end();
		thread_yield();
	}
	return 0;
}

BENCH(thread, switch)
{
	struct thread *a, *b;

	occupy_others();
	a = thread_create("ping", ping, NULL, PRIORITY_DEFAULT + 1);
	b = a ? thread_create("pong", pong, NULL, PRIORITY_DEFAULT + 1) : NULL;
	if (a)
		thread_join(a);
	if (b)
		thread_join(b);
	leave_others();
	return b ? BENCH_ROUNDS : 0;
}

static int nothing(void *arg)
{
	return 0;
}

BENCH(thread, create_join)
{
	BENCH_LOOP
	{
		struct thread *thread = thread_create("nothing", nothing, NULL, PRIORITY_DEFAULT);

		if (thread)
			thread_join(thread);
	}
	return BENCH_ROUNDS;
}

static u32 gate; /* 1: nobody waits at it any more */

static int wait_at_gate(void *arg)
{
	while (!READ_ONCE(gate))
		wait_on(&gate, 0, TIME_NEVER);
	return 0;
}

/* From the call until the thread that is woken, more urgent than this one, waits again. */
BENCH(wait, wake_wait)
{
	struct thread *thread;

	gate = 0;
	thread = thread_create("gate", wait_at_gate, NULL, PRIORITY_DEFAULT - 1);
	if (!thread)
		return 0;
	thread_yield();
	BENCH_LOOP
	{
		wake(&gate, 1);
		thread_yield();
	}
	WRITE_ONCE(gate, 1);
	wake(&gate, 1);
	thread_join(thread);
	return BENCH_ROUNDS;
}
