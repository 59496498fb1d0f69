/* SPDX-License-Identifier: MIT */
/*
 * The console: where the line goes. Two implementations of one interface:
 * chosen at run time out of a table, or straight-line code.
 */
#ifndef AHOY_CONSOLE_H
#define AHOY_CONSOLE_H

#include <ahoy/of.h>
#include <ahoy/section.h>
#include <ahoy/types.h>

/*
 * Print @len bytes at @text through @put, one at a time, each LF after a CR
 * where CONFIG_SERIAL_CRLF says so. @put returns false if it cannot print.
 * Return: the number of bytes of @text that were printed.
 */
static __always_inline size_t console_put_each(const char *text, size_t len, bool (*put)(u8 c))
{
	const char *at, *end = text + len;

	for (at = text; at != end; at++) {
		if (IS_ENABLED(CONFIG_SERIAL_CRLF) && *at == '\n' && !put('\r'))
			break;
		if (!put(*at))
			break;
	}
	return at - text;
}

#ifdef CONFIG_CONSOLE_PROBE

/* A UART that the device tree or the configuration names. */
struct uart_port {
	phys_addr_t base;
	u64 size;	  /* bytes of registers, 0 if unknown */
	u32 clock;	  /* input clock in Hz, 0 if unknown */
	u32 baud;	  /* bits per second to program, 0 to take over */
	u32 reg_shift;	  /* registers are 1 << reg_shift bytes apart */
	u32 reg_io_width; /* bytes of an access: 1, 2 or 4 */
#ifdef CONFIG_OF_IRQ
	struct of_irq irq;
#endif
};

/* Where consoles stand in the table: those with devices come before SBI's. */
#define CONSOLE_ORDER_UART   1
#define CONSOLE_ORDER_DBCN   2
#define CONSOLE_ORDER_LEGACY 3

struct console {
	/* as in console=NAME0; Linux's names */
	const char *name;
	/*
	 * Find out whether it works, and get it ready. @port: NULL for a
	 * console that needs none. Return: 0, or a negative errno: -ENODEV if
	 * it is not there, -EIO if it does not answer, -EINVAL if the port
	 * makes no sense.
	 */
	int (*probe)(const struct uart_port *port);
	/* Print; return the number of bytes printed, short if it broke. */
	size_t (*write)(const char *text, size_t len);
	/* Wait until it is out, or forget it; NULL where writing does. */
	void (*flush)(void);
	/* needs a port: must be told its address */
	bool needs_port;
#ifdef CONFIG_CONSOLE_QUEUE
	/*
	 * Send what is queued, and from now on what is written, by polling; NULL
	 * where there is no queue. Other harts may be anywhere.
	 */
	void (*poll)(void);
#endif
};

/* A file's console; @order: CONSOLE_ORDER_... */
#define CONSOLE_DECLARE(name, order)  CONSOLE_DECLARE_(name, order)
#define CONSOLE_DECLARE_(name, order) LINKER_TABLE_ROW(struct console, console, order, name)

/*
 * A UART was found, for the console named @name. @port: copied; @path: which
 * node it is, as of_stdout() says it. More ports than CONSOLE_MAX_PORTS are
 * dropped with a message. Context: boot, before console_init().
 */
#define CONSOLE_MAX_PORTS 8
void console_add_port(const char *name, const struct uart_port *port, u64 path);

/* Take an SBI console for the time until console_init(), if EARLY_CONSOLE is on. */
#ifdef CONFIG_EARLY_CONSOLE
void console_init_early(void);
#else
static inline void console_init_early(void)
{
}
#endif

/*
 * Choose: console= of the command line, else the device tree's stdout-path,
 * else the first that works. Never fails: what was asked for and does not work
 * is reported on what does. Context: boot, once.
 */
void console_init(void);

/*
 * Print @len bytes at @text on the console; before console_init(), on the first
 * that works without a port. If the console breaks, the rest goes to the next
 * one. Context: any, after the first C function was entered.
 */
void console_write(const char *text, size_t len);

/*
 * Wait until what was printed has left the UART: the machine's end takes with
 * it what still waits there. Context: as for console_write().
 */
void console_flush(void);

#ifdef CONFIG_THREADS
/* Print from now on without waiting for who prints, which may be stopped: for panics. */
void console_break_lock(void);
#else
static inline void console_break_lock(void)
{
}
#endif

#ifdef CONFIG_CONSOLE_QUEUE
/*
 * Have interrupts no part in the console any more: what was written is printed,
 * and from now on console_write() waits for the UART. Context: any; before the
 * machine's end, and for panics.
 */
void console_poll(void);
#else
static inline void console_poll(void)
{
}
#endif

#else

#include <ahoy/console_direct.h>

static inline void console_poll(void)
{
}

static inline void console_break_lock(void)
{
}

#endif
#endif
