/* SPDX-License-Identifier: MIT */
/* What arch calls when the hart is interrupted, or a thread begins; with interrupts masked. */
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

#ifdef CONFIG_IRQCHIP
/* A device has interrupted this hart, by way of the interrupt controller. */
void device_interrupt(void);
#else
static inline void device_interrupt(void)
{
}
#endif

#ifdef CONFIG_SMP
/* Another hart has called hart_interrupt() for this one. */
void ipi_received(void);

/* A hart that hart_start() was called for has arrived. @hartid: as firmware counts. */
void secondary_start(unsigned long hartid) __attribute__((__noreturn__));
#else
static inline void ipi_received(void)
{
}
#endif

#ifdef CONFIG_THREADS
struct thread;

/* The first thing that a new thread does. @prev: who ran before on this hart. */
void sched_thread_starts(struct thread *prev);
#endif

#ifdef CONFIG_USERSPACE
struct user_frame;

/* The current thread has something to do before its program, of @frame, goes on. */
void user_work(struct user_frame *frame);
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
