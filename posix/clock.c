// SPDX-License-Identifier: MIT
/*
 * Clocks, and sleeping. There is one time, since the machine started; the real
 * time is it and an offset, as long as nobody has set it the start of 1970. No
 * account is kept of who used the hart: the clocks of processes and threads show
 * the same time, which is an upper bound.
 */
#include "file.h"
#include "syscall.h"
#include <ahoy/compiler.h>

#define NSEC_PER_SEC 1000000000ULL

enum {
	CLOCK_REALTIME,
	CLOCK_MONOTONIC,
	CLOCK_PROCESS_CPUTIME_ID,
	CLOCK_THREAD_CPUTIME_ID,
	CLOCK_MONOTONIC_RAW,
	CLOCK_REALTIME_COARSE,
	CLOCK_MONOTONIC_COARSE,
	CLOCK_BOOTTIME,
	CLOCK_REALTIME_ALARM,
	CLOCK_BOOTTIME_ALARM,
	CLOCK_TAI = 11,
};

struct timespec {
	s64 sec, nsec;
};

struct timeval {
	s64 sec, usec;
};

static u64 wall_offset;

/* --- what time it is ------------------------------------------------------------------------ */

static bool clock_known(int clock)
{
	return (clock >= CLOCK_REALTIME && clock <= CLOCK_BOOTTIME_ALARM) || clock == CLOCK_TAI;
}

/* How far @clock is ahead of time_now() */
static u64 offset_of(int clock)
{
	bool wall = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE ||
		    clock == CLOCK_REALTIME_ALARM || clock == CLOCK_TAI;

	return wall ? __atomic_load_n(&wall_offset, __ATOMIC_RELAXED) : 0;
}

static struct timespec to_timespec(u64 ns)
{
	return (struct timespec){ (s64)(ns / NSEC_PER_SEC), (s64)(ns % NSEC_PER_SEC) };
}

SYSCALL2(113, clock_gettime, int, clock, struct timespec __user *, user)
{
	struct timespec time;

	if (unlikely(!clock_known(clock)))
		return -EINVAL;
	time = to_timespec(time_now() + offset_of(clock));
	return copy_to_user(user, &time, sizeof(time));
}

SYSCALL2(114, clock_getres, int, clock, struct timespec __user *, user)
{
	static const struct timespec resolution = { 0, 1 };

	if (!clock_known(clock))
		return -EINVAL;
	return user ? copy_to_user(user, &resolution, sizeof(resolution)) : 0;
}

/* Return: whether *@time is one, and then it in *@ns, which ends before TIME_NEVER. */
static bool from_timespec(const struct timespec *time, u64 *ns)
{
	if (time->sec < 0 || time->nsec < 0 || time->nsec >= (s64)NSEC_PER_SEC)
		return false;
	*ns = TIME_NEVER - 1;
	if ((u64)time->sec < *ns / NSEC_PER_SEC)
		*ns = (u64)time->sec * NSEC_PER_SEC + (u64)time->nsec;
	return true;
}

static void set_wall(u64 ns)
{
	u64 offset = ns - time_now();

	__atomic_store_n(&wall_offset, offset, __ATOMIC_RELAXED);
	vdso_set_wall_offset(offset);
}

SYSCALL2(112, clock_settime, int, clock, const struct timespec __user *, user)
{
	struct timespec time;
	u64 ns;

	if (clock != CLOCK_REALTIME)
		return -EINVAL;
	if (copy_from_user(&time, user, sizeof(time)))
		return -EFAULT;
	/* It is not before the machine started. */
	if (!from_timespec(&time, &ns) || ns < time_now())
		return -EINVAL;
	set_wall(ns);
	return 0;
}

struct timezone {
	s32 minutes_west, dst;
};

SYSCALL2(169, gettimeofday, struct timeval __user *, user, struct timezone __user *, zone)
{
	struct timespec now = to_timespec(time_now() + offset_of(CLOCK_REALTIME));
	struct timeval time = { now.sec, now.nsec / 1000 };

	if (user && copy_to_user(user, &time, sizeof(time)))
		return -EFAULT;
	return zone ? clear_user(zone, sizeof(*zone)) : 0;
}

/* --- sleeping --------------------------------------------------------------------------------- */

#define TIMER_ABSTIME 1

/* Sleep until @deadline. Return: 0, -EINTR and what is left in *@left, in nanoseconds. */
static int sleep_until(u64 deadline, u64 *left)
{
	static const u32 word;
	int err;
	u64 now;

	do {
		err = wait_on_interruptible(&word, 0, deadline);
	} while (err && err != -ETIMEDOUT && err != -EINTR);
	if (err != -EINTR)
		return 0;
	now = time_now();
	*left = deadline > now ? deadline - now : 0;
	return -EINTR;
}

/* @remaining: where to put what is left of it, or NULL */
static long sleep_for(u64 ns, struct timespec __user *remaining)
{
	u64 now = time_now(), left;
	struct timespec time;

	if (!sleep_until(ns < TIME_NEVER - 1 - now ? now + ns : TIME_NEVER - 1, &left))
		return 0;
	time = to_timespec(left);
	if (remaining && copy_to_user(remaining, &time, sizeof(time)))
		return -EFAULT;
	return -EINTR;
}

/* Return: 0 and the time at @user in *@ns, or an error. */
static int get_time(const struct timespec __user *user, u64 *ns)
{
	struct timespec time;

	if (copy_from_user(&time, user, sizeof(time)))
		return -EFAULT;
	return from_timespec(&time, ns) ? 0 : -EINVAL;
}

SYSCALL2(101, nanosleep, const struct timespec __user *, user, struct timespec __user *, remaining)
{
	u64 ns;
	int err = get_time(user, &ns);

	return err ? err : sleep_for(ns, remaining);
}

/* Return: 0 if one can sleep by @clock, or an error. */
static int check_sleep_clock(int clock)
{
	if (!clock_known(clock) || clock == CLOCK_THREAD_CPUTIME_ID)
		return -EINVAL;
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_MONOTONIC:
	case CLOCK_BOOTTIME:
	case CLOCK_TAI:
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

SYSCALL4(115, clock_nanosleep, int, clock, int, flags, const struct timespec __user *, user,
	 struct timespec __user *, remaining)
{
	u64 ns, left, offset;
	int err = check_sleep_clock(clock);

	if (!err)
		err = get_time(user, &ns);
	if (err)
		return err;
	if (!(flags & TIMER_ABSTIME))
		return sleep_for(ns, remaining);
	offset = offset_of(clock);
	return ns > offset ? sleep_until(ns - offset, &left) : 0;
}

SYSCALL0(124, sched_yield)
{
	thread_yield();
	return 0;
}
