/* SPDX-License-Identifier: MIT */
/* Messages: formatted text to the console, and the log with its levels. */
#ifndef AHOY_PRINTK_H
#define AHOY_PRINTK_H

#include <ahoy/compiler.h>
#include <ahoy/types.h>

/* Longest formatted message in bytes, with its zero; the rest is cut off. */
#define PRINTK_LINE_MAX 256

#ifdef CONFIG_PRINTF
#include <stdarg.h>

/* Format and print on the console, past the log. Context: as console_write(). */
void console_printf(const char *fmt, ...) __printf(1, 2);
void console_vprintf(const char *fmt, va_list args) __printf(1, 0);
#else
/* Never called without CONFIG_PRINTF; declared so that callers compile. */
void console_printf(const char *fmt, ...) __printf(1, 2);
#endif

/* Levels as in syslog(3); a message below the console's level is printed. */
#define LOGLEVEL_EMERG	 0
#define LOGLEVEL_ALERT	 1
#define LOGLEVEL_CRIT	 2
#define LOGLEVEL_ERR	 3
#define LOGLEVEL_WARNING 4
#define LOGLEVEL_NOTICE	 5
#define LOGLEVEL_INFO	 6
#define LOGLEVEL_DEBUG	 7

#ifdef CONFIG_PRINTK
#define PRINTK_LEVEL_MAX CONFIG_PRINTK_LEVEL_MAX
/*
 * Append a message to the log, and print it if @level (LOGLEVEL_...) is below
 * the console's. @fmt ends with a line feed. Context: any, one hart at a time.
 */
void printk(int level, const char *fmt, ...) __printf(2, 3);

/* Print messages with a level below @level (0 to 8) from now on. */
void printk_set_console_level(int level);

/*
 * The console works: print what waited for it, and the rest as it comes.
 * Context: boot.
 */
void printk_console_ready(void);

/* Print also what was below notice so far, for a panic. Context: any. */
void printk_show_all(void);
#else
#define PRINTK_LEVEL_MAX -1
static inline __printf(2, 3) void printk(int level, const char *fmt, ...)
{
}

static inline void printk_console_ready(void)
{
}

static inline void printk_show_all(void)
{
}
#endif

#ifndef pr_fmt
#define pr_fmt(fmt) fmt
#endif

/* What is above CONFIG_PRINTK_LEVEL_MAX is not even compiled. */
#define pr_at(level, fmt, ...)                                                                     \
	do {                                                                                       \
		if (IS_ENABLED(CONFIG_PRINTK) && (level) <= PRINTK_LEVEL_MAX)                      \
			printk(level, pr_fmt(fmt), ##__VA_ARGS__);                                 \
	} while (0)

#define pr_err(fmt, ...)    pr_at(LOGLEVEL_ERR, fmt, ##__VA_ARGS__)
#define pr_warn(fmt, ...)   pr_at(LOGLEVEL_WARNING, fmt, ##__VA_ARGS__)
#define pr_notice(fmt, ...) pr_at(LOGLEVEL_NOTICE, fmt, ##__VA_ARGS__)
#define pr_info(fmt, ...)   pr_at(LOGLEVEL_INFO, fmt, ##__VA_ARGS__)
#define pr_debug(fmt, ...)  pr_at(LOGLEVEL_DEBUG, fmt, ##__VA_ARGS__)

#endif
