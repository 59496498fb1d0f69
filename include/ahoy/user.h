/* SPDX-License-Identifier: MIT */
/* The beginning and the end of user space. */
#ifndef AHOY_USER_H
#define AHOY_USER_H

#include <ahoy/compiler.h>
#include <ahoy/types.h>

#ifdef CONFIG_USERSPACE
/*
 * Have the personality make the first program, and go on as that. Panics if
 * there is none. Context: boot thread, interrupts enabled.
 */
void user_space_start(void) __noreturn;
#endif
#endif
