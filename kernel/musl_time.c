// SPDX-License-Identifier: MIT
/* Time for musl: there is one clock, since the machine's counter started. */
#include "musl_emu.h"
#include <ahoy/errno.h>
#include <ahoy/time.h>
#include <ahoy/wait.h>

/* The last clock of those that have no alarms: CLOCK_BOOTTIME. Real time began with the machine. */
#define CLOCK_LAST    7
#define TIMER_ABSTIME 1

/* Nanoseconds; later than ever comes where it is too much. */
static u64 to_ns(const struct timespec *time)
{
	u64 ns;

	if (__builtin_mul_overflow((u64)time->tv_sec, NSEC_PER_SEC, &ns) ||
	    __builtin_add_overflow(ns, (u64)time->tv_nsec, &ns))
		return TIME_NEVER - 1;
	return ns;
}

static bool valid(const struct timespec *time)
{
	return time->tv_sec >= 0 && time->tv_nsec >= 0 && time->tv_nsec < (s64)NSEC_PER_SEC;
}

u64 musl_deadline(const struct timespec *relative)
{
	u64 now = time_now(), ns = to_ns(relative);

	return ns < TIME_NEVER - now ? now + ns : TIME_NEVER - 1;
}

MUSL_CALL(113, clock_gettime)
{
	struct timespec *time = (struct timespec *)arg[1];
	u64 now = time_now();

	if (arg[0] < 0 || arg[0] > CLOCK_LAST)
		return -EINVAL;
	*time = (struct timespec){ (s64)(now / NSEC_PER_SEC), (s64)(now % NSEC_PER_SEC) };
	return 0;
}

#if defined(CONFIG_TIMERS) && defined(CONFIG_THREADS)
static void pause_until(u64 deadline)
{
	sleep_until(deadline);
}
#else
static void pause_until(u64 deadline)
{
	u64 now = time_now();

	if (now < deadline)
		time_delay(deadline - now);
}
#endif

static long sleep_for(const struct timespec *time, bool absolute)
{
	if (!valid(time))
		return -EINVAL;
	pause_until(absolute ? to_ns(time) : musl_deadline(time));
	return 0;
}

MUSL_CALL(101, nanosleep)
{
	return sleep_for((const struct timespec *)arg[0], false);
}

MUSL_CALL(115, clock_nanosleep)
{
	if (arg[0] < 0 || arg[0] > CLOCK_LAST)
		return -EINVAL;
	return sleep_for((const struct timespec *)arg[2], arg[1] & TIMER_ABSTIME);
}
