/* SPDX-License-Identifier: MIT */
/*
 * System calls, in a table that the linker collects. SYSCALLn() stands before
 * the body of one with n arguments, like Linux's SYSCALL_DEFINEn():
 *
 *	SYSCALL2(077, tee_or_so, int, fd, void __user *, buf)
 *	{
 *		return ...;
 *	}
 *
 * Its number has three digits, by which the linker sorts; it is decimal all the
 * same. Each argument arrives as its type says, whatever else was in the register.
 */
#ifndef POSIX_SYSCALL_H
#define POSIX_SYSCALL_H

#include <ahoy/core.h>
#include <ahoy/errno.h>
#include <ahoy/section.h>

typedef long syscall_fn(unsigned long a0, unsigned long a1, unsigned long a2, unsigned long a3,
			unsigned long a4, unsigned long a5);

struct syscall_row {
	syscall_fn *fn;
	/* Besides, if it needs all registers; the result goes to regs->a0 */
	void (*with_regs)(struct user_regs *regs);
	u16 nr;
#ifdef CONFIG_SYSCALL_TRACE
	u8 args;
	const char *name;
#endif
};

#ifdef CONFIG_SYSCALL_TRACE
#define __SYSCALL_NAME(count, text) .args = (count), .name = (text),
#else
#define __SYSCALL_NAME(count, text)
#endif

/* A leading zero would make it octal. */
#define __SYSCALL_NR(number) (1##number - 1000)

#define __SYSCALL_ROW(count, number, call, function, regs_function)                                \
	LINKER_TABLE_ROW(struct syscall_row, syscall, number,                                      \
			 call) = { .fn = (function),                                               \
				   .with_regs = (regs_function),                                   \
				   .nr = __SYSCALL_NR(number),                                     \
				   __SYSCALL_NAME(count, #call) }

#define __SYSCALL(count, number, call, declared, passed)                                           \
	static __always_inline long sys_##call declared;                                           \
	static long syscall_##call(                                                                \
		unsigned long a0 __maybe_unused, unsigned long a1 __maybe_unused,                  \
		unsigned long a2 __maybe_unused, unsigned long a3 __maybe_unused,                  \
		unsigned long a4 __maybe_unused, unsigned long a5 __maybe_unused)                  \
	{                                                                                          \
		return sys_##call passed;                                                          \
	}                                                                                          \
	__SYSCALL_ROW(count, number, call, syscall_##call, NULL);                                  \
	static __always_inline long sys_##call declared

#define SYSCALL0(number, call)	       __SYSCALL(0, number, call, (void), ())
#define SYSCALL1(number, call, t0, n0) __SYSCALL(1, number, call, (t0 n0), ((t0)a0))
#define SYSCALL2(number, call, t0, n0, t1, n1)                                                     \
	__SYSCALL(2, number, call, (t0 n0, t1 n1), ((t0)a0, (t1)a1))
#define SYSCALL3(number, call, t0, n0, t1, n1, t2, n2)                                             \
	__SYSCALL(3, number, call, (t0 n0, t1 n1, t2 n2), ((t0)a0, (t1)a1, (t2)a2))
#define SYSCALL4(number, call, t0, n0, t1, n1, t2, n2, t3, n3)                                     \
	__SYSCALL(4, number, call, (t0 n0, t1 n1, t2 n2, t3 n3), ((t0)a0, (t1)a1, (t2)a2, (t3)a3))
#define SYSCALL5(number, call, t0, n0, t1, n1, t2, n2, t3, n3, t4, n4)                             \
	__SYSCALL(5, number, call, (t0 n0, t1 n1, t2 n2, t3 n3, t4 n4),                            \
		  ((t0)a0, (t1)a1, (t2)a2, (t3)a3, (t4)a4))
#define SYSCALL6(number, call, t0, n0, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5)                     \
	__SYSCALL(6, number, call, (t0 n0, t1 n1, t2 n2, t3 n3, t4 n4, t5 n5),                     \
		  ((t0)a0, (t1)a1, (t2)a2, (t3)a3, (t4)a4, (t5)a5))

/*
 * One with @count arguments that needs all registers: the body finds its
 * arguments in regs->a0 and on, and leaves the result in regs->a0.
 */
#define SYSCALL_REGS(count, number, call)                                                          \
	static void sys_##call(struct user_regs *regs);                                            \
	__SYSCALL_ROW(count, number, call, syscall_full_regs, sys_##call);                         \
	static void sys_##call(struct user_regs *regs)

/* What is called first of those: it asks for the registers. */
syscall_fn syscall_full_regs;

#ifdef CONFIG_SYSCALL_UNKNOWN
/* A program made call @nr, which is not there, for the first time. */
void syscall_unknown(unsigned long nr);
#else
static inline void syscall_unknown(unsigned long nr)
{
}
#endif

#ifdef CONFIG_SYSCALL_TRACE
/* Shall calls be traced? Does the command line say so? */
extern bool syscall_tracing;
void syscall_trace_start(void);

/* @row is called with @args: say so. Then: it returned @result. */
void syscall_trace_call(const struct syscall_row *row, unsigned long nr, const unsigned long *args);
void syscall_trace_result(long result);
#else
#define syscall_tracing false

static inline void syscall_trace_start(void)
{
}

static inline void syscall_trace_call(const struct syscall_row *row, unsigned long nr,
				      const unsigned long *args)
{
}

static inline void syscall_trace_result(long result)
{
}
#endif

#endif
