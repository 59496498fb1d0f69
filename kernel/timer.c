// SPDX-License-Identifier: MIT
/*
 * Timers, in a tree by deadline on the hart that armed them. The hart's own
 * timer is set for the first of them.
 */
#include <ahoy/compiler.h>
#include <ahoy/hangs.h>
#include <ahoy/init.h>
#include <ahoy/interrupt.h>
#include <ahoy/smp.h>
#include <ahoy/spinlock.h>
#include <ahoy/timer.h>
#include <asm/barrier.h>
#include <asm/timer.h>

struct timer_queue {
	struct spinlock lock;

	/* Under the lock */
	struct rb_tree tree;
	struct timer *first;
	struct timer *running; /* whose function runs now, on this hart */
};

static struct timer_queue timer_queues[NR_HARTS];

static struct timer *timer_of(struct rb_node *node)
{
	return node ? rb_entry(node, struct timer, node) : NULL;
}

static void set_clockevent(const struct timer_queue *queue)
{
	lockdep_assert_held(&queue->lock);
	clockevent_set(queue->first ? time_to_ticks(queue->first->deadline) : U64_MAX);
}

/* Equal deadlines come in the order in which they were armed. */
static void enqueue(struct timer_queue *queue, struct timer *timer)
{
	struct rb_node **link = &queue->tree.root, *parent = NULL;
	bool leftmost = true;

	lockdep_assert_held(&queue->lock);
	while (*link) {
		parent = *link;
		if (timer->deadline < timer_of(parent)->deadline) {
			link = &parent->left;
		} else {
			link = &parent->right;
			leftmost = false;
		}
	}
	rb_insert(&queue->tree, &timer->node, parent, link);
	timer->armed = true;
	if (leftmost)
		queue->first = timer;
}

static void dequeue(struct timer_queue *queue, struct timer *timer)
{
	lockdep_assert_held(&queue->lock);
	if (timer == queue->first)
		queue->first = timer_of(rb_next(&timer->node));
	rb_erase(&queue->tree, &timer->node);
	timer->armed = false;
}

/* Where @timer was armed last, locked. Interrupts are masked. */
static struct timer_queue *lock_queue_of(const struct timer *timer)
{
	for (;;) {
		struct timer_queue *queue = &timer_queues[READ_ONCE(timer->hart)];

		spin_lock_masked(&queue->lock);
		if (queue == &timer_queues[READ_ONCE(timer->hart)])
			return queue;
		spin_unlock_masked(&queue->lock);
	}
}

void timer_arm(struct timer *timer, u64 deadline)
{
	unsigned long flags = local_irq_save();
	struct timer_queue *queue = lock_queue_of(timer), *own = &timer_queues[this_hart()];
	struct timer *before;

	if (timer->armed)
		dequeue(queue, timer);
	if (queue != own) {
		spin_unlock_masked(&queue->lock);
		spin_lock_masked(&own->lock);
	}
	before = own->first;
	timer->hart = this_hart();
	timer->deadline = deadline;
	if (deadline != TIME_NEVER)
		enqueue(own, timer);
	if (own->first != before || timer == own->first)
		set_clockevent(own);
	spin_unlock_masked(&own->lock);
	local_irq_restore(flags);
}

/* An interrupt that comes for nothing is cheaper than setting the hart's timer each time. */
bool timer_cancel(struct timer *timer)
{
	unsigned long flags = local_irq_save();
	bool armed = false, runs;

	do {
		struct timer_queue *queue = lock_queue_of(timer);

		runs = IS_ENABLED(CONFIG_SMP) && queue != &timer_queues[this_hart()] &&
		       queue->running == timer;
		if (timer->armed) {
			dequeue(queue, timer);
			armed = true;
		}
		spin_unlock_masked(&queue->lock);
		/* It may arm itself again before it ends: look once more then. */
		while (runs && load_acquire(&queue->running) == timer)
			;
	} while (runs);
	local_irq_restore(flags);
	return armed;
}

void timer_interrupt(void)
{
	struct timer_queue *queue = &timer_queues[this_hart()];

	spin_lock_masked(&queue->lock);
	while (queue->first && queue->first->deadline <= time_now()) {
		struct timer *timer = queue->first;

		dequeue(queue, timer);
		if (IS_ENABLED(CONFIG_SMP))
			WRITE_ONCE(queue->running, timer);
		spin_unlock_masked(&queue->lock);
		timer->fn(timer);
		spin_lock_masked(&queue->lock);
		/* Who waits for this may free the timer. */
		if (IS_ENABLED(CONFIG_SMP))
			store_release(&queue->running, NULL);
	}
	set_clockevent(queue);
	spin_unlock_masked(&queue->lock);
}

#ifdef CONFIG_DEADLOCK_REPORT
bool timers_pending(void)
{
	unsigned int i;

	for (i = 0; i < NR_HARTS; i++)
		if (READ_ONCE(timer_queues[i].first) || READ_ONCE(timer_queues[i].running))
			return true;
	return false;
}
#endif

void timers_hart_init(void)
{
	/* Nothing is set. A firmware's leftover is an interrupt for nothing, which says so. */
	clockevent_init();
}

static void timers_init(void)
{
	timers_hart_init();
}
INIT(mm, timers_init);
