// SPDX-License-Identifier: MIT
/*
 * The clocks, for programs to read without a system call. Runs in user mode, and
 * must agree with the kernel's time_now().
 */
#include <ahoy/compiler.h>
#include <ahoy/types.h>
#include <asm/vdso.h>

#define NSEC_PER_SEC 1000000000UL

/* Linux's numbers */
#define CLOCK_REALTIME	       0
#define CLOCK_MONOTONIC	       1
#define CLOCK_MONOTONIC_RAW    4
#define CLOCK_REALTIME_COARSE  5
#define CLOCK_MONOTONIC_COARSE 6
#define CLOCK_BOOTTIME	       7
#define SYS_clock_gettime      113
#define SYS_clock_getres       114

#define WALL_CLOCKS (BIT(CLOCK_REALTIME) | BIT(CLOCK_REALTIME_COARSE))
#define STEADY_CLOCKS                                                                              \
	(BIT(CLOCK_MONOTONIC) | BIT(CLOCK_MONOTONIC_RAW) | BIT(CLOCK_MONOTONIC_COARSE) |           \
	 BIT(CLOCK_BOOTTIME))

struct timespec {
	s64 sec, nsec;
};

struct timeval {
	s64 sec, usec;
};

struct timezone {
	int minuteswest, dsttime;
};

extern const struct vdso_data vdso_data __attribute__((__visibility__("hidden")));

int __vdso_clock_gettime(int clock, struct timespec *ts);
int __vdso_gettimeofday(struct timeval *tv, struct timezone *tz);
int __vdso_clock_getres(int clock, struct timespec *ts);

static __always_inline u64 now(void)
{
	u64 ticks;

	__asm__ __volatile__("rdtime %0" : "=r"(ticks));
	return (unsigned __int128)(ticks << vdso_data.shift) * vdso_data.multiplier >> 64;
}

static long system_call(long nr, long clock, void *result)
{
	register long a0 __asm__("a0") = clock;
	register long a1 __asm__("a1") = (long)result;
	register long a7 __asm__("a7") = nr;

	__asm__ __volatile__("ecall" : "+r"(a0) : "r"(a1), "r"(a7) : "memory");
	return a0;
}

int __vdso_clock_gettime(int clock, struct timespec *ts)
{
	u64 ns = now();

	/* The one that programs ask for most */
	if (unlikely(clock != CLOCK_MONOTONIC)) {
		if ((unsigned int)clock >= 8 || !(BIT(clock) & (WALL_CLOCKS | STEADY_CLOCKS)))
			return (int)system_call(SYS_clock_gettime, clock, ts);
		if (BIT(clock) & WALL_CLOCKS)
			ns += vdso_data.wall_offset;
	}
	ts->sec = (s64)(ns / NSEC_PER_SEC);
	ts->nsec = (s64)(ns % NSEC_PER_SEC);
	return 0;
}

int __vdso_gettimeofday(struct timeval *tv, struct timezone *tz)
{
	u64 us = (now() + vdso_data.wall_offset) / 1000;

	if (tv) {
		tv->sec = (s64)(us / 1000000);
		tv->usec = (s64)(us % 1000000);
	}
	if (tz) {
		tz->minuteswest = 0;
		tz->dsttime = 0;
	}
	return 0;
}

int __vdso_clock_getres(int clock, struct timespec *ts)
{
	return (int)system_call(SYS_clock_getres, clock, ts);
}
