// SPDX-License-Identifier: MIT
/* Two threads, each of which waits for the other to do something first. */
#include <ahoy/crash.h>
#include <ahoy/mutex.h>
#include <ahoy/thread.h>

static struct completion one, other;

static int after_you(void *arg)
{
	completion_wait(&one, TIME_NEVER);
	complete(&other);
	return 0;
}

static void crash_deadlock(void)
{
	struct thread *thread = thread_create("polite", after_you, NULL, PRIORITY_DEFAULT);

	if (!thread)
		return;
	completion_wait(&other, TIME_NEVER);
	complete(&one);
	thread_join(thread);
}
CRASH_WAY(deadlock, "deadlock", crash_deadlock);
