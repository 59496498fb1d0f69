// SPDX-License-Identifier: MIT
/* Mutexes, completions and condition variables, made of waiting for a word. */
#include <ahoy/errno.h>
#include <ahoy/mutex.h>
#include <ahoy/wait.h>

#define ALL U32_MAX

void mutex_lock_contended(struct mutex *mutex)
{
	/* Whoever comes out of here may leave others behind, so the state says so. */
	while (__atomic_exchange_n(&mutex->state, MUTEX_CONTENDED, __ATOMIC_ACQUIRE) != MUTEX_FREE)
		wait_on(&mutex->state, MUTEX_CONTENDED, TIME_NEVER);
	mutex->owner = thread_current();
}

void mutex_unlock_contended(struct mutex *mutex)
{
	wake(&mutex->state, 1);
}

void complete(struct completion *completion)
{
	__atomic_fetch_add(&completion->done, 1, __ATOMIC_RELEASE);
	wake(&completion->done, 1);
}

int completion_wait(struct completion *completion, u64 deadline)
{
	u32 done = READ_ONCE(completion->done);

	for (;;) {
		while (done)
			if (__atomic_compare_exchange_n(&completion->done, &done, done - 1, true,
							__ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
				return 0;
		if (wait_on(&completion->done, 0, deadline) == -ETIMEDOUT &&
		    !READ_ONCE(completion->done))
			return -ETIMEDOUT;
		done = READ_ONCE(completion->done);
	}
}

int condition_wait(struct condition *condition, struct mutex *mutex, u64 deadline)
{
	u32 sequence = READ_ONCE(condition->sequence);
	int result;

	mutex_unlock(mutex);
	/* A signal since then has changed the number, and the wait ends at once. */
	result = wait_on(&condition->sequence, sequence, deadline);
	mutex_lock(mutex);
	return result == -ETIMEDOUT ? result : 0;
}

static void signal(struct condition *condition, unsigned int n)
{
	__atomic_fetch_add(&condition->sequence, 1, __ATOMIC_RELEASE);
	wake(&condition->sequence, n);
}

void condition_signal(struct condition *condition)
{
	signal(condition, 1);
}

void condition_broadcast(struct condition *condition)
{
	signal(condition, ALL);
}
