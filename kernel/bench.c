// SPDX-License-Identifier: MIT
#include <ahoy/bench.h>
#include <ahoy/init.h>
#include <ahoy/printk.h>

LINKER_TABLE(struct bench, bench);

static void bench_run(void)
{
	const struct bench *bench;

	for_each_row(bench, bench) {
		unsigned int intervals = bench->fn();

		console_printf("bench: %s %u\n", bench->name, intervals);
	}
}
INIT(test, bench_run);
