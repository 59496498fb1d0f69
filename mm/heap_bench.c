// SPDX-License-Identifier: MIT
#include <ahoy/bench.h>
#include <ahoy/slab.h>

BENCH(heap, kmalloc_kfree_64)
{
	BENCH_LOOP
	{
		kfree(kmalloc(64));
	}
	return BENCH_ROUNDS;
}
