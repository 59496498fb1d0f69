// SPDX-License-Identifier: MIT
#include <ahoy/bench.h>
#include <ahoy/mutex.h>
#include <ahoy/sched.h>
#include <ahoy/thread.h>
#include <ahoy/wait.h>

static struct mutex mutex;

BENCH(mutex, lock_unlock)
{
	BENCH_LOOP
	{
		mutex_lock(&mutex);
		mutex_unlock(&mutex);
	}
}

/* Two threads give way to each other: an interval begins in one, and ends in the other. */
static int ping_pong(void *arg)
{
	for (unsigned int i = 0; i < BENCH_ROUNDS / 2; i++) {
		mark_begin();
		thread_yield();
		mark_end();
	}
	return 0;
}

BENCH(thread, switch)
{
	struct thread *a = thread_create("ping", ping_pong, NULL, PRIORITY_DEFAULT + 1);
	struct thread *b = thread_create("pong", ping_pong, NULL, PRIORITY_DEFAULT + 1);

	if (a)
		thread_join(a);
	if (b)
		thread_join(b);
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
}

static u32 gate;
static bool over;

static int wait_at_gate(void *arg)
{
	while (!READ_ONCE(over))
		wait_on(&gate, 0, TIME_NEVER);
	return 0;
}

/* From the call until the thread that is woken, more urgent than this one, waits again. */
BENCH(wait, wake_wait)
{
	struct thread *thread = thread_create("gate", wait_at_gate, NULL, PRIORITY_DEFAULT - 1);

	if (!thread)
		return;
	over = false;
	thread_yield();
	BENCH_LOOP
	{
		wake(&gate, 1);
		thread_yield();
	}
	over = true;
	wake(&gate, 1);
	thread_join(thread);
}
