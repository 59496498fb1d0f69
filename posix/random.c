// SPDX-License-Identifier: MIT
/* Random bytes: /dev/random, /dev/urandom, which are one, and getrandom(). */
#include "file.h"
#include "syscall.h"
#include <ahoy/compiler.h>

static long put_random(void __user *buf, size_t n)
{
	u8 bytes[256];
	size_t done = 0;

	while (done < n) {
		size_t piece = min(n - done, sizeof(bytes));
		long copied;

		random_bytes(bytes, piece);
		copied = user_put((char __user *)buf + done, bytes, piece);
		if (copied < 0)
			return done ? (long)done : copied;
		done += (size_t)copied;
		if ((size_t)copied < piece)
			break;
		if (!(done % USER_PAGE_SIZE) && call_interrupted())
			break;
	}
	return (long)done;
}

static long random_read(struct file *file, void __user *buf, size_t n, u64 *pos)
{
	return put_random(buf, n);
}

/* What is written might make it more random; it is random. */
static long random_write(struct file *file, const void __user *buf, size_t n, u64 *pos)
{
	return (long)n;
}

static const struct file_operations random_operations = {
	.read = random_read,
	.write = random_write,
	.position = FILE_NO_POSITION,
};

DEVICE(random, MKDEV(1, 8), &random_operations);
DEVICE(urandom, MKDEV(1, 9), &random_operations);

#define GRND_NONBLOCK 1
#define GRND_RANDOM   2
#define GRND_INSECURE 4

SYSCALL3(278, getrandom, void __user *, buf, size_t, n, unsigned int, flags)
{
	if (flags & ~(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE) ||
	    (flags & (GRND_RANDOM | GRND_INSECURE)) == (GRND_RANDOM | GRND_INSECURE))
		return -EINVAL;
	n = min(n, MAX_RW_COUNT);
	if (!user_range(buf, n))
		return -EFAULT;
	return put_random(buf, n);
}
