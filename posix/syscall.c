// SPDX-License-Identifier: MIT
/*
 * From a system call's number to its function. Rows are sorted by number, and
 * looked for when a call is made for the first time: a short start-up costs no
 * pass over all of them.
 */
#include "syscall.h"
#include <ahoy/compiler.h>
#include <ahoy/kconfig.h>

LINKER_TABLE(struct syscall_row, syscall);

/* All numbers that Linux has are below. */
#define SYSCALLS 512

/*
 * By number: 0 if nobody asked yet, else the row's place in the table, from 1
 * on. Who stores one stores what all others would.
 */
static u8 places[SYSCALLS];

static long syscall_missing(unsigned long a0 __maybe_unused, unsigned long a1 __maybe_unused,
			    unsigned long a2 __maybe_unused, unsigned long a3 __maybe_unused,
			    unsigned long a4 __maybe_unused, unsigned long a5 __maybe_unused)
{
	return -ENOSYS;
}

/* What is called in the place of one that is not there; the last row, of no number. */
__SYSCALL_ROW(0, 999, missing, syscall_missing, NULL);

long syscall_full_regs(unsigned long a0, unsigned long a1 __maybe_unused,
		       unsigned long a2 __maybe_unused, unsigned long a3 __maybe_unused,
		       unsigned long a4 __maybe_unused, unsigned long a5 __maybe_unused)
{
	return (long)syscall_wants_regs(a0);
}

static const struct syscall_row *find_row(unsigned long nr)
{
	const struct syscall_row *row = syscall_start, *next;
	const struct syscall_row *missing = &__table_syscall_missing;
	size_t step;

	if (nr >= SYSCALLS) {
		syscall_unknown(nr);
		return missing;
	}
	if (syscall_end - syscall_start > U8_MAX)
		panic("more than %u system calls", U8_MAX);
	/* The last row that is not above @nr: by steps in bytes, which need no multiplication. */
	for (step = 128 * sizeof(*row); step >= sizeof(*row); step /= 2) {
		next = (const void *)((const char *)row + step);
		if (next < missing && next->nr <= nr)
			row = next;
	}
	if (row->nr != nr) {
		row = missing;
		syscall_unknown(nr);
	}
	WRITE_ONCE(places[nr], (u8)(row - syscall_start + 1));
	return row;
}

static __always_inline const struct syscall_row *row_of(unsigned long nr)
{
	unsigned int place = likely(nr < SYSCALLS) ? READ_ONCE(places[nr]) : 0;

	return likely(place) ? syscall_start + place - 1 : find_row(nr);
}

static long traced(const struct syscall_row *row, const unsigned long *args, unsigned long nr)
{
	long result;

	syscall_trace_call(row, nr, args);
	result = row->fn(args[0], args[1], args[2], args[3], args[4], args[5]);
	if (row->fn != syscall_full_regs)
		syscall_trace_result(result);
	return result;
}

/* The way of a call that is made for the first time; apart, so that the other needs no stack. */
static noinline long first_call(unsigned long a0, unsigned long a1, unsigned long a2,
				unsigned long a3, unsigned long a4, unsigned long a5,
				unsigned long nr)
{
	return find_row(nr)->fn(a0, a1, a2, a3, a4, a5);
}

long personality_syscall(unsigned long a0, unsigned long a1, unsigned long a2, unsigned long a3,
			 unsigned long a4, unsigned long a5, unsigned long a6 __maybe_unused,
			 unsigned long nr)
{
	unsigned int place;

	if (IS_ENABLED(CONFIG_SYSCALL_TRACE) && syscall_tracing)
		return traced(row_of(nr), (const unsigned long[]){ a0, a1, a2, a3, a4, a5 }, nr);
	if (unlikely(nr >= SYSCALLS)) {
		syscall_unknown(nr);
		return -ENOSYS;
	}
	place = READ_ONCE(places[nr]);
	if (unlikely(!place))
		return first_call(a0, a1, a2, a3, a4, a5, nr);
	return syscall_start[place - 1].fn(a0, a1, a2, a3, a4, a5);
}

void personality_syscall_regs(struct user_regs *regs)
{
	row_of(regs->a7)->with_regs(regs);
	if (syscall_tracing)
		syscall_trace_result((long)regs->a0);
}
