// SPDX-License-Identifier: MIT
/* The clock's conversions, for any frequency and up to a century. */
#include "lib.h"

#include <cmocka.h>

static uint64_t counter, frequency;
static const char *message;
static jmp_buf panicked;

/* In place of the kernel's headers of the same things */
#define AHOY_OF_H
#define AHOY_PANIC_H

unsigned long read_time(void)
{
	return counter;
}

static uint64_t timebase_frequency(void)
{
	return frequency;
}

static void panic(const char *text)
{
	message = text;
	longjmp(panicked, 1);
}

#include "../../kernel/time.c"

#define CENTURY (100ULL * 366 * 86400)

static const uint64_t frequencies[] = {
	1,	   2,	       3,	   1000,       32768,	   1000000,
	3000000,   3579545,    4000000,	   10000000,   24000000,   62500000,
	999999999, 1000000000, 1000000001, 1500000007, 3000000019, U32_MAX,
};

static uint64_t seed = 1;

static uint64_t random_below(uint64_t bound)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint64_t)((unsigned __int128)seed * bound >> 64);
}

static uint64_t time_at(uint64_t ticks)
{
	counter = ticks;
	return time_now();
}

static void test_clock(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(frequencies) / sizeof(*frequencies); i++) {
		frequency = frequencies[i];
		time_init();
		for (int n = 0; n < 20000; n++) {
			/* Of all magnitudes, up to a century */
			uint64_t ticks = random_below(CENTURY * frequency >> random_below(60));
			unsigned __int128 exact =
				(unsigned __int128)ticks * NSEC_PER_SEC / frequency;
			uint64_t ns = time_at(ticks);

			/* One part in a thousand million slow at most, never fast */
			assert_true(ns <= exact);
			assert_true(exact - ns <= (exact >> 29) + 1);
			assert_true(time_at(ticks + 1) >= ns);
		}
	}
}

static void test_ticks(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(frequencies) / sizeof(*frequencies); i++) {
		frequency = frequencies[i];
		time_init();
		for (int n = 0; n < 20000; n++) {
			uint64_t ns = random_below(CENTURY * NSEC_PER_SEC >> random_below(60));
			uint64_t ticks = time_to_ticks(ns);

			/* Not before the moment, and no more than a few ticks after it */
			assert_true(time_at(ticks) >= ns);
			if (ticks > 16)
				assert_true(time_at(ticks - 16) <= ns);
		}
		/* A moment that the counter cannot reach is not one in the past. */
		assert_true(time_to_ticks(U64_MAX - 1) >= time_to_ticks(U64_MAX / 2));
	}
	frequency = U32_MAX;
	time_init();
	assert_true(time_to_ticks(U64_MAX) == U64_MAX);
}

static void test_no_frequency(void **state)
{
	(void)state;
	frequency = 0;
	message = NULL;
	if (!setjmp(panicked)) {
		time_init();
		fail_msg("a clock without a frequency");
	}
	assert_non_null(message);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_ticks),
		cmocka_unit_test(test_no_frequency),
	};

	return cmocka_run_group_tests_name("time", tests, NULL, NULL);
}
