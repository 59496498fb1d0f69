// SPDX-License-Identifier: MIT
/*
 * Timers of several harts, each played by a thread of the host, under the
 * thread sanitizer. Timers go from hart to hart; after a cancellation their
 * memory is used for something else. Prints TAP.
 */
#include "lib.h"

#include <pthread.h>

/* The sources' names, not lib/'s: these are linked into this file alone. */
#include "../../lib/rbtree.c"

#include "../../kernel/timer.c"

enum {
	TIMERS = 64,
	ROUNDS = 20000
};

struct item {
	struct timer timer;
	pthread_mutex_t lock; /* one hart at a time arms and cancels it */
	u64 payload;	      /* written without a lock by who knows that it does not run */
};

static struct item items[TIMERS];
static u64 clock_ns, fired;
static __thread u64 event;
__thread struct thread *host_current;

/* What the sanitizer calls for volatile accesses, which the kernel means to be atomic. */
#define VOLATILE(n)                                                                                \
	void __tsan_volatile_read##n(void *p);                                                     \
	void __tsan_volatile_read##n(void *p)                                                      \
	{                                                                                          \
	}                                                                                          \
	void __tsan_volatile_write##n(void *p);                                                    \
	void __tsan_volatile_write##n(void *p)                                                     \
	{                                                                                          \
	}
VOLATILE(1)
VOLATILE(2)
VOLATILE(4)
VOLATILE(8)

u64 time_now(void)
{
	return __atomic_load_n(&clock_ns, __ATOMIC_RELAXED);
}

u64 time_to_ticks(u64 ns)
{
	return ns;
}

void clockevent_set(u64 ticks)
{
	event = ticks;
}

static void fire(struct timer *timer)
{
	container_of(timer, struct item, timer)->payload++;
	__atomic_add_fetch(&fired, 1, __ATOMIC_RELAXED);
}

static void *play_hart(void *arg)
{
	struct thread hart = { .hart = (u16)(uintptr_t)arg };
	u64 seed = hart.hart + 1;

	host_current = &hart;
	event = TIME_NEVER;
	for (int i = 0; i < ROUNDS; i++) {
		struct item *item;

		seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
		item = &items[(seed >> 33) % TIMERS];
		__atomic_add_fetch(&clock_ns, 1, __ATOMIC_RELAXED);
		if (pthread_mutex_trylock(&item->lock) == 0) {
			if (seed >> 63) {
				/* Its function may be running on another hart still. */
				timer_cancel(&item->timer);
				timer_arm(&item->timer, time_now() + (seed >> 40) % 20);
			} else {
				timer_cancel(&item->timer);
				item->payload++;
			}
			pthread_mutex_unlock(&item->lock);
		}
		if (event <= time_now())
			timer_interrupt();
	}
	return NULL;
}

int main(void)
{
	pthread_t harts[NR_HARTS];

	for (int i = 0; i < TIMERS; i++) {
		timer_init(&items[i].timer, fire);
		pthread_mutex_init(&items[i].lock, NULL);
	}
	for (uintptr_t i = 0; i < NR_HARTS; i++)
		if (pthread_create(&harts[i], NULL, play_hart, (void *)i))
			return 1;
	for (int i = 0; i < NR_HARTS; i++)
		pthread_join(harts[i], NULL);
	printf("1..1\n%sok 1 - timers of %d harts, %llu fired\n", fired > 1000 ? "" : "not ",
	       NR_HARTS, (unsigned long long)fired);
	return fired > 1000 ? 0 : 1;
}
