// SPDX-License-Identifier: MIT
/*
 * The log: a ring of text in which each message begins with its level and its
 * time. Positions only grow; a byte's place is its position modulo the size,
 * so that the oldest messages are simply written over.
 */
#include <stdarg.h>

#include <ahoy/cmdline.h>
#include <ahoy/console.h>
#include <ahoy/kstrtox.h>
#include <ahoy/of.h>
#include <ahoy/printf.h>
#include <ahoy/printk.h>
#include <ahoy/section.h>
#include <ahoy/spinlock.h>
#include <asm/processor.h>

#define LOG_BUF_LEN (1UL << CONFIG_LOG_BUF_SHIFT)

static char log_buf[LOG_BUF_LEN] __noinit;
static u64 log_first; /* position of the oldest byte that is still there */
static u64 log_next;  /* position behind the newest */

static bool console_on;	     /* messages go to the console as they come */
static unsigned int waiting; /* before that: bit N is set if one of level N waits */
/* Zero is the default, so that it needs no initial value in the image. */
static int loglevel_change;

static int console_loglevel(void)
{
	return CONFIG_CONSOLE_LOGLEVEL_DEFAULT + loglevel_change;
}

static struct spinlock lock;

static void log_store(const char *text, size_t len)
{
	while (len--)
		log_buf[log_next++ % LOG_BUF_LEN] = *text++;
	if (log_next - log_first > LOG_BUF_LEN)
		log_first = log_next - LOG_BUF_LEN;
}

#ifdef CONFIG_PRINTK_TIME
/* "[    0.001234] ", as seconds since the counter began; zero before its frequency is known. */
static int put_time(char *buf, size_t size)
{
	u64 hz = timebase_frequency(), now = hz ? read_time() : 0, second = hz ? hz : 1;

	return scnprintf(buf, size, "[%5llu.%06llu] ", now / second,
			 now % second * 1000000 / second);
}
#else
static int put_time(char *buf, size_t size)
{
	return 0;
}
#endif

void printk(int level, const char *fmt, ...)
{
	char text[PRINTK_LINE_MAX];
	unsigned long flags;
	va_list args;
	int len;

	/* "<6>" in the log only, as syslog has it */
	len = scnprintf(text, sizeof(text), "<%d>", level);
	len += put_time(text + len, sizeof(text) - len);
	va_start(args, fmt);
	len += vscnprintf(text + len, sizeof(text) - len, fmt, args);
	va_end(args);
	text[len - 1] = '\n'; /* also where it was cut off */

	flags = spin_lock(&lock);
	log_store(text, len);
	spin_unlock(&lock, flags);
	if (!console_on)
		waiting |= 1U << level;
	else if (level < console_loglevel())
		console_write(text + 3, len - 3);
}

/* Print the log's messages with levels in [@from, @below). */
static void replay(int from, int below)
{
	u64 at = log_first;
	char c;
	int level;

	while (at < log_next) {
		/* What is left of a message that was written over has no level. */
		level = -1;
		if (log_next - at > 3 && log_buf[at % LOG_BUF_LEN] == '<') {
			level = log_buf[(at + 1) % LOG_BUF_LEN] - '0';
			at += 3;
		}
		do {
			c = log_buf[at++ % LOG_BUF_LEN];
			if (level >= from && level < below)
				console_write(&c, 1);
		} while (c != '\n' && at < log_next);
	}
}

void printk_console_ready(void)
{
	if (console_on)
		return;
	console_on = true;
	if (waiting & ((1U << console_loglevel()) - 1))
		replay(0, console_loglevel());
}

void printk_show_all(void)
{
	printk_console_ready();
	replay(console_loglevel(), LOGLEVEL_DEBUG + 1);
}

void printk_set_console_level(int level)
{
	loglevel_change = level - CONFIG_CONSOLE_LOGLEVEL_DEFAULT;
}

/* loglevel=N, quiet and debug, as in Linux */
static void set_loglevel(const char *value)
{
	int level;

	if (!value || kstrtoint(value, 0, &level) || level < 0 || level > 8)
		pr_err("loglevel=%s: not a number from 0 to 8\n", value ? value : "");
	else
		printk_set_console_level(level);
}
PARAM(loglevel, set_loglevel);

static void set_quiet(const char *value)
{
	printk_set_console_level(LOGLEVEL_WARNING);
}
PARAM(quiet, set_quiet);

static void set_debug(const char *value)
{
	printk_set_console_level(LOGLEVEL_DEBUG + 1);
}
PARAM(debug, set_debug);
