/* SPDX-License-Identifier: MIT */
/*
 * Spinlocks. All of them mask interrupts, since whatever is worth a lock may
 * be wanted by an interrupt; so none may be held for long, or while waiting.
 * On one hart, masking is all there is to do.
 */
#ifndef AHOY_SPINLOCK_H
#define AHOY_SPINLOCK_H

#include <ahoy/types.h>
#include <asm/irqflags.h>

struct spinlock {
};

/* Take @lock. Return: what spin_unlock() wants. Context: any. */
static __always_inline unsigned long spin_lock(struct spinlock *lock)
{
	return local_irq_save();
}

/* Give @lock back. @flags: what the spin_lock() returned. */
static __always_inline void spin_unlock(struct spinlock *lock, unsigned long flags)
{
	local_irq_restore(flags);
}

#endif
