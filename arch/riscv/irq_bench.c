// SPDX-License-Identifier: MIT
#include <ahoy/bench.h>
#include <asm/csr.h>
#include <asm/processor.h>

/* From the instruction that is interrupted to the next one. */
BENCH(trap, round_trip)
{
	unsigned long before = csr_read(sie) & (1UL << IRQ_SOFT);

	csr_set(sie, 1UL << IRQ_SOFT);
	BENCH_LOOP
	{
		csr_set(sip, 1UL << IRQ_SOFT);
	}
	if (!before)
		csr_clear(sie, 1UL << IRQ_SOFT);
	return BENCH_ROUNDS;
}
