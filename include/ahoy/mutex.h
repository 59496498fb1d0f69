/* SPDX-License-Identifier: MIT */
/*
 * Sleeping locks for threads, and what threads wait for while they hold one.
 * All are ready for use when they are zero.
 */
#ifndef AHOY_MUTEX_H
#define AHOY_MUTEX_H

#include <ahoy/compiler.h>
#include <ahoy/lockdep.h>
#include <ahoy/thread.h>
#include <ahoy/time.h>
#include <ahoy/types.h>

enum mutex_state {
	MUTEX_FREE,
	MUTEX_LOCKED,
	MUTEX_CONTENDED, /* and somebody may be waiting for it */
};

struct mutex {
	u32 state;
	struct thread *owner; /* who holds it; of interest to that thread, and to reports */
	struct lockdep_map dep;
};

/* The parts of mutex_lock() and mutex_unlock() that are not inline. */
void mutex_lock_contended(struct mutex *mutex);
void mutex_unlock_contended(struct mutex *mutex);

/* Take @mutex if nobody has it. Return: whether it was taken. Context: any thread. */
static __always_inline bool mutex_trylock(struct mutex *mutex)
{
	u32 state = MUTEX_FREE;

	if (!__atomic_compare_exchange_n(&mutex->state, &state, MUTEX_LOCKED, false,
					 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return false;
	mutex->owner = thread_current();
	return true;
}

/*
 * Take @mutex, and wait for it where another thread has it: who waits longest
 * is woken first. Context: a thread that does not hold it, no spinlock held.
 */
static __always_inline void mutex_lock(struct mutex *mutex)
{
	if (unlikely(!mutex_trylock(mutex)))
		mutex_lock_contended(mutex);
}

/* Give @mutex back. Context: the thread that took it. */
static __always_inline void mutex_unlock(struct mutex *mutex)
{
	mutex->owner = NULL;
	if (unlikely(__atomic_exchange_n(&mutex->state, MUTEX_FREE, __ATOMIC_RELEASE) ==
		     MUTEX_CONTENDED))
		mutex_unlock_contended(mutex);
}

/* Whether the thread that runs this holds @mutex. Context: any thread. */
static __always_inline bool mutex_is_mine(const struct mutex *mutex)
{
	return mutex->owner == thread_current();
}

#ifdef CONFIG_LOCKDEP
/* The same, with the place that does it told to the lock checker. */
#define mutex_trylock(m)                                                                           \
	({                                                                                         \
		struct mutex *mutex_ = (m);                                                        \
		bool mutex_taken_ = (mutex_trylock)(mutex_);                                       \
		if (mutex_taken_)                                                                  \
			lockdep_mutex_tried(&mutex_->dep, LOCK_SITE(m));                           \
		mutex_taken_;                                                                      \
	})
#define mutex_lock(m)                                                                              \
	({                                                                                         \
		struct mutex *mutex_ = (m);                                                        \
		lockdep_mutex_want(&mutex_->dep, LOCK_SITE(m));                                    \
		(mutex_lock)(mutex_);                                                              \
		lockdep_mutex_got(&mutex_->dep);                                                   \
	})
#define mutex_unlock(m)                                                                            \
	({                                                                                         \
		struct mutex *mutex_ = (m);                                                        \
		lockdep_mutex_unlock(&mutex_->dep, LOCK_SITE(m));                                  \
		(mutex_unlock)(mutex_);                                                            \
	})
#endif

/* Something that happens: once for each call of complete(). */
struct completion {
	u32 done; /* calls that nobody has waited for yet */
};

/* It has happened: one thread that waits, now or later, goes on. Context: any. */
void complete(struct completion *completion);

/*
 * Wait until it has happened. @deadline: nanoseconds as of time_now(), or
 * TIME_NEVER. Return: 0, or -ETIMEDOUT. Context: any thread, no spinlock held.
 */
int completion_wait(struct completion *completion, u64 deadline);

/* A condition variable: what is true of data that a mutex protects may have changed. */
struct condition {
	u32 sequence; /* of signals */
};

/*
 * Give @mutex back, wait for a signal until @deadline (as completion_wait()),
 * and take it again. It may return without a signal: look at the data again.
 * Return: 0, or -ETIMEDOUT. Context: the thread that holds @mutex.
 */
int condition_wait(struct condition *condition, struct mutex *mutex, u64 deadline);

/* Have one of those who wait go on, or all of them. Context: any. */
void condition_signal(struct condition *condition);
void condition_broadcast(struct condition *condition);

#endif
