// SPDX-License-Identifier: MIT
/*
 * The other harts. A thread of little urgency starts them, one after the other,
 * so that nothing on the way of the line waits for them.
 */
#include <ahoy/compiler.h>
#include <ahoy/errno.h>
#include <ahoy/init.h>
#include <ahoy/interrupt.h>
#include <ahoy/of.h>
#include <ahoy/panic.h>
#include <ahoy/printk.h>
#include <ahoy/sched.h>
#include <ahoy/slab.h>
#include <ahoy/smp.h>
#include <ahoy/thread.h>
#include <ahoy/timer.h>
#include <ahoy/wait.h>
#include <asm/barrier.h>
#include <asm/irqflags.h>
#include <asm/layout.h>
#include <asm/processor.h>
#include <asm/smp.h>
#include <asm/tlb_model.h>
#include <asm/traps.h>

struct hart {
	unsigned long id; /* as firmware counts */
	struct hart_start start;
	void *trap_stack;
	u32 online; /* waited for by who starts it */
	bool stop;
};

static struct hart harts[NR_HARTS];
static unsigned int online = 1;
static u32 complete; /* no more harts come */

unsigned int smp_online(void)
{
	return READ_ONCE(online);
}

void smp_reschedule(unsigned int index)
{
	hart_interrupt(harts[index].id);
}

#ifdef CONFIG_ADDRESS_SPACES
/* Firmware takes 64 numbers at a time, and they may be anywhere. */
void smp_fence(u64 set, unsigned long start, unsigned long size)
{
	u64 rest = set;

	while (rest) {
		unsigned long base = ~0UL, mask = 0;
		unsigned int i;

		for (i = 0; i < NR_HARTS; i++)
			if (rest >> i & 1)
				base = min(base, harts[i].id);
		for (i = 0; i < NR_HARTS; i++) {
			if (!(rest >> i & 1) || harts[i].id - base >= 64)
				continue;
			mask |= 1UL << (harts[i].id - base);
			rest &= ~(1UL << i);
		}
		hart_fence(mask, base, start, size);
	}
	tlb_model_flush_harts(set, start, start + size);
}

void smp_fence_code(void)
{
	if (smp_online() > 1)
		hart_fence_code();
	else
		fence_code();
}
#endif

void ipi_received(void)
{
	if (READ_ONCE(harts[this_hart()].stop))
		cpu_idle_forever();
	sched_interrupted();
}

void smp_stop_others(void)
{
	unsigned int i;

	for (i = 0; i < NR_HARTS; i++) {
		if (i == this_hart() || !READ_ONCE(harts[i].online))
			continue;
		WRITE_ONCE(harts[i].stop, true);
		hart_interrupt(harts[i].id);
	}
}

void secondary_start(unsigned long hartid)
{
	struct hart *hart = &harts[this_hart()];

	traps_hart_init((char *)hart->trap_stack + TRAP_STACK_SIZE);
	timers_hart_init();
	hart_accept_interrupts();
	WRITE_ONCE(hart->online, 1);
	wake(&hart->online, 1);
	sched_hart_idle();
}

/* Start hart @id as number @index. Return: 0, or a negative errno. */
static int start_hart(unsigned int index, unsigned long id)
{
	struct hart *hart = &harts[index];
	struct thread *thread = sched_hart_init(index);
	void *stack_top = thread_stack_alloc(thread);
	int err;

	hart->id = id;
	hart->trap_stack = kmalloc(TRAP_STACK_SIZE);
	if (!hart->trap_stack || !stack_top)
		return -ENOMEM;
	err = hart_start(id, &hart->start, thread, stack_top);
	if (err)
		return err;
	if (wait_on(&hart->online, 0, time_now() + NSEC_PER_SEC) == -ETIMEDOUT)
		return -ETIMEDOUT;
	return 0;
}

static int start_harts(void *boot_id)
{
	unsigned long id = 0;
	unsigned int index = 1;

	for (; index < NR_HARTS && of_next_hart(&id); id++) {
		int err;

		if (id == (unsigned long)boot_id)
			continue;
		err = start_hart(index, id);
		if (!err) {
			index++;
			WRITE_ONCE(online, index);
		} else {
			pr_warn("hart %lu does not start: error %d\n", id, -err);
		}
	}
	WRITE_ONCE(complete, 1);
	wake(&complete, NR_HARTS);
	return 0;
}

void smp_wait(void)
{
	while (!READ_ONCE(complete))
		wait_on(&complete, 0, TIME_NEVER);
}

void smp_start(unsigned long hartid)
{
	harts[0].id = hartid;
	harts[0].online = 1;
	hart_accept_interrupts();
	if (!thread_create("smp", start_harts, (void *)hartid, PRIORITY_IDLE - 1))
		pr_err("no memory for starting harts\n");
}
