// SPDX-License-Identifier: MIT
/* /dev/null, /dev/zero and /dev/full */
#include "file.h"
#include <ahoy/errno.h>
#include <ahoy/section.h>

static long read_null(struct file *file, void __user *buf, size_t n, u64 *pos)
{
	return 0;
}

static long write_null(struct file *file, const void __user *buf, size_t n, u64 *pos)
{
	return (long)n;
}

static long write_full(struct file *file, const void __user *buf, size_t n, u64 *pos)
{
	return n ? -ENOSPC : 0;
}

/* In pieces, so that a fault in the middle tells how far it came. */
static long read_zero(struct file *file, void __user *buf, size_t n, u64 *pos)
{
	size_t done = 0;

	while (done < n) {
		size_t piece =
			min(n - done, USER_PAGE_SIZE - ((size_t)buf + done) % USER_PAGE_SIZE);

		if (clear_user((char __user *)buf + done, piece))
			return done ? (long)done : -EFAULT;
		done += piece;
	}
	return (long)done;
}

static const struct file_operations null_operations = {
	.read = read_null,
	.write = write_null,
	.seekable = true,
};
DEVICE(null, MKDEV(1, 3), &null_operations);

static const struct file_operations zero_operations = {
	.read = read_zero,
	.write = write_null,
	.seekable = true,
	.maps_zeroes = true,
};
DEVICE(zero, MKDEV(1, 5), &zero_operations);

static const struct file_operations full_operations = {
	.read = read_zero,
	.write = write_full,
	.seekable = true,
};
DEVICE(full, MKDEV(1, 7), &full_operations);
