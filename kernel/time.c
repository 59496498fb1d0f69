// SPDX-License-Identifier: MIT
/* The clock: the time counter, by the frequency that the platform names. */
#include <ahoy/init.h>
#include <ahoy/of.h>
#include <ahoy/panic.h>
#include <ahoy/time.h>
#include <asm/processor.h>

/*
 * Fixed-point factors. A tick is 1/4 ns (at most 2^32 - 1 Hz, which is what a
 * cell of the device tree holds) to 1 s long, so that neither overflows, and
 * no product of 64 and 64 bits does.
 */
#define NS_FRACTION   32
#define TICK_FRACTION 60

static u64 ns_per_tick, ticks_per_ns;

u64 time_now(void)
{
	return (unsigned __int128)read_time() * ns_per_tick >> NS_FRACTION;
}

u64 time_ns_per_tick(void)
{
	return ns_per_tick;
}

u64 time_to_ticks(u64 ns)
{
	/* Rounded up: the wait must not end before its time. */
	unsigned __int128 ticks = ((unsigned __int128)ns * ticks_per_ns >> TICK_FRACTION) + 1;

	return ticks > U64_MAX ? U64_MAX : ticks;
}

void time_delay(u64 ns)
{
	u64 start = time_now();

	while (time_now() - start < ns)
		;
}

/*
 * 2^92 / @d, rounded up. It is made of @d, not of the frequency, so that both
 * ways of converting agree however long the machine runs.
 */
static u64 reciprocal(u64 d)
{
	u64 quotient = (1ULL << 62) / d, rest = (1ULL << 62) % d;
	/* So many bits at once as fit beside a remainder: ten, of clocks from 240 Hz on */
	unsigned int step = d >> 54 ? 1 : 10, i;

	for (i = 62; i < NS_FRACTION + TICK_FRACTION; i += step) {
		rest <<= step;
		quotient = (quotient << step) + rest / d;
		rest %= d;
	}
	return quotient + 1;
}
BUILD_BUG_ON((NS_FRACTION + TICK_FRACTION - 62) % 10);

static void time_init(void)
{
	u64 hz = timebase_frequency();

	if (!hz)
		panic("time: the device tree names no timebase-frequency");
	ns_per_tick = (NSEC_PER_SEC << NS_FRACTION) / hz;
	ticks_per_ns = reciprocal(ns_per_tick);
}
INIT(mm, time_init);
