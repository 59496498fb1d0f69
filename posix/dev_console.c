// SPDX-License-Identifier: MIT
/*
 * /dev/console. What is written goes out as it is. What is typed is taken from
 * the core by a thread of its own from the first read() on, so that those who
 * wait for it can be interrupted; it is neither echoed nor edited.
 */
#include "file.h"
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

/* --- input ---------------------------------------------------------------------------- */

#define RING 256

static struct {
	struct lock lock;
	bool started;
	bool ended; /* there is no input, or no more */
	u32 events; /* counts what readers wait for */
	u32 taken;  /* counts what the thread waits for when the ring is full */
	u32 head, tail;
	char ring[RING];
} input;

static u32 input_room(void)
{
	return RING - (input.head - input.tail);
}

/* Put what was typed into the ring; wait where there is no room for it. */
static void input_add(const char *text, size_t n)
{
	lock(&input.lock);
	while (n) {
		u32 taken = input.taken;

		if (!input_room()) {
			unlock(&input.lock);
			wait_on(&input.taken, taken, TIME_NEVER);
			lock(&input.lock);
			continue;
		}
		input.ring[input.head++ % RING] = *text++;
		n--;
	}
	__atomic_add_fetch(&input.events, 1, __ATOMIC_RELEASE);
	unlock(&input.lock);
	wake(&input.events, UINT_MAX);
}

static void input_thread(void *arg)
{
	char text[64];
	size_t n;

	while ((n = console_input(text, sizeof(text), TIME_NEVER)))
		input_add(text, n);
	lock(&input.lock);
	input.ended = true;
	__atomic_add_fetch(&input.events, 1, __ATOMIC_RELEASE);
	unlock(&input.lock);
	wake(&input.events, UINT_MAX);
}

/* Take up to @n bytes, without waiting. Return: how many; 0 at the end; -EAGAIN. */
static long input_take(char *text, size_t n, u32 *events)
{
	long done = 0;
	int err = 0;

	lock(&input.lock);
	if (!input.started)
		err = service_thread_create("console", input_thread, NULL);
	if (!err)
		input.started = true;
	*events = input.events;
	while (!err && (size_t)done < n && input.tail != input.head)
		text[done++] = input.ring[input.tail++ % RING];
	if (!done && !input.ended && !err)
		err = -EAGAIN;
	if (done)
		__atomic_add_fetch(&input.taken, 1, __ATOMIC_RELEASE);
	unlock(&input.lock);
	if (done)
		wake(&input.taken, 1);
	return err ? err : done;
}

static long console_file_read(struct file *file, void __user *buf, size_t n, u64 *pos)
{
	char text[64];
	u32 events;
	long got;

	while ((got = input_take(text, min(n, sizeof(text)), &events)) == -EAGAIN) {
		if (__atomic_load_n(&file->flags, __ATOMIC_RELAXED) & O_NONBLOCK)
			return -EAGAIN;
		if (wait_on_interruptible(&input.events, events, TIME_NEVER) == -EINTR)
			return -EINTR;
	}
	return got > 0 ? user_put(buf, text, (size_t)got) : got;
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

static const struct file_operations console_operations = {
	.read = console_file_read,
	.write = console_file_write,
	.ioctl = console_ioctl,
	.position = FILE_STREAM,
};

DEVICE(console, MKDEV(5, 1), &console_operations);
