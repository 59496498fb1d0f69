/* SPDX-License-Identifier: MIT */
/*
 * Harts. Each that takes part has an index, the boot hart 0; what every hart
 * has for itself is an array by index.
 */
#ifndef AHOY_SMP_H
#define AHOY_SMP_H

#include <ahoy/thread.h>
#include <ahoy/types.h>
#include <asm/barrier.h>

#ifdef CONFIG_SMP
#define NR_HARTS CONFIG_NR_HARTS

/* The index of the hart that runs this. Context: interrupts masked, or it may be another soon. */
static __always_inline unsigned int this_hart(void)
{
	return thread_current()->hart;
}

/* How many harts take part by now. Context: any. */
unsigned int smp_online(void);

/*
 * Begin to start the other harts, by a thread of little urgency. @hartid: the
 * boot hart's number as firmware counts. Context: boot, once, interrupts enabled.
 */
void smp_start(unsigned long hartid);

/* Wait until all harts that can be started are. Context: any thread. */
void smp_wait(void);

/* Have hart @index look at its run queue. Context: any. */
void smp_reschedule(unsigned int index);

/*
 * Have the harts of @harts, a bit each, forget their translations of
 * [@start, @start + @size) (SBI 2.0, 8.2). Returns when they have. Context: any.
 */
void smp_fence(u64 harts, unsigned long start, unsigned long size);

/*
 * Have the harts of @harts, a bit each, see the code that this one has written; all
 * harts, this one too (SBI 2.0, 8.1). Return when they do. Context: any.
 */
void smp_fence_code(u64 harts);
void smp_fence_code_all(void);

/* A call that another hart is to make. Its fields are smp.c's own. */
struct smp_call {
	struct smp_call *next;
	void (*fn)(void *arg);
	void *arg;
	bool done;
};

/*
 * Have hart @index call @fn(@arg), in an interrupt, interrupts masked; it must
 * not wait. @call is in use until smp_call_wait() returns, or until @fn has told
 * that it ran. Return: 0, or -ENODEV if there is no such hart.
 * Context: any.
 */
int smp_call_async(unsigned int index, struct smp_call *call, void (*fn)(void *arg), void *arg);

/* Wait until @call has been made. Context: any, without locks that calls take. */
void smp_call_wait(struct smp_call *call);

/* Both. @index may be this hart's. */
int smp_call(unsigned int index, void (*fn)(void *arg), void *arg);

/* Stop this hart for good: another one panics. Context: interrupts masked. */
void smp_stop_self(void) __attribute__((__noreturn__));

/* Have all other harts stop for good; wait until they have. Context: any; for panics. */
void smp_stop_others(void);
#else
#define NR_HARTS 1

static __always_inline unsigned int this_hart(void)
{
	return 0;
}

static inline unsigned int smp_online(void)
{
	return 1;
}

static inline void smp_start(unsigned long hartid)
{
}

static inline void smp_wait(void)
{
}

static inline void smp_reschedule(unsigned int index)
{
}

static inline void smp_fence(u64 harts, unsigned long start, unsigned long size)
{
}

static inline void smp_fence_code(u64 harts)
{
}

static inline void smp_fence_code_all(void)
{
	fence_code();
}

static inline void smp_stop_others(void)
{
}
#endif
#endif
