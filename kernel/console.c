// SPDX-License-Identifier: MIT
/*
 * The console chosen at run time: what the command line asks for, else what
 * the device tree names, else SBI's. What breaks is replaced.
 */
#include <ahoy/cmdline.h>
#include <ahoy/console.h>
#include <ahoy/kstrtox.h>
#include <ahoy/memblock.h>
#include <ahoy/of.h>
#include <ahoy/printk.h>
#include <ahoy/spinlock.h>
#include <ahoy/string.h>

LINKER_TABLE(struct console, console);

struct named_port {
	const char *name;
	u64 path;
	struct uart_port port;
};

static struct named_port ports[CONSOLE_MAX_PORTS] __noinit;
static unsigned int port_count;
static const struct console *current;

void console_add_port(const char *name, const struct uart_port *port, u64 path)
{
	if (port_count == CONSOLE_MAX_PORTS) {
		pr_notice("console: no room for %s at 0x%llx\n", name, port->base);
		return;
	}
	ports[port_count++] = (struct named_port){ .name = name, .path = path, .port = *port };
}

/* The first console without a port that works, from row @from on, or NULL. */
static const struct console *portless_from(const struct console *from)
{
	const struct console *console;

	for (console = from; console < console_end; console++)
		if (!console->needs_port && !console->probe(NULL))
			return console;
	return NULL;
}

static bool try_console(const struct console *console, const struct uart_port *port)
{
	int err;

	if (port && memblock_overlaps_memory(port->base, port->size ? port->size : 1)) {
		pr_err("console %s: 0x%llx is memory, not a device\n", console->name, port->base);
		return false;
	}
	err = console->probe(port);
	if (err) {
		pr_err("console %s at 0x%llx does not work: %pe\n", console->name,
		       port ? port->base : 0, (void *)(long)err);
		return false;
	}
	current = console;
	return true;
}

static const struct console *find_console(const char *name, size_t len)
{
	const struct console *console;

	for_each_row(console, console)
		if (strlen(console->name) == len && !memcmp(console->name, name, len))
			return console;
	return NULL;
}

#ifdef CONFIG_COMMAND_LINE
static const char *wanted;

/* console=ttyS0,115200: the last one counts */
static void set_console(const char *value)
{
	wanted = value;
}
PARAM(console, set_console);

/* Port number @index of the console named @name, or NULL. */
static struct uart_port *find_port(const char *name, u64 index)
{
	unsigned int i;

	for (i = 0; i < port_count; i++)
		if (!strcmp(ports[i].name, name) && index-- == 0)
			return &ports[i].port;
	return NULL;
}

static bool try_wanted(void)
{
	const struct console *console;
	const char *end = wanted;
	struct uart_port *port = NULL;
	u64 index = 0, baud;
	size_t len; /* of the name, up to a digit or comma */

	if (!wanted)
		return false;
	for (len = 0; wanted[len] > '9' || (wanted[len] && wanted[len] < ','); len++)
		;
	console = find_console(wanted, len);
	if (console)
		parse_digits(wanted + len, 10, &index, &end);
	if (console && console->needs_port) {
		port = find_port(console->name, index);
		if (port && *end == ',' && !parse_digits(end + 1, 10, &baud, &end) &&
		    baud <= U32_MAX)
			port->baud = baud;
	}
	if (!console || (console->needs_port && !port)) {
		pr_err("console=%s: there is no such console\n", wanted);
		return false;
	}
	if (!console->needs_port) {
		console = portless_from(console);
		if (console)
			current = console;
		return console;
	}
	return try_console(console, port);
}
#else
static bool try_wanted(void)
{
	return false;
}
#endif

/* The port that the device tree names as stdout; without a tree, the only one. */
static bool try_stdout(void)
{
	u32 baud = 0;
	u64 path = 0;
	unsigned int i;

#ifdef CONFIG_OF
	path = of_stdout(&baud);
	if (!path)
		return false;
#endif
	for (i = 0; i < port_count; i++) {
		if (ports[i].path != path)
			continue;
		if (baud)
			ports[i].port.baud = baud;
		return try_console(find_console(ports[i].name, strlen(ports[i].name)),
				   &ports[i].port);
	}
	return false;
}

void console_init(void)
{
	if (!try_wanted() && !try_stdout())
		current = portless_from(console_start);
	if (current)
		pr_debug("console: %s\n", current->name);
}

#ifdef CONFIG_EARLY_CONSOLE
void console_init_early(void)
{
	current = portless_from(console_start);
	printk_console_ready();
}
#endif

#ifdef CONFIG_THREADS
static struct spinlock lock;
static bool lock_broken;

void console_break_lock(void)
{
	lock_broken = true;
	console_poll();
}

static unsigned long take_lock(bool *taken)
{
	unsigned long flags = local_irq_save();

	*taken = !lock_broken;
	if (*taken)
		spin_lock_masked(&lock);
	return flags;
}

static void release_lock(bool taken, unsigned long flags)
{
	if (taken)
		spin_unlock_masked(&lock);
	local_irq_restore(flags);
}
#else
static __always_inline unsigned long take_lock(bool *taken)
{
	*taken = false;
	return 0;
}

static __always_inline void release_lock(bool taken, unsigned long flags)
{
}
#endif

void console_write(const char *text, size_t len)
{
	bool taken;
	unsigned long flags = take_lock(&taken);
	size_t done;

	if (!current)
		current = portless_from(console_start);
	while (current && len) {
		done = current->write(text, len);
		text += done;
		len -= done;
		if (len)
			current = portless_from(current + 1);
	}
	release_lock(taken, flags);
}

#ifdef CONFIG_CONSOLE_QUEUE
void console_poll(void)
{
	bool taken;
	unsigned long flags = take_lock(&taken);

	if (current && current->poll)
		current->poll();
	release_lock(taken, flags);
}
#endif

void console_flush(void)
{
	if (current && current->flush)
		current->flush();
}
