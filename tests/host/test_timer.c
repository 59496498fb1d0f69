// SPDX-License-Identifier: MIT
/* A hart's timers against a plain array: armed, moved and cancelled at random, they fire in order. */
#include "lib.h"

#include <cmocka.h>

#include "../../kernel/timer.c"

enum {
	TIMERS = 300
};

static struct item {
	struct timer timer;
	u64 deadline; /* what the test knows of it; TIME_NEVER: not armed */
	u64 number;   /* of when it was armed */
} items[TIMERS];

static struct thread hart;
__thread struct thread *host_current = &hart;
static u64 now, event, seed = 1, armed_count;
static unsigned int fired;

u64 time_now(void)
{
	return now;
}

u64 time_to_ticks(u64 ns)
{
	return ns;
}

void clockevent_set(u64 ticks)
{
	event = ticks;
}

static unsigned int random_below(unsigned int bound)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned int)(seed >> 33) % bound;
}

static void arm(struct item *item, u64 deadline)
{
	item->deadline = deadline;
	item->number = ++armed_count;
	timer_arm(&item->timer, deadline);
}

/* Whoever is due first, and of those the one that was armed first. */
static struct item *first(void)
{
	struct item *found = NULL;

	for (int i = 0; i < TIMERS; i++)
		if (items[i].deadline != TIME_NEVER &&
		    (!found || items[i].deadline < found->deadline ||
		     (items[i].deadline == found->deadline && items[i].number < found->number)))
			found = &items[i];
	return found;
}

static void fire(struct timer *timer)
{
	struct item *item = container_of(timer, struct item, timer);

	assert_ptr_equal(item, first());
	assert_true(item->deadline <= now);
	assert_false(timer->armed);
	item->deadline = TIME_NEVER;
	fired++;
	/* It may arm itself, and cancel others. */
	if (random_below(4) == 0)
		arm(item, now + 1 + random_below(50));
	if (random_below(8) == 0) {
		item = &items[random_below(TIMERS)];
		assert_int_equal(timer_cancel(&item->timer), item->deadline != TIME_NEVER);
		item->deadline = TIME_NEVER;
	}
}

static void test_order(void **state)
{
	(void)state;
	event = TIME_NEVER;
	for (int i = 0; i < TIMERS; i++) {
		timer_init(&items[i].timer, fire);
		items[i].deadline = TIME_NEVER;
	}
	for (int step = 0; step < 100000; step++) {
		struct item *item = &items[random_below(TIMERS)];

		switch (random_below(4)) {
		case 0:
		case 1:
			arm(item, random_below(20) ? now + random_below(100) : TIME_NEVER);
			break;
		case 2:
			assert_int_equal(timer_cancel(&item->timer), item->deadline != TIME_NEVER);
			item->deadline = TIME_NEVER;
			break;
		default:
			now += random_below(10);
			if (event <= now)
				timer_interrupt();
			item = first();
			assert_true(!item || item->deadline > now);
			break;
		}
		/* The hart is interrupted in time; one time too many does no harm. */
		item = first();
		assert_true(!item || event <= item->deadline);
	}
	assert_true(fired > 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
	};

	return cmocka_run_group_tests_name("timer", tests, NULL, NULL);
}
