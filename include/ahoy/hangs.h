/* SPDX-License-Identifier: MIT */
/* Reports of threads that keep others from running, and of a kernel that nothing can wake. */
#ifndef AHOY_HANGS_H
#define AHOY_HANGS_H

#include <ahoy/types.h>

#ifdef CONFIG_SOFTLOCKUP_DETECTOR
/* This hart goes on with another thread. @idle: with none. Context: interrupts masked. */
void softlockup_switch(bool idle);

/* Whether others are ready on this hart than the thread that runs. Context: interrupts masked. */
bool sched_others_wait(void);
#else
static inline void softlockup_switch(bool idle)
{
}
#endif

#ifdef CONFIG_DEADLOCK_REPORT
/* A hart joins. Context: that hart, once; the boot hart is counted. */
void deadlock_hart_starts(void);

/* This hart is about to wait for an interrupt, or has done so. Context: interrupts masked. */
void deadlock_hart_sleeps(void);
void deadlock_hart_wakes(void);

/* Whether any thread is ready but does not run. Context: interrupts masked. */
bool sched_anybody_ready(void);

#ifdef CONFIG_TIMERS
/* Whether a timer is set, or its function runs. Context: interrupts masked. */
bool timers_pending(void);
#else
static inline bool timers_pending(void)
{
	return false;
}
#endif

/* Print who waits for what. Context: nobody runs any more. */
void wait_show_all(void);
#else
static inline void deadlock_hart_starts(void)
{
}

static inline void deadlock_hart_sleeps(void)
{
}

static inline void deadlock_hart_wakes(void)
{
}
#endif

#endif
