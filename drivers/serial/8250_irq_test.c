// SPDX-License-Identifier: MIT
#include <ahoy/console_input.h>
#include <ahoy/errno.h>
#include <ahoy/irq.h>
#include <ahoy/ktest.h>
#include <ahoy/printk.h>
#include <ahoy/thread.h>
#include <ahoy/time.h>

#include "8250.h"

/* Is it the console of this machine, and does it interrupt? */
static bool is_queued(void)
{
	unsigned long flags;
	bool queued = uart8250_irq_begin(&flags);

	if (queued)
		uart8250_irq_end(flags);
	return queued;
}

static void set_loop(bool on)
{
	console_flush();
	uart8250_irq_set_loop(on);
}

/* When to give up, where there is a clock */
static u64 deadline(void)
{
	return IS_ENABLED(CONFIG_TIMERS) ? time_now() + NSEC_PER_SEC : TIME_NEVER;
}

/* The next byte that has come back, or -1 if none does. */
static int next(void)
{
	u8 c;

	return console_read(&c, 1, deadline()) ? c : -1;
}

/* What is sent comes back: all of it, in order, though it is more than the queue takes. */
KTEST(uart8250_irq, loop)
{
	char text[300], back[sizeof(text)];
	unsigned int round, i, wrong = 0, got;

	if (!is_queued())
		return;
	while (console_read_nowait(back, sizeof(back)))
		;
	set_loop(true);
	for (round = 0; round < 30; round++) {
		for (i = 0; i < sizeof(text); i++)
			text[i] = 'a' + ktest_random(26);
		console_write(text, sizeof(text));
		for (got = 0; got < sizeof(back); got += i) {
			i = console_read(back + got, sizeof(back) - got, deadline());
			if (!i)
				break;
		}
		wrong += got != sizeof(text);
		for (i = 0; i < got; i++)
			wrong += text[i] != back[i];
	}
	set_loop(false);
	KTEST_EXPECT(wrong == 0);
}

/* A full queue of input stops the UART; reading lets it go on. */
KTEST(uart8250_irq, full)
{
	char c;
	unsigned int i, wrong = 0;

	if (!is_queued())
		return;
	set_loop(true);
	/* Not beyond what the queues of both ways hold: nobody reads. */
	for (i = 0; i < 4096 + 8; i++) {
		c = 'a' + i % 26;
		console_write(&c, 1);
	}
	for (i = 0; i < 4096 + 8; i++)
		wrong += next() != 'a' + (int)i % 26;
	wrong += console_read_nowait(&c, 1);
	set_loop(false);
	KTEST_EXPECT(wrong == 0);
}

/* Writes of many sizes, in all fewer bytes than the queue of input takes; another thread reads. */
static int write_sizes(void *arg)
{
	char text[90];
	unsigned int len, i, at = 0;

	for (len = 1; len < sizeof(text); len++) {
		for (i = 0; i < len; i++)
			text[i] = 'a' + at++ % 26;
		console_write(text, len);
		if (len % 8 == 0)
			thread_yield();
	}
	return 0;
}

KTEST(uart8250_irq, threads)
{
	unsigned int at, wrong = 0, bytes = 89 * 90 / 2;
	struct thread *writer;

	if (!is_queued())
		return;
	set_loop(true);
	writer = thread_create("writer", write_sizes, NULL, PRIORITY_DEFAULT);
	for (at = 0; writer && at < bytes; at++)
		wrong += next() != 'a' + (int)at % 26;
	if (writer)
		thread_join(writer);
	set_loop(false);
	KTEST_EXPECT(writer && wrong == 0);
}
