/* SPDX-License-Identifier: MIT */
/* Whether this hart takes interrupts (sstatus.SIE; Privileged Architecture, 10.1.1.1). */
#ifndef ASM_IRQFLAGS_H
#define ASM_IRQFLAGS_H

#include <ahoy/compiler.h>
#include <ahoy/types.h>
#include <asm/csr.h>

#ifdef CONFIG_IRQ
/* Mask interrupts. Return: what local_irq_restore() wants. Context: any. */
static __always_inline unsigned long local_irq_save(void)
{
	unsigned long flags;

	__asm__ __volatile__("csrrci %0, sstatus, %1" : "=r"(flags) : "i"(SSTATUS_SIE) : "memory");
	return flags & SSTATUS_SIE;
}

/* Make it as it was before the local_irq_save() that returned @flags. */
static __always_inline void local_irq_restore(unsigned long flags)
{
	__asm__ __volatile__("csrs sstatus, %0" : : "rK"(flags) : "memory");
}

static __always_inline void local_irq_enable(void)
{
	__asm__ __volatile__("csrsi sstatus, %0" : : "i"(SSTATUS_SIE) : "memory");
}

static __always_inline void local_irq_disable(void)
{
	__asm__ __volatile__("csrci sstatus, %0" : : "i"(SSTATUS_SIE) : "memory");
}

/* Whether devices may interrupt this hart (sie.SEIE). */
static __always_inline bool device_interrupts_enabled(void)
{
	return csr_read(sie) >> IRQ_EXTERNAL & 1;
}

static __always_inline bool irqs_disabled(void)
{
	return !(csr_read(sstatus) & SSTATUS_SIE);
}

/* Let devices interrupt this hart. Context: each hart that shall be, once. */
static __always_inline void local_irq_accept_devices(void)
{
	csr_set(sie, 1UL << IRQ_EXTERNAL);
}
#else
static __always_inline unsigned long local_irq_save(void)
{
	barrier();
	return 0;
}

static __always_inline void local_irq_restore(unsigned long flags)
{
	barrier();
}

static __always_inline void local_irq_enable(void)
{
}

static __always_inline void local_irq_disable(void)
{
}

static __always_inline bool irqs_disabled(void)
{
	return true;
}
#endif
#endif
