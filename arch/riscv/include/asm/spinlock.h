/* SPDX-License-Identifier: MIT */
/*
 * Ticket locks: whoever wants the lock draws a number and waits until it is
 * served, so that harts get it in the order in which they came.
 */
#ifndef ASM_SPINLOCK_H
#define ASM_SPINLOCK_H

#include <ahoy/compiler.h>
#include <ahoy/types.h>

struct arch_spinlock {
	u16 served;
	u16 next;
};

static __always_inline void arch_spin_lock(struct arch_spinlock *lock)
{
	u32 drawn;
	u16 ticket;

	__asm__ __volatile__("amoadd.w %0, %2, %1"
			     : "=r"(drawn), "+A"(*(u32 *)lock)
			     : "r"(0x10000)
			     : "memory");
	ticket = (u16)(drawn >> 16);
	while (READ_ONCE(lock->served) != ticket)
		;
	/* What the lock protects is looked at after the lock (acquire). */
	__asm__ __volatile__("fence r, rw" : : : "memory");
}

static __always_inline void arch_spin_unlock(struct arch_spinlock *lock)
{
	/* And what was written there is seen before the lock is free (release). */
	__asm__ __volatile__("fence rw, w" : : : "memory");
	WRITE_ONCE(lock->served, (u16)(lock->served + 1));
}

static __always_inline bool arch_spin_is_locked(const struct arch_spinlock *lock)
{
	return READ_ONCE(lock->served) != READ_ONCE(lock->next);
}

#endif
