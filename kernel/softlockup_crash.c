// SPDX-License-Identifier: MIT
/* A thread that keeps its hart while another one is ready there. */
#include <ahoy/compiler.h>
#include <ahoy/crash.h>
#include <ahoy/thread.h>
#include <ahoy/time.h>

/* More urgent than the other, so that no turn ends it. It hardly ever calls anything. */
static noinline int hog(void *arg)
{
	u64 start = time_now();
	unsigned int i;

	while (time_now() - start < 3 * CONFIG_SOFTLOCKUP_SECONDS * NSEC_PER_SEC)
		for (i = 0; i < 100000; i++)
			barrier();
	return 0;
}

static int wait_for_hart(void *arg)
{
	return 0;
}

static void crash_soft_lockup(void)
{
	struct thread *last = thread_create("patient", wait_for_hart, NULL, PRIORITY_DEFAULT + 1);
	struct thread *first = thread_create("hog", hog, NULL, PRIORITY_DEFAULT - 1);

	if (first)
		thread_join(first);
	if (last)
		thread_join(last);
}
CRASH_WAY(soft_lockup, "soft-lockup", crash_soft_lockup);
