/* SPDX-License-Identifier: MIT */
/*
 * Waiting for a word in memory to change. It is checked under the lock that
 * wake() takes, so that no change between the look and the sleep is missed.
 */
#ifndef AHOY_WAIT_H
#define AHOY_WAIT_H

#include <ahoy/core.h> /* wait_on(), wake(), thread_notify() */
#include <ahoy/errno.h>
#include <ahoy/thread.h>
#include <ahoy/time.h>
#include <ahoy/types.h>

#ifdef CONFIG_TIMERS
/* Let others run until @deadline (as of time_now()). Context: any thread, no lock held. */
static inline void sleep_until(u64 deadline)
{
	u32 nobody_wakes = 0;

	while (wait_on(&nobody_wakes, 0, deadline) != -ETIMEDOUT)
		;
}

/* The same, for @ns nanoseconds at least. */
static inline void sleep_ns(u64 ns)
{
	u64 now = time_now();

	sleep_until(ns < TIME_NEVER - now ? now + ns : TIME_NEVER - 1);
}
#endif

/*
 * Has the thread that runs this been notified? The next interruptible wait takes
 * no notice of it any more. For threads that run no program.
 */
bool thread_attend(void);

#endif
