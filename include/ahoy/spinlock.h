/* SPDX-License-Identifier: MIT */
/*
 * Spinlocks. All of them mask interrupts, since whatever is worth a lock may
 * be wanted by an interrupt; so none may be held for long, or while waiting.
 * On one hart, masking is all there is to do.
 */
#ifndef AHOY_SPINLOCK_H
#define AHOY_SPINLOCK_H

#include <ahoy/lockdep.h>
#include <ahoy/types.h>
#include <asm/irqflags.h>
#ifdef CONFIG_SMP
#include <asm/spinlock.h>
#endif

struct spinlock {
#ifdef CONFIG_SMP
	struct arch_spinlock arch;
#endif
	struct lockdep_map dep;
};

/* Take @lock, where interrupts are masked already. */
static __always_inline void spin_lock_masked(struct spinlock *lock)
{
#ifdef CONFIG_SMP
	arch_spin_lock(&lock->arch);
#else
	barrier();
#endif
}

/* Give it back; they stay masked. */
static __always_inline void spin_unlock_masked(struct spinlock *lock)
{
#ifdef CONFIG_SMP
	arch_spin_unlock(&lock->arch);
#else
	barrier();
#endif
}

/* Take @lock. Return: what spin_unlock() wants. Context: any. */
static __always_inline unsigned long spin_lock(struct spinlock *lock)
{
	unsigned long flags = local_irq_save();

	spin_lock_masked(lock);
	return flags;
}

/* Give @lock back. @flags: what the spin_lock() returned. */
static __always_inline void spin_unlock(struct spinlock *lock, unsigned long flags)
{
	spin_unlock_masked(lock);
	local_irq_restore(flags);
}

#ifdef CONFIG_LOCKDEP
/* The same, with the place that does it told to the lock checker before. */
#define spin_lock_masked(lock)                                                                     \
	({                                                                                         \
		struct spinlock *spin_lock_ = (lock);                                              \
		lockdep_spin_lock(&spin_lock_->dep, LOCK_SITE(lock));                              \
		(spin_lock_masked)(spin_lock_);                                                    \
	})
#define spin_unlock_masked(lock)                                                                   \
	({                                                                                         \
		struct spinlock *spin_lock_ = (lock);                                              \
		lockdep_spin_unlock(&spin_lock_->dep, LOCK_SITE(lock));                            \
		(spin_unlock_masked)(spin_lock_);                                                  \
	})
#define spin_lock(lock)                                                                            \
	({                                                                                         \
		struct spinlock *spin_lock_ = (lock);                                              \
		unsigned long spin_flags_ = local_irq_save();                                      \
		lockdep_spin_lock(&spin_lock_->dep, LOCK_SITE(lock));                              \
		(spin_lock_masked)(spin_lock_);                                                    \
		spin_flags_;                                                                       \
	})
#define spin_unlock(lock, flags)                                                                   \
	({                                                                                         \
		struct spinlock *spin_lock_ = (lock);                                              \
		lockdep_spin_unlock(&spin_lock_->dep, LOCK_SITE(lock));                            \
		(spin_unlock)(spin_lock_, (flags));                                                \
	})
#endif

#endif
