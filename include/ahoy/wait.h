/* SPDX-License-Identifier: MIT */
/*
 * Waiting for a word in memory to change. It is checked under the lock that
 * wake() takes, so that no change between the look and the sleep is missed.
 */
#ifndef AHOY_WAIT_H
#define AHOY_WAIT_H

#include <ahoy/errno.h>
#include <ahoy/thread.h>
#include <ahoy/time.h>
#include <ahoy/types.h>

/*
 * Wait while *@word is @expected, until somebody calls wake(@word) or the time
 * is @deadline (nanoseconds as of time_now(); TIME_NEVER). Return: 0 when
 * woken, -EAGAIN if *@word is another value at once, -ETIMEDOUT.
 * Context: any thread, no lock held.
 */
int wait_on(const u32 *word, u32 expected, u64 deadline);

/* The same, and -EINTR if the thread is notified, or was before. */
int wait_on_interruptible(const u32 *word, u32 expected, u64 deadline);

/*
 * Wake up to @n threads that wait for @word, the longest waiting first; change
 * the word before. Return: how many there were. Context: any.
 */
unsigned int wake(const u32 *word, unsigned int n);

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
 * Have @thread end its interruptible wait, or the next one if it is in none.
 * Context: any.
 */
void thread_notify(struct thread *thread);

#endif
