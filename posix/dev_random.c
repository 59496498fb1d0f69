// SPDX-License-Identifier: MIT
/* /dev/urandom, /dev/random and getrandom(): one source, which is never empty. */
#include "file.h"
#include "syscall.h"
#include <ahoy/errno.h>

#define GRND_NONBLOCK 1
#define GRND_RANDOM   2
#define GRND_INSECURE 4

static long read_random(struct file *file, void __user *buf, size_t n, u64 *pos)
{
	u8 bytes[256];
	size_t done = 0;

	while (done < n) {
		size_t piece = min(n - done, sizeof(bytes));

		random_bytes(bytes, piece);
		if (copy_to_user((char __user *)buf + done, bytes, piece))
			return done ? (long)done : -EFAULT;
		done += piece;
	}
	return (long)done;
}

static long write_random(struct file *file, const void __user *buf, size_t n, u64 *pos)
{
	/* What programs stir in is not needed, and not trusted. */
	return (long)n;
}

static const struct file_operations random_operations = {
	.read = read_random,
	.write = write_random,
	.seekable = true,
};
DEVICE(random, MKDEV(1, 8), &random_operations);
DEVICE(urandom, MKDEV(1, 9), &random_operations);

SYSCALL3(278, getrandom, void __user *, buf, size_t, n, unsigned int, flags)
{
	if (flags & ~(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE) ||
	    (flags & GRND_RANDOM && flags & GRND_INSECURE))
		return -EINVAL;
	return read_random(NULL, buf, min(n, MAX_RW_COUNT), NULL);
}
