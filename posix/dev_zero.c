// SPDX-License-Identifier: MIT
/* /dev/zero, as many zeroes as one likes; and /dev/full, which has no room for any. */
#include "file.h"
#include <ahoy/compiler.h>
#include <ahoy/errno.h>
#include <ahoy/section.h>

/* After so many bytes the call looks whether it is to end. */
#define PIECE (64UL << 10)

static noinline long clear_pieces(void __user *buf, size_t n)
{
	size_t done = 0;

	for (;;) {
		size_t piece = min(n - done, PIECE);
		long cleared = user_clear((char __user *)buf + done, piece);

		if (cleared < 0)
			return done ? (long)done : cleared;
		done += (size_t)cleared;
		if (done == n || (size_t)cleared < piece || call_interrupted())
			return (long)done;
	}
}

static long zero_read(struct file *file, void __user *buf, size_t n, u64 *pos)
{
	return likely(n <= PIECE) ? user_clear(buf, n) : clear_pieces(buf, n);
}

static long zero_write(struct file *file, const void __user *buf, size_t n, u64 *pos)
{
	return (long)n;
}

static const struct file_operations zero_operations = {
	.read = zero_read,
	.write = zero_write,
	.position = FILE_NO_POSITION,
	.maps_zeroes = true,
};

DEVICE(zero, MKDEV(1, 5), &zero_operations);

static long full_write(struct file *file, const void __user *buf, size_t n, u64 *pos)
{
	return -ENOSPC;
}

static const struct file_operations full_operations = {
	.read = zero_read,
	.write = full_write,
	.position = FILE_NO_POSITION,
};

DEVICE(full, MKDEV(1, 7), &full_operations);
