/* SPDX-License-Identifier: MIT */
/*
 * Benchmarks that run in the kernel, before the line, so that a meter outside
 * can count what they execute. A benchmark is a function beside the code that it
 * measures, in a file of its own:
 *
 *	BENCH(mutex, lock_unlock)
 *	{
 *		BENCH_LOOP
 *		{
 *			mutex_lock(&mutex);
 *			mutex_unlock(&mutex);
 *		}
 *		return BENCH_ROUNDS;
 *	}
 *
 * Each round of the loop is an interval between the markers 1 and 2: two
 * instructions that do nothing, and that the meter knows. The console tells which
 * intervals belong to whom.
 */
#ifndef AHOY_BENCH_H
#define AHOY_BENCH_H

#include <ahoy/compiler.h>
#include <ahoy/section.h>
#include <ahoy/types.h>
#include <asm/marker.h>

/* The first rounds pay for what is used for the first time. */
#define BENCH_ROUNDS 16

struct bench {
	const char *name;
	unsigned int (*fn)(void);
};

/*
 * Define benchmark @name of @suite; a block follows. Return: how many intervals
 * there were, 0 where it makes no sense. Context: a thread, interrupts enabled.
 */
#define BENCH(suite, name)                                                                         \
	static unsigned int bench_##suite##_##name(void);                                          \
	LINKER_TABLE_ROW(struct bench, bench, 0, suite##_##name) = {                               \
		#suite "." #name,                                                                  \
		bench_##suite##_##name,                                                            \
	};                                                                                         \
	static unsigned int bench_##suite##_##name(void)

/* Where an interval begins and ends, for those that are no plain rounds. */
static __always_inline void mark_begin(void)
{
	marker(1);
}

static __always_inline void mark_end(void)
{
	marker(2);
}

/* Do the statement behind it BENCH_ROUNDS times, each an interval. */
#define BENCH_LOOP                                                                                 \
	for (unsigned int __round = 0; __round < BENCH_ROUNDS && (mark_begin(), true);             \
	     mark_end(), __round++)

#endif
