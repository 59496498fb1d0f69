/* SPDX-License-Identifier: MIT */
/* A sleeping lock, made of the core's wait() and wake(). It is free when it is zero. */
#ifndef POSIX_LOCK_H
#define POSIX_LOCK_H

#include <ahoy/core.h>

enum lock_state {
	LOCK_FREE,
	LOCK_TAKEN,
	LOCK_CONTENDED, /* and somebody may be waiting for it */
};

struct lock {
	u32 state;
};

/* The parts of lock() and unlock() that are not inline. */
void lock_contended(struct lock *lock);

/*
 * Take @lock, and wait for it where another thread has it. Until unlock(), user
 * memory is copied by ..._nofault() only.
 */
static __always_inline void lock(struct lock *lock)
{
	u32 state = LOCK_FREE;

	if (unlikely(!__atomic_compare_exchange_n(&lock->state, &state, LOCK_TAKEN, false,
						  __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)))
		lock_contended(lock);
}

/* Give @lock back. */
static __always_inline void unlock(struct lock *lock)
{
	if (unlikely(__atomic_exchange_n(&lock->state, LOCK_FREE, __ATOMIC_RELEASE) ==
		     LOCK_CONTENDED))
		wake(&lock->state, 1);
}

#endif
