// SPDX-License-Identifier: MIT
#include <ahoy/cmdline.h>
#include <ahoy/init.h>
#include <ahoy/kstrtox.h>
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

static unsigned int scale = 1;

u32 ktest_scaled(u32 count)
{
	u64 scaled = (u64)count * scale;

	return scaled > U32_MAX ? U32_MAX : (u32)scaled;
}

static void set_scale(const char *value)
{
	if (!value || kstrtouint(value, 0, &scale) || !scale) {
		scale = 1;
		pr_err("ktest.scale=%s: not a number from 1\n", value ? value : "");
	}
}
PARAM_NAMED(ktest_scale, "ktest.scale", set_scale);

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
