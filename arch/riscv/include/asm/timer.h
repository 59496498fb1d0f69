/* SPDX-License-Identifier: MIT */
/* The hart's one timer: a moment at which it is interrupted. */
#ifndef ASM_TIMER_H
#define ASM_TIMER_H

#include <ahoy/types.h>

/* Find out how timers are set. Context: each hart, once, interrupts off. */
void clockevent_init(void);

/*
 * Be interrupted when the time counter reaches @ticks, which replaces what was
 * set before; U64_MAX: never. A moment that is past interrupts at once.
 * Context: interrupts off.
 */
void clockevent_set(u64 ticks);

#endif
