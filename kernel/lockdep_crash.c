// SPDX-License-Identifier: MIT
/* Mistakes with locks, to see that each of them is reported. */
#include <ahoy/crash.h>
#include <ahoy/lockdep.h>
#include <ahoy/mutex.h>
#include <ahoy/spinlock.h>
#include <ahoy/thread.h>
#include <asm/irqflags.h>

static struct spinlock spin_a, spin_b;
static struct mutex mutex_a, mutex_b, mutex_c;

/* Nobody meets anybody here, so that only the order tells. */
static void crash_lock_order(void)
{
	unsigned long flags = spin_lock(&spin_a);

	spin_lock_masked(&spin_b);
	spin_unlock_masked(&spin_b);
	spin_unlock_masked(&spin_a);
	spin_lock_masked(&spin_b);
	spin_lock_masked(&spin_a);
	spin_unlock_masked(&spin_a);
	spin_unlock(&spin_b, flags);
}
CRASH_WAY(lock_order, "lock-order", crash_lock_order);

/* The same by three mutexes, of which each pair is harmless. */
static void crash_mutex_order(void)
{
	mutex_lock(&mutex_a);
	mutex_lock(&mutex_b);
	mutex_unlock(&mutex_a);
	mutex_lock(&mutex_c);
	mutex_unlock(&mutex_b);
	mutex_lock(&mutex_a);
	mutex_unlock(&mutex_a);
	mutex_unlock(&mutex_c);
}
CRASH_WAY(mutex_order, "mutex-order", crash_mutex_order);

static void crash_lock_recursion(void)
{
	unsigned long flags = spin_lock(&spin_a);

	spin_lock_masked(&spin_a);
	spin_unlock(&spin_a, flags);
}
CRASH_WAY(lock_recursion, "lock-recursion", crash_lock_recursion);

static void crash_mutex_recursion(void)
{
	mutex_lock(&mutex_a);
	mutex_lock(&mutex_a);
}
CRASH_WAY(mutex_recursion, "mutex-recursion", crash_mutex_recursion);

static void crash_lock_sleep(void)
{
	unsigned long flags = spin_lock(&spin_a);

	mutex_lock(&mutex_a);
	mutex_unlock(&mutex_a);
	spin_unlock(&spin_a, flags);
}
CRASH_WAY(lock_sleep, "lock-sleep", crash_lock_sleep);

static void crash_lock_yield(void)
{
	unsigned long flags = spin_lock(&spin_a);

	thread_yield();
	spin_unlock(&spin_a, flags);
}
CRASH_WAY(lock_yield, "lock-yield", crash_lock_yield);

static void crash_masked_sleep(void)
{
	unsigned long flags;

	/* Now it is known that start-up is over. */
	mutex_lock(&mutex_a);
	mutex_unlock(&mutex_a);
	flags = local_irq_save();
	mutex_lock(&mutex_a);
	mutex_unlock(&mutex_a);
	local_irq_restore(flags);
}
CRASH_WAY(masked_sleep, "masked-sleep", crash_masked_sleep);

static void crash_lock_unmasked(void)
{
	spin_lock_masked(&spin_a);
	spin_unlock_masked(&spin_a);
}
CRASH_WAY(lock_unmasked, "lock-unmasked", crash_lock_unmasked);

static void crash_lock_assert(void)
{
	lockdep_assert_held(&spin_a);
}
CRASH_WAY(lock_assert, "lock-assert", crash_lock_assert);

static int take_and_yield(void *arg)
{
	mutex_lock(&mutex_a);
	while (READ_ONCE(mutex_a.owner))
		thread_yield();
	return 0;
}

static void crash_mutex_owner(void)
{
	if (!thread_create("owner", take_and_yield, NULL, PRIORITY_DEFAULT))
		return;
	while (!READ_ONCE(mutex_a.owner))
		thread_yield();
	mutex_unlock(&mutex_a);
}
CRASH_WAY(mutex_owner, "mutex-owner", crash_mutex_owner);

static int take_and_end(void *arg)
{
	mutex_lock(&mutex_a);
	return 0;
}

static void crash_mutex_ends(void)
{
	struct thread *thread = thread_create("careless", take_and_end, NULL, PRIORITY_DEFAULT);

	if (thread)
		thread_join(thread);
}
CRASH_WAY(mutex_ends, "mutex-ends", crash_mutex_ends);

/* Forks of one kind, whose order is not learned: three philosophers take the left one first. */
#define PHILOSOPHERS 3

static struct fork {
	struct mutex mutex;
} forks[PHILOSOPHERS];
static u32 left_taken;

static int dine(void *arg)
{
	struct fork *left = arg, *right = left == forks ? &forks[PHILOSOPHERS - 1] : left - 1;

	mutex_lock(&left->mutex);
	__atomic_add_fetch(&left_taken, 1, __ATOMIC_RELAXED);
	while (READ_ONCE(left_taken) < PHILOSOPHERS)
		thread_yield();
	mutex_lock(&right->mutex);
	return 0;
}

static void crash_mutex_circle(void)
{
	static const char *const names[PHILOSOPHERS] = { "plato", "hypatia", "hume" };
	struct thread *threads[PHILOSOPHERS];
	unsigned int i;

	for (i = 0; i < PHILOSOPHERS; i++) {
		threads[i] = thread_create(names[i], dine, &forks[i], PRIORITY_DEFAULT);
		if (!threads[i])
			return;
	}
	for (i = 0; i < PHILOSOPHERS; i++)
		thread_join(threads[i]);
}
CRASH_WAY(mutex_circle, "mutex-circle", crash_mutex_circle);
