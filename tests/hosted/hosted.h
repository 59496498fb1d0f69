/* SPDX-License-Identifier: MIT */
/*
 * The hosted core: core.h as a process of the host. Programs are C functions
 * on threads of the host; their memory is simulated, page by page, and they
 * reach it as the personality does, by copies.
 */
#ifndef TESTS_HOSTED_H
#define TESTS_HOSTED_H

/* The host's come first: some of their names are macros in lib's headers. */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The host's C library has these as well. */
#undef __used
#undef __aligned
#include <ahoy/core.h>

/* --- what there is, for tests of leaks ------------------------------------------------- */

struct hosted_counts {
	long blocks; /* of the heap */
	long pages;  /* of programs */
	long objects;
	long spaces;
	long threads; /* that run programs */
};

struct hosted_counts hosted_counts(void);

/* That so many allocations succeed from now on, and then none; negative: all. */
void hosted_fail_after(long n);

/* Have time stand still, but for who sleeps: it goes to the end of that at once. */
void hosted_virtual_time(void);

/* What was printed since the last call, up to 64 KiB; it stays until the next. */
const char *hosted_printed(void);

/* Type @text on the console, or end its input. */
void hosted_type(const char *text);
void hosted_type_end(void);

/* --- programs -------------------------------------------------------------------------- */

/* A program; what it returns is its exit status. */
typedef int program_fn(void *arg);

/*
 * Start the personality with an archive; the current thread becomes its first
 * program, after /init has been loaded. Return: what personality_start() does.
 */
int hosted_start(const void *archive, size_t size);

/* Called for programs that execve() has started: their entry is in @regs. Its result is their status. */
extern int (*hosted_exec)(const struct user_regs *regs);

/* Called when the first program has ended, and is not to return; NULL: exit(). */
extern void (*hosted_end)(int status);

/* Make a system call. Return: what is in a0 then. It does not return from exit() and execve(). */
long hosted_syscall(unsigned long nr, unsigned long a0, unsigned long a1, unsigned long a2,
		    unsigned long a3, unsigned long a4, unsigned long a5);

#define __sys7(nr, a, b, c, d, e, f, ...)                                                          \
	hosted_syscall(nr, (unsigned long)(a), (unsigned long)(b), (unsigned long)(c),             \
		       (unsigned long)(d), (unsigned long)(e), (unsigned long)(f))
#define sys(...) __sys7(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)

/* What a thread runs that the current one makes by a system call: @fn(@arg). */
void hosted_next_program(program_fn *fn, void *arg);

/* clone() with @flags, at least an exit signal: the child runs @fn(@arg). Return: as clone(). */
long hosted_clone(unsigned long flags, program_fn *fn, void *arg);

/* Access user memory as a program's instruction does: the fault goes to the personality. */
void hosted_touch(unsigned long addr, unsigned int access);

#endif
