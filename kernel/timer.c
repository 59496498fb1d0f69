// SPDX-License-Identifier: MIT
/* Timers, in a tree by deadline. The hart's own timer is set for the first of them. */
#include <ahoy/init.h>
#include <ahoy/interrupt.h>
#include <ahoy/spinlock.h>
#include <ahoy/timer.h>
#include <asm/timer.h>

static struct rb_tree timers;
static struct timer *first;
static struct spinlock lock;

static struct timer *timer_of(struct rb_node *node)
{
	return node ? rb_entry(node, struct timer, node) : NULL;
}

static void set_clockevent(void)
{
	clockevent_set(first ? time_to_ticks(first->deadline) : U64_MAX);
}

/* Equal deadlines come in the order in which they were armed. */
static void enqueue(struct timer *timer)
{
	struct rb_node **link = &timers.root, *parent = NULL;
	bool leftmost = true;

	while (*link) {
		parent = *link;
		if (timer->deadline < timer_of(parent)->deadline) {
			link = &parent->left;
		} else {
			link = &parent->right;
			leftmost = false;
		}
	}
	rb_insert(&timers, &timer->node, parent, link);
	timer->armed = true;
	if (leftmost)
		first = timer;
}

static void dequeue(struct timer *timer)
{
	if (timer == first)
		first = timer_of(rb_next(&timer->node));
	rb_erase(&timers, &timer->node);
	timer->armed = false;
}

void timer_arm(struct timer *timer, u64 deadline)
{
	unsigned long flags = spin_lock(&lock);
	struct timer *before = first;

	if (timer->armed)
		dequeue(timer);
	timer->deadline = deadline;
	if (deadline != TIME_NEVER)
		enqueue(timer);
	if (first != before || timer == first)
		set_clockevent();
	spin_unlock(&lock, flags);
}

/* An interrupt that comes for nothing is cheaper than setting the hart's timer each time. */
bool timer_cancel(struct timer *timer)
{
	unsigned long flags = spin_lock(&lock);
	bool armed = timer->armed;

	if (armed)
		dequeue(timer);
	spin_unlock(&lock, flags);
	return armed;
}

void timer_interrupt(void)
{
	while (first && first->deadline <= time_now()) {
		struct timer *timer = first;

		dequeue(timer);
		timer->fn(timer);
	}
	set_clockevent();
}

static void timers_init(void)
{
	clockevent_init();
	clockevent_set(U64_MAX);
}
INIT(mm, timers_init);
