// SPDX-License-Identifier: MIT
/*
 * Read the console before the line, as input_check= says, and print a checksum,
 * while threads and a timer keep the hart busy.
 */
#include <ahoy/cmdline.h>
#include <ahoy/compiler.h>
#include <ahoy/console_input.h>
#include <ahoy/errno.h>
#include <ahoy/init.h>
#include <ahoy/kstrtox.h>
#include <ahoy/printk.h>
#include <ahoy/sched.h>
#include <ahoy/thread.h>
#include <ahoy/timer.h>

#define BUSY_THREADS 2
#define TIMER_PERIOD (NSEC_PER_SEC / 2000)
#define SILENCE_MAX  (10 * NSEC_PER_SEC)

static unsigned long wanted;
static bool stop;

static void set_input_check(const char *value)
{
	const char *end;
	u64 bytes;

	if (!value || parse_digits(value, 10, &bytes, &end) || *end)
		pr_err("input_check=%s: not a number\n", value ? value : "");
	else
		wanted = bytes;
}
PARAM(input_check, set_input_check);

static int be_busy(void *arg)
{
	unsigned long *rounds = arg;

	while (!READ_ONCE(stop)) {
		if (++*rounds % 256 == 0)
			thread_yield();
		cond_resched();
	}
	return 0;
}

static void tick(struct timer *timer)
{
	if (!READ_ONCE(stop))
		timer_arm(timer, timer->deadline + TIMER_PERIOD);
}

/* The checksum of Ethernet (IEEE 802.3, 3.2.9), bit by bit. */
static u32 crc32(u32 crc, const u8 *bytes, size_t len)
{
	unsigned int bit;

	while (len--) {
		crc ^= *bytes++;
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return crc;
}

static void read_and_sum(void)
{
	static u8 buf[256];
	unsigned long left = wanted;
	u32 crc = ~0U;
	size_t len;

	while (left) {
		len = console_read(buf, left < sizeof(buf) ? left : sizeof(buf),
				   time_now() + SILENCE_MAX);
		if (!len)
			break;
		crc = crc32(crc, buf, len);
		left -= len;
	}
	console_printf("input_check: %lu bytes, CRC-32 %08x\n", wanted - left, ~crc);
}

/* Its name puts it behind the driver's start. */
static void wait_for_checked_input(void)
{
	static unsigned long rounds[BUSY_THREADS];
	struct thread *busy[BUSY_THREADS];
	struct timer timer;
	unsigned int i;

	if (!wanted)
		return;
	for (i = 0; i < BUSY_THREADS; i++)
		busy[i] = thread_create("busy", be_busy, &rounds[i], PRIORITY_DEFAULT);
	timer_init(&timer, tick);
	timer_arm(&timer, time_now() + TIMER_PERIOD);
	console_printf("input_check: waiting for %lu bytes\n", wanted);
	read_and_sum();
	WRITE_ONCE(stop, true);
	while (timer_cancel(&timer))
		;
	for (i = 0; i < BUSY_THREADS; i++)
		if (busy[i])
			thread_join(busy[i]);
}
INIT(late, wait_for_checked_input);
