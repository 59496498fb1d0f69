/* SPDX-License-Identifier: MIT */
/*
 * What is locked between harts: an atomic instruction takes the lock (A
 * extension), fences keep what it protects inside (RVWMO).
 */
#ifndef ASM_SPINLOCK_H
#define ASM_SPINLOCK_H

#include <ahoy/compiler.h>
#include <ahoy/types.h>

#ifdef CONFIG_SPINLOCK_TICKET

/* Who wants it draws a number and waits until that is served. */
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
	if ((u16)drawn != ticket)
		while (READ_ONCE(lock->served) != ticket)
			;
	/* What the lock protects is looked at after the lock (acquire). */
	__asm__ __volatile__("fence r, rw" : : : "memory");
}

static __always_inline void arch_spin_unlock(struct arch_spinlock *lock)
{
	unsigned int served = lock->served + 1U;

	/* What was written there is seen before the lock is free (release). */
	__asm__ __volatile__("fence rw, w\n\t"
			     "sh %1, %0"
			     : "=m"(lock->served)
			     : "r"(served)
			     : "memory");
}

#else

/* Whoever finds it free takes it. */
struct arch_spinlock {
	u32 taken;
};

static __always_inline void arch_spin_lock(struct arch_spinlock *lock)
{
	u32 before;

	for (;;) {
		__asm__ __volatile__("amoswap.w.aq %0, %2, %1"
				     : "=r"(before), "+A"(lock->taken)
				     : "r"(1)
				     : "memory");
		if (likely(!before))
			return;
		/* Looking alone keeps the cache line shared. */
		while (READ_ONCE(lock->taken))
			;
	}
}

static __always_inline void arch_spin_unlock(struct arch_spinlock *lock)
{
	__asm__ __volatile__("fence rw, w" : : : "memory");
	WRITE_ONCE(lock->taken, 0);
}

#endif
#endif
