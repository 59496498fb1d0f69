// SPDX-License-Identifier: MIT
#include <ahoy/cmdline.h>
#include <ahoy/of.h>
#include <ahoy/params.h>
#include <ahoy/printk.h>
#include <ahoy/string.h>

LINKER_TABLE(struct param_row, param);

/* Parameters are cut at their blanks in here, and stay. */
static char command_line[COMMAND_LINE_SIZE] __noinit;
/* As it is, for programs */
#ifdef CONFIG_USERSPACE
static char whole_line[COMMAND_LINE_SIZE] __noinit;
#endif
static size_t too_long; /* what its length would have been; 0: it is whole */

/* Append @len bytes at @text to the @used that are there; return the new end. */
static size_t append(size_t used, const char *text, size_t len)
{
	size_t room = COMMAND_LINE_SIZE - 1 - used;

	if (len == 0)
		return used;
	if (used && room) {
		command_line[used++] = ' ';
		room--;
	}
	if (len > room) {
		too_long = used + len;
		len = room;
	}
	memcpy(command_line + used, text, len);
	return used + len;
}

static size_t collect(void)
{
	static const char builtin[] = CONFIG_CMDLINE;
	size_t used = 0, len;
	const char *bootargs = of_bootargs(&len);

	if (IS_ENABLED(CONFIG_CMDLINE_FORCE) || IS_ENABLED(CONFIG_CMDLINE_EXTEND) || !len)
		used = append(used, builtin, sizeof(builtin) - 1);
	if (!IS_ENABLED(CONFIG_CMDLINE_FORCE))
		used = append(used, bootargs, len);
	return used;
}

static void set_param(const char *name, const char *value)
{
	const struct param_row *row;

	for_each_row(row, param) {
		if (!strcmp(row->name, name)) {
			row->fn(value);
			return;
		}
	}
	pr_notice("command line: nobody knows \"%s\"\n", name);
}

void cmdline_init(void)
{
	char *next = command_line, *name, *value;

	size_t len = collect();

	command_line[len] = '\0';
#ifdef CONFIG_USERSPACE
	memcpy(whole_line, command_line, len + 1);
#endif
	if (*next)
		pr_info("command line: %s\n", command_line);
	while (*(next = skip_spaces(next))) {
		next = next_arg(next, &name, &value);
		/* What follows is the first program's. */
		if (IS_ENABLED(CONFIG_USERSPACE) && !strcmp(name, "--"))
			break;
		set_param(name, value);
	}
	/* Last, since what was said of each parameter may have filled the log. */
	if (too_long)
		pr_err("command line: cut off behind %u of %zu bytes\n", COMMAND_LINE_SIZE - 1,
		       too_long);
}

#ifdef CONFIG_USERSPACE
const char *cmdline_text(void)
{
	return whole_line;
}
#endif
