// SPDX-License-Identifier: MIT
#include <ahoy/bench.h>
#include <ahoy/smp.h>
#include <asm/irqflags.h>
#include <asm/processor.h>

static struct smp_call there, back;
static bool arrived;

static void arrive(void *arg)
{
	WRITE_ONCE(arrived, true);
}

static void come_back(void *arg)
{
	smp_call_async((unsigned int)(unsigned long)arg, &back, arrive, NULL);
}

/* Have another hart call a function that has this one call one; sleep meanwhile. */
BENCH(smp, ipi_round_trip)
{
	smp_wait();
	if (smp_online() == 1)
		return 0;
	BENCH_LOOP
	{
		unsigned long flags = local_irq_save();
		unsigned int self = this_hart();

		WRITE_ONCE(arrived, false);
		smp_call_async(!self, &there, come_back, (void *)(unsigned long)self);
		while (!READ_ONCE(arrived)) {
			wait_for_interrupt();
			local_irq_enable();
			local_irq_disable();
		}
		local_irq_restore(flags);
	}
	return BENCH_ROUNDS;
}
