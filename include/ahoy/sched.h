/* SPDX-License-Identifier: MIT */
/* Which thread runs: inside the kernel's core. */
#ifndef AHOY_SCHED_H
#define AHOY_SCHED_H

#include <ahoy/interrupt.h>
#include <ahoy/thread.h>
#include <ahoy/types.h>

#ifdef CONFIG_THREADS
/*
 * Give the hart to the most urgent thread that is ready, in turn. The current
 * thread's state says whether it is one of them. Context: interrupts masked;
 * they stay so.
 */
void schedule(void);

/* Make @thread ready, which waits or is new. Context: interrupts masked. */
void sched_ready(struct thread *thread);

#ifdef CONFIG_SMP
/* The same, to go on on this hart, which is about to look for somebody to run. */
void sched_ready_here(struct thread *thread);
#else
#define sched_ready_here sched_ready
#endif

/*
 * @thread, which runs this, has ended: who waits for that goes on, on this hart,
 * since its stack is in use until the switch. Context: interrupts masked.
 */
void wake_joiner(struct thread *thread);

#ifdef CONFIG_USERSPACE
/* A thread with a stack, which does not run yet. Return: NULL without memory. Context: any thread. */
struct thread *thread_alloc(const char *name, unsigned int priority);

/* Where its stack begins; it grows down. */
void *thread_stack_top(const struct thread *thread);

/* Let it begin as its frame says. Context: any thread. */
void thread_start(struct thread *thread);

/* It has ended, and is gone. Context: any thread. */
void thread_free(struct thread *thread);
#endif

/* Give @thread a stack. Return: its top, or NULL without memory. */
void *thread_stack_alloc(struct thread *thread);

/* Give that stack back, if it has one: nobody runs on it. Context: any thread. */
void thread_stack_free(struct thread *thread);
#endif

#ifdef CONFIG_SMP
/*
 * Make the run queue of hart @hart (1 to NR_HARTS - 1) and its idle thread.
 * Return: that thread, as which the hart starts. Context: before it does.
 */
struct thread *sched_hart_init(unsigned int hart);

/* Begin to run threads on a hart, as its idle thread. Context: interrupts masked. */
void sched_hart_idle(void) __attribute__((__noreturn__));
#endif

#if defined(CONFIG_SMP) && defined(CONFIG_RESCHED)
/* Another hart has interrupted this one: its thread may have to share it now. Context: interrupt. */
void sched_interrupted(void);
#else
static inline void sched_interrupted(void)
{
}
#endif

#ifdef CONFIG_RESCHED
/*
 * Give way to a thread that is more urgent, or whose turn it is. Without
 * preemption, long work calls this now and then. Context: any thread, no lock.
 */
void cond_resched(void);
#else
static inline void cond_resched(void)
{
}
#endif

#endif
