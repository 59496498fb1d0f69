// SPDX-License-Identifier: MIT
/* The plugin's arguments; plugin.c lists them. */
#include <stdlib.h>
#include <string.h>

#include "plugin.h"

struct option option = {
	.entry = 0x80200000,
	.base = 0x80000000,
	.top = 0x80000000,
	.firmware = true,
	.from_marker = -1,
	.to_marker = -1,
};

static uint64_t number(const char *text)
{
	char *end;
	uint64_t value = strtoull(text, &end, 0);

	if (end == text || (*end && *end != ':'))
		die("not a number: ", text);
	return value;
}

static void parse_want(const char *hex)
{
	for (; hex[0] && hex[1]; hex += 2) {
		char digits[3] = { hex[0], hex[1], 0 };

		if (option.want_len == MAX_WANT)
			die("want= is too long", "");
		option.want[option.want_len++] = (char)strtoul(digits, NULL, 16);
	}
}

static void add_label(struct label *labels, size_t *n, size_t max, const char *text)
{
	const char *name = strchr(text, ':');

	if (*n == max)
		die("too many marks: ", text);
	labels[*n].vaddr = number(text);
	if (name)
		labels[*n].name = strdup(name + 1);
	/* Labels of one name share it. */
	for (size_t i = 0; name && i < *n; i++)
		if (!strcmp(labels[i].name, name + 1))
			labels[*n].name = labels[i].name;
	++*n;
}

#define MAX_ENDS (sizeof(option.from) / sizeof(*option.from))

static void take(const char *name, const char *value)
{
	if (!strcmp(name, "entry"))
		option.entry = number(value);
	else if (!strcmp(name, "base"))
		option.base = number(value);
	else if (!strcmp(name, "top"))
		option.top = number(value);
	else if (!strcmp(name, "tx"))
		option.tx = number(value);
	else if (!strcmp(name, "console"))
		option.console = strdup(value);
	else if (!strcmp(name, "out"))
		option.out = strdup(value);
	else if (!strcmp(name, "trace"))
		option.trace = strdup(value);
	else if (!strcmp(name, "want"))
		parse_want(value);
	else if (!strcmp(name, "to-end"))
		option.to_end = !strcmp(value, "on");
	else if (!strcmp(name, "firmware"))
		option.firmware = !strcmp(value, "on");
	else if (!strcmp(name, "sites"))
		option.sites = !strcmp(value, "on");
	else if (!strcmp(name, "from"))
		add_label(option.from, &option.n_from, MAX_ENDS, value);
	else if (!strcmp(name, "to"))
		add_label(option.to, &option.n_to, MAX_ENDS, value);
	else if (!strcmp(name, "from-marker"))
		option.from_marker = (int)number(value);
	else if (!strcmp(name, "to-marker"))
		option.to_marker = (int)number(value);
	else if (!strcmp(name, "phase"))
		add_label(option.phases, &option.n_phases, MAX_LABELS, value);
	else
		die("unknown argument ", name);
}

void options_parse(int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		char *value = strchr(argv[i], '=');

		if (!value)
			die("not name=value: ", argv[i]);
		*value++ = '\0';
		take(argv[i], value);
	}
	if (!option.console || !option.out || !option.want_len || option.top <= option.base)
		die("console=, out=, want= and top= must be given", "");
	option.intervals =
		option.n_from || option.n_to || option.from_marker >= 0 || option.to_marker >= 0;
}
