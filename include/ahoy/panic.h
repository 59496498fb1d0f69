/* SPDX-License-Identifier: MIT */
#ifndef AHOY_PANIC_H
#define AHOY_PANIC_H

#include <ahoy/compiler.h>

#ifdef CONFIG_PANIC
/*
 * Say why the kernel cannot go on, show how it came there, and end the machine
 * with a failure. @fmt: one line without line feed. For start-up, and for
 * broken invariants; other errors are returned. Context: any.
 */
void panic(const char *fmt, ...) __printf(1, 2) __noreturn;

/* The head and the end of every such report, for traps. panic_end() does not return. */
void panic_begin(const char *fmt, ...) __printf(1, 2);
void panic_end(void) __noreturn;
#endif
#endif
