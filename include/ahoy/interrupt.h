/* SPDX-License-Identifier: MIT */
/* What arch calls when the hart is interrupted, with interrupts masked. */
#ifndef AHOY_INTERRUPT_H
#define AHOY_INTERRUPT_H

#ifdef CONFIG_TIMERS
/* The moment has come that clockevent_set() was told last. */
void timer_interrupt(void);
#else
static inline void timer_interrupt(void)
{
}
#endif

#ifdef CONFIG_PREEMPT
/* An interrupt has been handled: switch threads if somebody is more urgent now. */
void preempt_from_irq(void);
#else
static inline void preempt_from_irq(void)
{
}
#endif

#endif
