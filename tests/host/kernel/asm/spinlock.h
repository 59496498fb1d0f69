/* SPDX-License-Identifier: MIT */
/* In place of the kernel's, in a form that sanitizers understand. */
#ifndef ASM_SPINLOCK_H
#define ASM_SPINLOCK_H

#include <sched.h>

struct arch_spinlock {
	unsigned int taken;
};

static inline void arch_spin_lock(struct arch_spinlock *lock)
{
	while (__atomic_exchange_n(&lock->taken, 1, __ATOMIC_ACQUIRE))
		sched_yield();
}

static inline void arch_spin_unlock(struct arch_spinlock *lock)
{
	__atomic_store_n(&lock->taken, 0, __ATOMIC_RELEASE);
}

#endif
