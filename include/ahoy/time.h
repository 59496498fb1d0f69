/* SPDX-License-Identifier: MIT */
/* Time since the machine's counter started, in nanoseconds. It never goes back. */
#ifndef AHOY_TIME_H
#define AHOY_TIME_H

#include <ahoy/core.h> /* time_now() */
#include <ahoy/types.h>

#define NSEC_PER_SEC  1000000000ULL
#define NSEC_PER_MSEC 1000000ULL
#define NSEC_PER_USEC 1000ULL

/* How long a tick is, in units of 2^-32 ns. Context: as time_now(). */
u64 time_ns_per_tick(void);

/* The first tick of the counter at or after @ns; U64_MAX where that is beyond it. */
u64 time_to_ticks(u64 ns);

/* Do nothing else for @ns nanoseconds at least. Context: any. */
void time_delay(u64 ns);

/* The same, by other units. */
static inline void ndelay(unsigned long ns)
{
	time_delay(ns);
}

static inline void udelay(unsigned long us)
{
	time_delay(us * NSEC_PER_USEC);
}

static inline void mdelay(unsigned long ms)
{
	time_delay(ms * NSEC_PER_MSEC);
}

#endif
