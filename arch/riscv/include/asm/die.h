/* SPDX-License-Identifier: MIT */
#ifndef ASM_DIE_H
#define ASM_DIE_H

#include <ahoy/compiler.h>

/*
 * Say why the kernel cannot start, through SBI's legacy console, and power off
 * with a failure. @reason: a line of text. For the time before panic() works,
 * and before paging: it uses no absolute address. Context: any.
 */
void die_early(const char *reason) __noreturn;

#endif
