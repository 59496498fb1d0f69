// SPDX-License-Identifier: MIT
#include <ahoy/init.h>
#include <ahoy/ktest.h>
#include <ahoy/panic.h>

LINKER_TABLE(struct ktest, ktest);

static bool failed;
static u64 random_state;

void ktest_fail(const char *file, int line, const char *what)
{
	failed = true;
	console_printf("# %s:%d: not so: %s\n", file, line, what);
}

u32 ktest_random(u32 bound)
{
	/* Knuth's MMIX generator, whose high bits are the good ones */
	random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (u32)(random_state >> 33) % bound;
}

static void ktest_run(void)
{
	unsigned int number = 0, failures = 0;
	const struct ktest *test;

	console_printf("KTAP version 1\n1..%u\n", (unsigned int)(ktest_end - ktest_start));
	for_each_row(test, ktest) {
		failed = false;
		random_state = 1;
		test->fn();
		failures += failed;
		console_printf("%sok %u %s\n", failed ? "not " : "", ++number, test->name);
	}
	if (failures)
		panic("%u of %u tests failed", failures, number);
}
INIT(test, ktest_run);
