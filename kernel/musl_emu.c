// SPDX-License-Identifier: MIT
/*
 * musl's way into the kernel. The kernel's own musl makes calls where that of a program
 * would trap: they end up here. Few of them make sense in a kernel, and those are rows of
 * a table; what has no row is refused, as Linux refuses a call that it does not know.
 */
#include "musl_emu.h"
#include <ahoy/compiler.h>
#include <ahoy/console.h>
#include <ahoy/errno.h>
#include <ahoy/init.h>
#include <ahoy/libc.h>
#include <ahoy/panic.h>

#define STDOUT	   1
#define STDERR	   2
#define TIOCGWINSZ 0x5413
#define SIGABRT	   6

LINKER_TABLE(struct musl_call, musl_call);

/* Linked after link-time optimisation: musl is no part of that. */
__used long musl_syscall(long nr, long a, long b, long c, long d, long e, long f)
{
	const long arg[] = { a, b, c, d, e, f };
	const struct musl_call *call;

	for_each_row(call, musl_call)
		if (call->nr == nr)
			return call->fn(arg);
	musl_report_refused(nr, __builtin_return_address(0));
	return -ENOSYS;
}

static bool is_console(long fd)
{
	return fd == STDOUT || fd == STDERR;
}

MUSL_CALL(64, write)
{
	if (!is_console(arg[0]))
		return -EBADF;
	console_write((const char *)arg[1], (size_t)arg[2]);
	return arg[2];
}

struct iovec {
	const char *base;
	size_t len;
};

MUSL_CALL(66, writev)
{
	const struct iovec *part = (const struct iovec *)arg[1], *end = part + arg[2];
	long done = 0;

	if (!is_console(arg[0]))
		return -EBADF;
	for (; part < end; part++) {
		console_write(part->base, part->len);
		done += (long)part->len;
	}
	return done;
}

/* A terminal whose size nobody knows: what is printed on it goes out line by line. */
MUSL_CALL(29, ioctl)
{
	u16 *size = (u16 *)arg[2];

	if (!is_console(arg[0]))
		return -EBADF;
	if ((u32)arg[1] != TIOCGWINSZ)
		return -ENOTTY;
	size[0] = size[1] = size[2] = size[3] = 0;
	return 0;
}

MUSL_CALL(94, exit_group)
{
	kernel_end((u32)arg[0] & 0xff);
}

/* raise(), and so abort() */
MUSL_CALL(130, tkill)
{
	if (arg[1] != SIGABRT)
		return -ENOSYS;
	panic("abort() was called");
}
