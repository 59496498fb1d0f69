/* SPDX-License-Identifier: MIT */
/* Functions that are called at a moment. */
#ifndef AHOY_TIMER_H
#define AHOY_TIMER_H

#include <ahoy/rbtree.h>
#include <ahoy/time.h>
#include <ahoy/types.h>

struct timer {
	struct rb_node node;
	u64 deadline; /* in nanoseconds, as time_now() */
	void (*fn)(struct timer *timer);
	bool armed;
	u16 hart; /* index of where it was armed last */
};

/* Make @timer one that calls @fn: in an interrupt, interrupts masked; it must not wait. */
static inline void timer_init(struct timer *timer, void (*fn)(struct timer *timer))
{
	*timer = (struct timer){ .fn = fn };
}

/*
 * Have @timer call its function once, at or soon after @deadline (nanoseconds
 * as of time_now(); TIME_NEVER: not at all). One that is armed changes its
 * deadline. It may arm itself again. If its function may be running
 * on another hart, cancel it first, or two harts may run it. Context: any; one hart at a time.
 */
void timer_arm(struct timer *timer, u64 deadline);

/*
 * Have it not call its function, and wait for it if it runs on another hart: it
 * does not run any more afterwards. Return: whether it was armed.
 * Context: any, without locks that its function takes.
 */
bool timer_cancel(struct timer *timer);

/* Get a hart ready for timers. Context: each hart, once, interrupts masked. */
void timers_hart_init(void);

#endif
