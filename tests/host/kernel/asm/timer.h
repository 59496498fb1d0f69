/* SPDX-License-Identifier: MIT */
/* In place of the kernel's: the test looks when a hart wants to be interrupted. */
#ifndef ASM_TIMER_H
#define ASM_TIMER_H

#include <ahoy/types.h>

static inline void clockevent_init(void)
{
}

void clockevent_set(u64 ticks);

#endif
