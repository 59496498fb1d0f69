// SPDX-License-Identifier: MIT
#include "lock.h"

void lock_contended(struct lock *lock)
{
	/* Whoever gets it from here on cannot know whether others wait. */
	while (__atomic_exchange_n(&lock->state, LOCK_CONTENDED, __ATOMIC_ACQUIRE) != LOCK_FREE)
		wait_on(&lock->state, LOCK_CONTENDED, TIME_NEVER);
}
