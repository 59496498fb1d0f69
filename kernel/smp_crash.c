// SPDX-License-Identifier: MIT
/* Mistakes on several harts, on request. */
#include <ahoy/compiler.h>
#include <ahoy/crash.h>
#include <ahoy/panic.h>
#include <ahoy/smp.h>

static void panic_here(void *arg)
{
	panic("hart %u of %u", this_hart(), smp_online());
}

static void crash_everywhere(void)
{
	static struct smp_call calls[NR_HARTS];
	unsigned int i;

	smp_wait();
	for (i = 0; i < smp_online(); i++)
		if (i != this_hart())
			smp_call_async(i, &calls[i], panic_here, NULL);
	panic_here(NULL);
}
CRASH_WAY(everywhere, "everywhere", crash_everywhere);
