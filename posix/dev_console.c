// SPDX-License-Identifier: MIT
/* /dev/console. What is written goes out as it is. */
#include "dev_console.h"
#include <ahoy/compiler.h>
#include <ahoy/errno.h>
#include <ahoy/section.h>
#include <ahoy/string.h>

/* --- output --------------------------------------------------------------------------- */

static long console_file_write(struct file *file, const void __user *buf, size_t n, u64 *pos)
{
	char text[256];
	size_t done = 0;

	while (done < n) {
		size_t piece = min(n - done, sizeof(text));
		long copied = user_take(text, (const char __user *)buf + done, piece);

		if (copied < 0)
			return done ? (long)done : copied;
		console_output(text, (size_t)copied);
		done += (size_t)copied;
		if ((size_t)copied < piece || (done < n && call_interrupted()))
			break;
	}
	return (long)done;
}

/* --- a terminal, as far as programs ask ------------------------------------------------- */

#define TCGETS	   0x5401
#define TCSETS	   0x5402
#define TCSETSW	   0x5403
#define TCSETSF	   0x5404
#define TIOCGWINSZ 0x5413

#define OPOST  0000001
#define ONLCR  0000004
#define B38400 0000017
#define CS8    0000060
#define CREAD  0000200
#define VTIME  5
#define VMIN   6

struct termios {
	u32 iflag, oflag, cflag, lflag;
	u8 line, cc[19];
};

struct winsize {
	u16 rows, columns, width, height;
};

/* Input as it comes, output with a carriage return before each new line. */
static const struct termios modes = {
	.oflag = OPOST | ONLCR,
	.cflag = B38400 | CS8 | CREAD,
	.cc[VMIN] = 1,
};

/* There are no others: those that it has can be set. */
static long set_modes(const struct termios __user *user)
{
	struct termios wanted;

	if (copy_from_user(&wanted, user, sizeof(wanted)))
		return -EFAULT;
	return memcmp(&wanted, &modes, sizeof(modes)) ? -EINVAL : 0;
}

static long console_ioctl(struct file *file, unsigned int request, unsigned long arg)
{
	/* Nobody knows. */
	static const struct winsize size;

	switch (request) {
	case TCGETS:
		return copy_to_user((void __user *)arg, &modes, sizeof(modes));
	case TCSETS:
	case TCSETSW:
	case TCSETSF:
		return set_modes((const struct termios __user *)arg);
	case TIOCGWINSZ:
		return copy_to_user((void __user *)arg, &size, sizeof(size));
	default:
		return -ENOTTY;
	}
}

/* Where nobody listens, it ends at once. */
static long console_file_end(struct file *file, void __user *buf, size_t n, u64 *pos)
{
	return 0;
}

static const struct file_operations console_operations = {
	.read = IS_ENABLED(CONFIG_CONSOLE_READ) ? console_file_read : console_file_end,
	.write = console_file_write,
	.ioctl = console_ioctl,
	.position = FILE_STREAM,
};

DEVICE(console, MKDEV(5, 1), &console_operations);
