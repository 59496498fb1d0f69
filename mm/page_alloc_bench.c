// SPDX-License-Identifier: MIT
#include <ahoy/bench.h>
#include <ahoy/page_alloc.h>

static __always_inline void alloc_free(unsigned int order)
{
	struct page *page = page_alloc(order);

	if (page)
		page_free(page, order);
}

BENCH(page, alloc_free_4k)
{
	BENCH_LOOP
	{
		alloc_free(0);
	}
	return BENCH_ROUNDS;
}

BENCH(page, alloc_free_2m)
{
	BENCH_LOOP
	{
		alloc_free(9);
	}
	return BENCH_ROUNDS;
}
