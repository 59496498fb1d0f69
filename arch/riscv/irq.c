// SPDX-License-Identifier: MIT
/* Interrupts, from the trap entry to who handles them. */
#include <ahoy/interrupt.h>
#include <ahoy/panic.h>
#include <asm/csr.h>

/* Called by the trap entry alone, with interrupts masked. @cause: scause. */
void do_irq(unsigned long cause);
void do_irq(unsigned long cause)
{
	switch (cause & ~SCAUSE_INTERRUPT) {
	case IRQ_SOFT:
		csr_clear(sip, 1UL << IRQ_SOFT);
		ipi_received();
		break;
	case IRQ_TIMER:
		timer_interrupt();
		break;
	default:
		if (IS_ENABLED(CONFIG_IRQCHIP) && (cause & ~SCAUSE_INTERRUPT) == IRQ_EXTERNAL) {
			device_interrupt();
			break;
		}
		panic("unexpected interrupt %lu", cause & ~SCAUSE_INTERRUPT);
	}
	preempt_from_irq();
}
