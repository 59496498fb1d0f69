/* SPDX-License-Identifier: MIT */
/* The system calls that the kernel has for musl, each in the file that it belongs to. */
#ifndef KERNEL_MUSL_EMU_H
#define KERNEL_MUSL_EMU_H

#include <ahoy/section.h>
#include <ahoy/types.h>

struct musl_call {
	long nr;
	long (*fn)(const long *arg);
};

/*
 * System call @nr, as Linux numbers them for 64-bit RISC-V: followed by the function's
 * body, which has the six arguments as the array arg and returns the result or a
 * negative errno.
 */
#define MUSL_CALL(nr, name)                                                                        \
	static long emu_##name(const long *arg);                                                   \
	LINKER_TABLE_ROW(struct musl_call, musl_call, 0, name) = { nr, emu_##name };               \
	static long emu_##name(const long *arg)

/* As musl and Linux have it. */
struct timespec {
	s64 tv_sec;
	s64 tv_nsec;
};

/* When @relative, from now on, is over, as of time_now(). */
u64 musl_deadline(const struct timespec *relative);

/* Tell, the first time, that @caller wanted system call @nr, which is not there. */
#ifdef CONFIG_MUSL_EMU_REPORT
void musl_report_refused(long nr, const void *caller);
#else
static inline void musl_report_refused(long nr, const void *caller)
{
}
#endif

#endif
