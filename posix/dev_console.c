// SPDX-License-Identifier: MIT
/* /dev/console: what is written goes out, what comes in is read, as it is. */
#include "file.h"
#include <ahoy/errno.h>
#include <ahoy/section.h>
#include <ahoy/string.h>

#define TIOCGWINSZ 0x5413

struct winsize {
	u16 rows, columns, xpixel, ypixel;
};

static long read_console(struct file *file, void __user *buf, size_t n, u64 *pos)
{
	u8 bytes[128];
	long got;

	if (!n)
		return 0;
	got = console_input(bytes, min(n, sizeof(bytes)),
			    file->flags & O_NONBLOCK ? 0 : TIME_NEVER);
	if (got == 0 && file->flags & O_NONBLOCK)
		return -EAGAIN;
	if (got > 0 && copy_to_user(buf, bytes, (size_t)got))
		return -EFAULT;
	return got;
}

static long write_console(struct file *file, const void __user *buf, size_t n, u64 *pos)
{
	char bytes[256];
	size_t done = 0;

	while (done < n) {
		size_t piece = min(n - done, sizeof(bytes));

		if (copy_from_user(bytes, (const char __user *)buf + done, piece))
			return done ? (long)done : -EFAULT;
		console_output(bytes, piece);
		done += piece;
	}
	return (long)done;
}

/* Nobody knows how large the window is at the other end: all zero says so. */
static long console_ioctl(struct file *file, unsigned int request, unsigned long arg)
{
	static const struct winsize unknown;

	if (request != TIOCGWINSZ)
		return -ENOTTY;
	return copy_to_user((void __user *)arg, &unknown, sizeof(unknown));
}

static const struct file_operations console_operations = {
	.read = read_console,
	.write = write_console,
	.ioctl = console_ioctl,
};
DEVICE(console, MKDEV(5, 1), &console_operations);
