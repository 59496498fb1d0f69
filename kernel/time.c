// SPDX-License-Identifier: MIT
/* The clock: the time counter, by the frequency that the platform names. */
#include <ahoy/init.h>
#include <ahoy/of.h>
#include <ahoy/panic.h>
#include <ahoy/time.h>
#include <asm/processor.h>

/* Factors with 32 binary digits behind the point. */
static u64 ns_per_tick, ticks_per_ns;

#define FRACTION 32

u64 time_now(void)
{
	return (unsigned __int128)read_time() * ns_per_tick >> FRACTION;
}

u64 time_to_ticks(u64 ns)
{
	/* Rounding errors of either factor must not end a wait before its time. */
	unsigned __int128 ticks = ((unsigned __int128)ns * ticks_per_ns >> FRACTION) + 1;

	return ticks > U64_MAX ? U64_MAX : ticks;
}

void time_delay(u64 ns)
{
	u64 end = time_now() + ns;

	while (time_now() < end)
		;
}

static void time_init(void)
{
	u64 hz = timebase_frequency();

	if (!hz)
		panic("time: the device tree names no timebase-frequency");
	ns_per_tick = (NSEC_PER_SEC << FRACTION) / hz;
	ticks_per_ns = (hz << FRACTION) / NSEC_PER_SEC + 1;
}
INIT(mm, time_init);
