// SPDX-License-Identifier: MIT
/*
 * The scheduler: a queue for each priority and a word that says which of them
 * have somebody in them. The thread that runs is in none.
 */
#include <ahoy/compiler.h>
#include <ahoy/init.h>
#include <ahoy/interrupt.h>
#include <ahoy/list.h>
#include <ahoy/panic.h>
#include <ahoy/sched.h>
#include <ahoy/thread.h>
#include <ahoy/timer.h>
#include <asm/current.h>
#include <asm/irqflags.h>
#include <asm/processor.h>

static struct list_head queues[THREAD_PRIORITIES];
static u32 occupied; /* bit n: queue n has a thread */

/* Where start-up runs, and where the hart is when it has nothing to do. */
static struct thread boot_thread = { .name = "boot", .priority = PRIORITY_DEFAULT };

/* The number of the lowest bit that is set in @word, which is not zero. */
static __always_inline unsigned int lowest_bit(u32 word)
{
	/* A de Bruijn sequence: each five-bit window in it is another number. */
	static const u8 place[32] = {
		0,  1,	28, 2,	29, 14, 24, 3, 30, 22, 20, 15, 25, 17, 4,  8,
		31, 27, 13, 23, 21, 19, 16, 7, 26, 12, 18, 6,  11, 5,  10, 9,
	};

	return place[((word & -word) * 0x077cb531U) >> 27];
}

static __always_inline void enqueue(struct thread *thread)
{
	list_add_tail(&thread->queue, &queues[thread->priority]);
	occupied |= 1U << thread->priority;
}

static __always_inline struct thread *dequeue_first(void)
{
	unsigned int priority = lowest_bit(occupied);
	struct thread *thread = list_first_entry(&queues[priority], struct thread, queue);

	list_del(&thread->queue);
	if (list_empty(&queues[priority]))
		occupied &= ~(1U << priority);
	return thread;
}

#ifdef CONFIG_RESCHED

/* How long a thread may run while others of its priority are ready. */
#define TIME_SLICE (10 * NSEC_PER_MSEC)

static bool need_resched, idling;
static struct timer slice;

static void slice_ends(struct timer *timer)
{
	need_resched = true;
}

/* Whoever runs next has its turn; the timer is needed only if others want theirs. */
static __always_inline void start_slice(const struct thread *next)
{
	need_resched = false;
	if (occupied && lowest_bit(occupied) <= next->priority)
		timer_arm(&slice, time_now() + TIME_SLICE);
}

static __always_inline void check_preempt(const struct thread *ready)
{
	const struct thread *current = thread_current();

	if (ready->priority < current->priority)
		need_resched = true;
	else if (ready->priority == current->priority && !slice.armed)
		timer_arm(&slice, time_now() + TIME_SLICE);
}

#ifdef CONFIG_PREEMPT
void preempt_from_irq(void)
{
	/* In idle(), schedule() is at work already. */
	if (need_resched && !idling)
		schedule();
}
#endif

static __always_inline void set_idling(bool value)
{
	idling = value;
}

void cond_resched(void)
{
	unsigned long flags;

	if (!READ_ONCE(need_resched))
		return;
	flags = local_irq_save();
	schedule();
	local_irq_restore(flags);
}

#else

static __always_inline void start_slice(const struct thread *next)
{
}

static __always_inline void check_preempt(const struct thread *ready)
{
}

static __always_inline void set_idling(bool value)
{
}

#endif

void sched_ready(struct thread *thread)
{
	thread->state = THREAD_READY;
	enqueue(thread);
	check_preempt(thread);
}

/* Nobody is ready: wait for an interrupt that changes that. */
static void idle(void)
{
	if (!IS_ENABLED(CONFIG_IRQ))
		panic("deadlock: every thread waits, the last one was %s", thread_current()->name);
	set_idling(true);
	while (!occupied) {
		/* wfi ends with an interrupt that is pending, masked or not. */
		wait_for_interrupt();
		local_irq_enable();
		local_irq_disable();
	}
	set_idling(false);
}

void schedule(void)
{
	struct thread *prev = thread_current(), *next;

	if (prev->state == THREAD_READY) {
		if (!occupied)
			return;
		enqueue(prev);
	} else if (unlikely(!occupied)) {
		idle();
	}
	next = dequeue_first();
	start_slice(next);
	if (next != prev)
		switch_to(prev, next);
}

void sched_thread_starts(void)
{
	local_irq_enable();
}

void thread_yield(void)
{
	unsigned long flags = local_irq_save();

	schedule();
	local_irq_restore(flags);
}

static void sched_init(void)
{
	unsigned int i;

	for (i = 0; i < THREAD_PRIORITIES; i++)
		list_init(&queues[i]);
#ifdef CONFIG_RESCHED
	timer_init(&slice, slice_ends);
#endif
	set_thread_current(&boot_thread);
}
INIT(mm, sched_init);
