// SPDX-License-Identifier: MIT
#include <ahoy/compiler.h>
#include <ahoy/errname.h>
#include <ahoy/errno.h>

/* Rows of 14 bytes; pointers to strings would take twice that. */
struct name {
	u8 err;
	char text[13];
};

/* With the sign, which is skipped where it is not wanted. */
/* clang-format off */
#define NAME(e) { e, "-" #e }
/* clang-format on */

static const struct name names[] = {
	NAME(EPERM),	 NAME(ENOENT), NAME(EINTR),   NAME(EIO),       NAME(ENXIO),
	NAME(E2BIG),	 NAME(EAGAIN), NAME(ENOMEM),  NAME(EACCES),    NAME(EFAULT),
	NAME(EBUSY),	 NAME(EEXIST), NAME(ENODEV),  NAME(EINVAL),    NAME(ENOSPC),
	NAME(ERANGE),	 NAME(ENOSYS), NAME(ENODATA), NAME(EOVERFLOW), NAME(EOPNOTSUPP),
	NAME(ETIMEDOUT),
};

const char *errname(int err)
{
	const struct name *row;

	for (row = names; row != names + ARRAY_SIZE(names); row++) {
		if (err == -row->err)
			return row->text;
		if (err == row->err)
			return row->text + 1;
	}
	return NULL;
}
