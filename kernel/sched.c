// SPDX-License-Identifier: MIT
/*
 * The scheduler. Each hart has a run queue: a list for each priority and a word
 * that says which of them have somebody in them. The thread that runs is in
 * none. A hart that finds its own queue empty takes from another one.
 */
#include <ahoy/address_space.h>
#include <ahoy/compiler.h>
#include <ahoy/hangs.h>
#include <ahoy/init.h>
#include <ahoy/interrupt.h>
#include <ahoy/list.h>
#include <ahoy/panic.h>
#include <ahoy/sched.h>
#include <ahoy/section.h>
#include <ahoy/smp.h>
#include <ahoy/spinlock.h>
#include <ahoy/thread.h>
#include <ahoy/timer.h>
#include <asm/barrier.h>
#include <asm/current.h>
#include <asm/fpu.h>
#include <asm/irqflags.h>
#include <asm/processor.h>

struct run_queue {
	struct spinlock lock;

	/* Under the lock */
	struct list_head queues[THREAD_PRIORITIES];
	u32 occupied; /* bit n: queue n has a thread */
	u8 top;	      /* the most urgent one that has; NOBODY if none */
	struct thread *current;
	struct thread *idle; /* runs when nobody else does; in no queue */
#ifdef CONFIG_RESCHED
	struct timer slice;
	bool need_resched;
	bool new_turn; /* it began after the timer was set */
#endif
};

static struct run_queue run_queues[NR_HARTS];

struct thread boot_thread;

#ifdef CONFIG_IRQ
/* What harts are when they have nothing to do. */
static struct thread idle_threads[NR_HARTS];
#endif

static __always_inline struct run_queue *this_queue(void)
{
	return &run_queues[this_hart()];
}

/* --- queues ------------------------------------------------------------------ */

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

#define NOBODY THREAD_PRIORITIES

static __always_inline void enqueue(struct run_queue *rq, struct thread *thread)
{
	unsigned int priority = thread->priority;

	lockdep_assert_held(&rq->lock);
	list_add_tail(&thread->queue, &rq->queues[priority]);
	rq->occupied |= 1U << priority;
	if (priority < rq->top)
		rq->top = (u8)priority;
}

static __always_inline struct thread *dequeue_first(struct run_queue *rq)
{
	struct list_head *queue = &rq->queues[rq->top];
	struct thread *thread = list_first_entry(queue, struct thread, queue);

	lockdep_assert_held(&rq->lock);
	list_del(&thread->queue);
	if (unlikely(list_empty(queue))) {
		rq->occupied &= ~(1U << rq->top);
		rq->top = (u8)(rq->occupied ? lowest_bit(rq->occupied) : NOBODY);
	}
	return thread;
}

/* --- time slices --------------------------------------------------------------- */

#ifdef CONFIG_RESCHED

/*
 * How long a thread may run at least while others of its priority are ready, and
 * half of how long at most: the timer is set when somebody wants a turn, and not
 * again for each turn. A turn ends when the timer finds that it is no new one.
 */
#define TIME_SLICE (5 * NSEC_PER_MSEC)

static __always_inline void set_slice(struct run_queue *rq)
{
	rq->new_turn = false;
	timer_arm(&rq->slice, time_now() + TIME_SLICE);
}

static __always_inline bool others_want(const struct run_queue *rq, const struct thread *thread)
{
	return rq->top <= thread->priority;
}

/* The thread that runs shall give way. A program is told so when it would go on. */
static __always_inline void want_resched(struct run_queue *rq)
{
	rq->need_resched = true;
	if (IS_ENABLED(CONFIG_USERSPACE))
		__atomic_fetch_or(&rq->current->work, WORK_RESCHED, __ATOMIC_RELAXED);
}

static void slice_timer(struct timer *timer)
{
	struct run_queue *rq = container_of(timer, struct run_queue, slice);

	if (!rq->new_turn)
		want_resched(rq);
	else if (others_want(rq, rq->current))
		set_slice(rq);
}

static __always_inline void start_slice(struct run_queue *rq, const struct thread *next)
{
	rq->need_resched = false;
	rq->new_turn = true;
	if (unlikely(!rq->slice.armed) && others_want(rq, next))
		set_slice(rq);
}

/* @thread has become ready beside the one that runs. */
static __always_inline void check_preempt(struct run_queue *rq, const struct thread *thread)
{
	if (rq->current == rq->idle)
		return;
	if (thread->priority < rq->current->priority) {
		want_resched(rq);
		if (rq != this_queue())
			smp_reschedule((unsigned int)(rq - run_queues));
	} else if (thread->priority == rq->current->priority && !rq->slice.armed) {
		if (rq == this_queue())
			set_slice(rq);
		else
			smp_reschedule((unsigned int)(rq - run_queues));
	}
}

static __always_inline void slice_init(struct run_queue *rq)
{
	timer_init(&rq->slice, slice_timer);
}

#ifdef CONFIG_SMP
void sched_interrupted(void)
{
	struct run_queue *rq = this_queue();

	/* What another hart has put there before it called this one is seen. */
	if (READ_ONCE(rq->top) == NOBODY)
		return;
	spin_lock_masked(&rq->lock);
	if (!rq->slice.armed && !rq->need_resched && rq->current != rq->idle &&
	    others_want(rq, rq->current))
		set_slice(rq);
	spin_unlock_masked(&rq->lock);
}
#endif

void cond_resched(void)
{
	unsigned long flags;

	if (!READ_ONCE(this_queue()->need_resched))
		return;
	flags = local_irq_save();
	schedule();
	local_irq_restore(flags);
}

#else

static __always_inline void start_slice(struct run_queue *rq, const struct thread *next)
{
}

static __always_inline void check_preempt(struct run_queue *rq, const struct thread *thread)
{
}

static __always_inline void slice_init(struct run_queue *rq)
{
}

#endif

#ifdef CONFIG_PREEMPT
void preempt_from_irq(void)
{
	struct run_queue *rq = this_queue();

	if (rq->need_resched)
		schedule();
}
#endif

/* --- ready threads --------------------------------------------------------------- */

#ifdef CONFIG_SMP

/*
 * Bit n: hart n is idle, or looks for somebody to run, and nobody has called it
 * yet. Set before the hart looks at others' queues, and read after something was
 * put into one: either the hart finds it there, or it is called.
 */
static u64 idle_harts;

static __always_inline void set_idle(const struct run_queue *rq, bool idle)
{
	u64 bit = 1UL << (rq - run_queues);

	if (idle)
		__atomic_or_fetch(&idle_harts, bit, __ATOMIC_SEQ_CST);
	else
		__atomic_and_fetch(&idle_harts, ~bit, __ATOMIC_RELAXED);
}

/* Take a hart out of those in @harts that are idle; who does must interrupt it. Return: -1 if none. */
static int claim_idle(u64 harts)
{
	u64 idle;

	while ((idle = READ_ONCE(idle_harts) & harts)) {
		unsigned int hart =
			(u32)idle ? lowest_bit((u32)idle) : 32 + lowest_bit((u32)(idle >> 32));
		u64 bit = 1UL << hart;

		if (__atomic_fetch_and(&idle_harts, ~bit, __ATOMIC_RELAXED) & bit)
			return (int)hart;
	}
	return -1;
}

/* Claim an idle hart for @thread: the one where it ran, or another. Return: -1 if all are busy. */
static __always_inline int idle_hart_for(const struct thread *thread)
{
	int hart;

	if (!READ_ONCE(idle_harts))
		return -1;
	hart = claim_idle(1UL << thread->hart);
	return hart >= 0 ? hart : claim_idle(~0UL);
}

/* Something is ready on a hart that is not idle: have one that is come for it. */
static __always_inline void call_idle_hart(void)
{
	int hart;

	mb();
	hart = claim_idle(~0UL);
	if (unlikely(hart >= 0))
		smp_reschedule((unsigned int)hart);
}

/* Where the most urgent thread waits, of harts that are not in @tried. Return: NULL if nobody does. */
static struct run_queue *most_urgent(unsigned int self, u64 tried)
{
	struct run_queue *best = NULL;
	unsigned int i, top = NOBODY;

	for (i = 1; i < NR_HARTS; i++) {
		unsigned int hart = (self + i) % NR_HARTS;
		struct run_queue *rq = &run_queues[hart];

		/* In the queue of a hart that never started, all is zero. */
		if (!READ_ONCE(rq->occupied) || tried >> hart & 1 || READ_ONCE(rq->top) >= top)
			continue;
		top = READ_ONCE(rq->top);
		best = rq;
	}
	return best;
}

/* Take a thread from another hart that has one to spare. Own lock held; it is let go meanwhile. */
static struct thread *steal(struct run_queue *rq)
{
	unsigned int self = (unsigned int)(rq - run_queues);
	struct thread *thread = NULL;
	struct run_queue *other;
	u64 tried = 0;

	spin_unlock_masked(&rq->lock);
	while (!thread && (other = most_urgent(self, tried))) {
		tried |= 1UL << (other - run_queues);
		spin_lock_masked(&other->lock);
		/* An idle hart is about to run what it has. */
		if (other->top != NOBODY && other->current != other->idle)
			thread = dequeue_first(other);
		spin_unlock_masked(&other->lock);
	}
	spin_lock_masked(&rq->lock);
	return thread;
}

/* A hart that was idle has somebody to run. Who came besides need not wait for it. Lock held. */
static __always_inline void leave_idle(struct run_queue *rq)
{
	set_idle(rq, false);
	if (rq->top != NOBODY)
		call_idle_hart();
}

#else

static __always_inline void set_idle(const struct run_queue *rq, bool idle)
{
}

static __always_inline void leave_idle(struct run_queue *rq)
{
}

static __always_inline int idle_hart_for(const struct thread *thread)
{
	return -1;
}

static __always_inline void call_idle_hart(void)
{
}

static __always_inline struct thread *steal(struct run_queue *rq)
{
	return NULL;
}

#endif

/* Put @thread, which is ready, into @rq. Lock held; it is let go. */
static __always_inline void add_ready(struct run_queue *rq, struct thread *thread)
{
	enqueue(rq, thread);
	check_preempt(rq, thread);
	spin_unlock_masked(&rq->lock);
}

/* Is @thread on its way to sleep still? Then its hart goes on with it. Lock held; if so, it is let go. */
static __always_inline bool still_runs(struct run_queue *rq, struct thread *thread)
{
	lockdep_assert_held(&rq->lock);
	thread->state = THREAD_READY;
	if (rq->current != thread)
		return false;
	spin_unlock_masked(&rq->lock);
	return true;
}

void sched_ready(struct thread *thread)
{
	struct run_queue *rq = &run_queues[thread->hart];
	bool must_wait;
	int idle;

	spin_lock_masked(&rq->lock);
	if (still_runs(rq, thread))
		return;
	idle = idle_hart_for(thread);
	if (idle >= 0 && idle != thread->hart) {
		spin_unlock_masked(&rq->lock);
		thread->hart = (u16)idle;
		rq = &run_queues[idle];
		spin_lock_masked(&rq->lock);
	}
	/* The hart that was idle may have found something else meanwhile. */
	must_wait = idle < 0 || rq->current != rq->idle;
	add_ready(rq, thread);
	if (must_wait)
		call_idle_hart();
	if (idle >= 0 && rq != this_queue())
		smp_reschedule((unsigned int)idle);
}

#ifdef CONFIG_SMP
void sched_ready_here(struct thread *thread)
{
	struct run_queue *rq = &run_queues[thread->hart];

	spin_lock_masked(&rq->lock);
	if (still_runs(rq, thread))
		return;
	if (rq != this_queue()) {
		spin_unlock_masked(&rq->lock);
		rq = this_queue();
		thread->hart = (u16)this_hart();
		spin_lock_masked(&rq->lock);
	}
	add_ready(rq, thread);
}
#endif

/* --- the switch -------------------------------------------------------------------- */

/* On the new thread's stack: @prev does not run any more. */
static __always_inline void finish_switch(struct thread *prev)
{
	/* Once the lock is let go, it may run, end and be freed elsewhere: look now. */
	bool ended = (IS_ENABLED(CONFIG_SMP) || IS_ENABLED(CONFIG_USERSPACE)) &&
		     prev->state == THREAD_ENDED;

	spin_unlock_masked(&this_queue()->lock);
	/* Who joins it waits for this before it frees it. */
	if (unlikely(ended))
		store_release(&prev->gone, true);
}

#ifdef CONFIG_ADDRESS_SPACES
static __always_inline void switch_space(const struct thread *prev, const struct thread *next)
{
	if (prev->space != next->space)
		address_space_load(next->space);
}
#else
static __always_inline void switch_space(const struct thread *prev, const struct thread *next)
{
}
#endif

#ifdef CONFIG_USERSPACE
static __always_inline void leave_program(const struct thread *prev)
{
	if (prev->user)
		fpu_switch(prev->user);
}
#else
static __always_inline void leave_program(const struct thread *prev)
{
}
#endif

/*
 * Who runs after @prev, for which the queue has nobody: somebody from another
 * hart, or the idle thread. Return: @prev if it goes on. Lock held; it is let go
 * meanwhile.
 */
static noinline struct thread *pick_elsewhere(struct run_queue *rq, struct thread *prev)
{
	struct thread *next;

	set_idle(rq, true);
	next = steal(rq);
	/* Meanwhile somebody may have woken prev, or brought others. */
	if (prev->state == THREAD_READY) {
		if (!next && rq->top == NOBODY)
			next = prev;
		else
			enqueue(rq, prev);
	}
	if (!next && rq->top != NOBODY)
		next = dequeue_first(rq);
	if (next) {
		leave_idle(rq);
		return next;
	}
	if (!IS_ENABLED(CONFIG_IRQ))
		panic("deadlock: every thread waits, the last one was %s", prev->name);
	return rq->idle;
}

void schedule(void)
{
	struct run_queue *rq = this_queue();
	struct thread *prev = thread_current(), *next;

	lockdep_switch();
	spin_lock_masked(&rq->lock);
	if (likely(prev->state == THREAD_READY)) {
		if (rq->top > prev->priority)
			goto out;
		enqueue(rq, prev);
		next = dequeue_first(rq);
	} else if (likely(rq->top != NOBODY)) {
		next = dequeue_first(rq);
		if (IS_ENABLED(CONFIG_SMP) && prev->state == THREAD_IDLE)
			leave_idle(rq);
	} else {
		next = pick_elsewhere(rq, prev);
		if (next == prev)
			goto out;
	}
	if (IS_ENABLED(CONFIG_SMP))
		next->hart = (u16)(rq - run_queues);
	rq->current = next;
	start_slice(rq, next);
	softlockup_switch(next->state == THREAD_IDLE);
	switch_space(prev, next);
	leave_program(prev);
	finish_switch(switch_to(prev, next));
	return;
out:
	spin_unlock_masked(&rq->lock);
}

#ifdef CONFIG_IRQ
/* What a hart does when there is nothing to do. */
static void __noreturn idle(void)
{
	for (;;) {
		local_irq_disable();
		schedule();
		deadlock_hart_sleeps();
		/* wfi ends with an interrupt that is pending, masked or not. */
		wait_for_interrupt();
		deadlock_hart_wakes();
		local_irq_enable();
	}
}
#endif

#ifdef CONFIG_SOFTLOCKUP_DETECTOR
bool sched_others_wait(void)
{
	return READ_ONCE(this_queue()->top) != NOBODY;
}
#endif

#ifdef CONFIG_DEADLOCK_REPORT
bool sched_anybody_ready(void)
{
	unsigned int i;

	for (i = 0; i < NR_HARTS; i++)
		if (READ_ONCE(run_queues[i].occupied))
			return true;
	return false;
}
#endif

void sched_thread_starts(struct thread *prev)
{
	finish_switch(prev);
	local_irq_enable();
}

void thread_yield(void)
{
	local_irq_disable();
	schedule();
	local_irq_enable();
}

/* --- start ---------------------------------------------------------------------------- */

static void queue_init(struct run_queue *rq, struct thread *current, struct thread *idle)
{
	unsigned int i;

	for (i = 0; i < THREAD_PRIORITIES; i++)
		list_init(&rq->queues[i]);
	rq->top = NOBODY;
	slice_init(rq);
	rq->current = current;
	rq->idle = idle;
}

#ifdef CONFIG_IRQ

static struct thread *idle_init(unsigned int hart)
{
	struct thread *thread = &idle_threads[hart];

	/* The rest is zero, as nobody has used it before. */
	thread->name = "idle";
	thread->state = THREAD_IDLE;
	thread->priority = PRIORITY_IDLE;
	thread->hart = (u16)hart;
	return thread;
}

/* The boot hart's first thread goes on to print the line; another one idles. */
static char idle_stack[2048] __aligned(16) __noinit;

static void idle_begins(struct thread *prev)
{
	finish_switch(prev);
	idle();
}

static struct thread *boot_idle_init(void)
{
	struct thread *thread = idle_init(0);

	switch_frame_init(&thread->frame, idle_begins, idle_stack + sizeof(idle_stack));
	return thread;
}

#else

static struct thread *boot_idle_init(void)
{
	return NULL;
}

#endif

#ifdef CONFIG_SMP

struct thread *sched_hart_init(unsigned int hart)
{
	struct thread *thread = idle_init(hart);

	queue_init(&run_queues[hart], thread, thread);
	return thread;
}

void sched_hart_idle(void)
{
	deadlock_hart_starts();
	idle();
}

#endif

static void sched_init(void)
{
	boot_thread.name = "boot";
	boot_thread.priority = PRIORITY_DEFAULT;
	queue_init(&run_queues[0], &boot_thread, boot_idle_init());
}
INIT(mm, sched_init);
