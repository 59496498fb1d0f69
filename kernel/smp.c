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
	unsigned long id;      /* as firmware counts */
	unsigned long awaited; /* the one that may come as this; NO_HART if none */
	void *trap_stack;
	u32 online; /* waited for by who starts it */
	bool stop, stopped;
	struct smp_call *calls; /* that it has not made yet, the latest first */
};

#define NO_HART ~0UL

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

/* --- fences ------------------------------------------------------------------- */

#ifdef CONFIG_ADDRESS_SPACES
/*
 * Firmware takes 64 numbers at a time, and they may be anywhere. Take the next ones
 * out of *@set. Return: them, a bit each, counted from *@base on.
 */
static unsigned long next_harts(u64 *set, unsigned long *base)
{
	unsigned long mask = 0;
	unsigned int i;

	*base = ~0UL;
	for (i = 0; i < NR_HARTS; i++)
		if (*set >> i & 1)
			*base = min(*base, harts[i].id);
	for (i = 0; i < NR_HARTS; i++) {
		if (!(*set >> i & 1) || harts[i].id - *base >= 64)
			continue;
		mask |= 1UL << (harts[i].id - *base);
		*set &= ~(1UL << i);
	}
	return mask;
}

void smp_fence(u64 set, unsigned long start, unsigned long size)
{
	unsigned long base, mask;
	u64 rest = set;

	while (rest) {
		mask = next_harts(&rest, &base);
		hart_fence(mask, base, start, size);
	}
	tlb_model_flush_harts(set, start, start + size);
}

void smp_fence_code(u64 set)
{
	unsigned long base, mask;

	while (set) {
		mask = next_harts(&set, &base);
		hart_fence_code(mask, base);
	}
}

void smp_fence_code_all(void)
{
	fence_code();
	if (smp_online() > 1)
		hart_fence_code(0, -1UL);
}
#endif

/* --- calls ------------------------------------------------------------------- */

/* Make the calls that others want this hart to make, in their order. Interrupts are masked. */
static void make_calls(void)
{
	struct hart *hart = &harts[this_hart()];
	struct smp_call *call, *next, *first = NULL;

	if (!READ_ONCE(hart->calls))
		return;
	for (call = __atomic_exchange_n(&hart->calls, NULL, __ATOMIC_ACQUIRE); call; call = next) {
		next = call->next;
		call->next = first;
		first = call;
	}
	for (call = first; call; call = next) {
		next = call->next;
		call->fn(call->arg);
		/* From here on it belongs to who asked for it. */
		store_release(&call->done, true);
	}
}

int smp_call_async(unsigned int index, struct smp_call *call, void (*fn)(void *arg), void *arg)
{
	struct hart *hart = &harts[index];

	if (index >= NR_HARTS || !READ_ONCE(hart->online))
		return -ENODEV;
	*call = (struct smp_call){ .fn = fn, .arg = arg, .next = READ_ONCE(hart->calls) };
	while (!__atomic_compare_exchange_n(&hart->calls, &call->next, call, true, __ATOMIC_RELEASE,
					    __ATOMIC_RELAXED))
		;
	hart_interrupt(hart->id);
	return 0;
}

void smp_call_wait(struct smp_call *call)
{
	/* The other hart may be waiting for a call of this one in the same way. */
	while (!load_acquire(&call->done)) {
		unsigned long flags = local_irq_save();

		make_calls();
		local_irq_restore(flags);
	}
}

int smp_call(unsigned int index, void (*fn)(void *arg), void *arg)
{
	struct smp_call call;
	int err;

	err = smp_call_async(index, &call, fn, arg);
	if (!err)
		smp_call_wait(&call);
	return err;
}

/* --- interrupts of other harts ------------------------------------------------ */

void smp_stop_self(void)
{
	store_release(&harts[this_hart()].stopped, true);
	cpu_idle_forever();
}

void ipi_received(void)
{
	struct hart *hart = &harts[this_hart()];

	if (READ_ONCE(hart->stop))
		smp_stop_self();
	make_calls();
	sched_interrupted();
}

/* How long a hart that masks interrupts may take to notice that it is to stop. */
#define STOP_TIMEOUT (100 * NSEC_PER_MSEC)

void smp_stop_others(void)
{
	u64 end = time_now() + STOP_TIMEOUT;
	unsigned int i;

	/* Who is not there yet looks at this when it is. */
	for (i = 0; i < NR_HARTS; i++)
		WRITE_ONCE(harts[i].stop, i != this_hart());
	mb();
	for (i = 0; i < NR_HARTS; i++)
		if (i != this_hart() && READ_ONCE(harts[i].online))
			hart_interrupt(harts[i].id);
	/* What they print now is finished first. */
	for (i = 0; i < NR_HARTS; i++)
		while (i != this_hart() && READ_ONCE(harts[i].online) &&
		       !load_acquire(&harts[i].stopped) && time_now() < end)
			;
}

/* --- start -------------------------------------------------------------------- */

/* Nobody else has taken the place that hart @id was to have. Return: false if it is too late. */
static bool claim_place(struct hart *hart, unsigned long id)
{
	return __atomic_compare_exchange_n(&hart->awaited, &id, NO_HART, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_RELAXED);
}

void secondary_start(unsigned long hartid)
{
	struct hart *hart = &harts[this_hart()];

	if (!claim_place(hart, hartid))
		cpu_idle_forever();
	/* Code that others have had fenced was not for this hart. */
	fence_code();
	traps_hart_init((char *)hart->trap_stack + TRAP_STACK_SIZE);
	timers_hart_init();
	hart_accept_interrupts();
	WRITE_ONCE(hart->online, 1);
	mb();
	if (READ_ONCE(hart->stop))
		smp_stop_self();
	wake(&hart->online, 1);
	sched_hart_idle();
}

/* A machine that emulates many harts on few takes its time. */
#define START_TIMEOUT (10 * NSEC_PER_SEC)

/*
 * Have the firmware start @hart, and wait until it is there. Return: 0, or a
 * negative errno; -ETIMEDOUT if it may still come, and will stop then.
 */
static int await_hart(struct hart *hart, struct hart_start *start, struct thread *thread,
		      void *stack_top)
{
	int err;

	WRITE_ONCE(hart->awaited, hart->id);
	err = hart_start(hart->id, start, thread, stack_top);
	if (err)
		return err;
	if (wait_on(&hart->online, 0, time_now() + START_TIMEOUT) != -ETIMEDOUT)
		return 0;
	if (claim_place(hart, hart->id))
		return -ETIMEDOUT;
	/* It came just now. */
	while (!READ_ONCE(hart->online))
		wait_on(&hart->online, 0, TIME_NEVER);
	return 0;
}

/* Start hart @id as number @index. Return: 0, or a negative errno. */
static int start_hart(unsigned int index, unsigned long id)
{
	struct hart *hart = &harts[index];
	struct thread *thread = sched_hart_init(index);
	void *stack_top = thread_stack_alloc(thread);
	struct hart_start *start = kmalloc(sizeof(*start));
	int err = -ENOMEM;

	hart->id = id;
	hart->trap_stack = kmalloc(TRAP_STACK_SIZE);
	if (start && hart->trap_stack && stack_top)
		err = await_hart(hart, start, thread, stack_top);
	/* Who may come late still needs where to start, and a stack. */
	if (err != -ETIMEDOUT)
		kfree(start);
	if (err && err != -ETIMEDOUT)
		thread_stack_free(thread);
	if (err)
		kfree(hart->trap_stack);
	return err;
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
