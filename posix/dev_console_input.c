// SPDX-License-Identifier: MIT
/*
 * /dev/console, read. What is typed is taken from the core by a thread of its
 * own from the first read() on, so that those who wait for it can be
 * interrupted; it is neither echoed nor edited.
 */
#include "dev_console.h"
#include <ahoy/compiler.h>
#include <ahoy/errno.h>

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

long console_file_read(struct file *file, void __user *buf, size_t n, u64 *pos)
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
