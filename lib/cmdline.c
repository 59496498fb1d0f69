// SPDX-License-Identifier: MIT
/* The kernel command line's grammar; include/ahoy/params.h describes it. */
#include <ahoy/compiler.h>
#include <ahoy/ctype.h>
#include <ahoy/errno.h>
#include <ahoy/kstrtox.h>
#include <ahoy/params.h>
#include <ahoy/string.h>

char *skip_spaces(const char *s)
{
	while (isspace(*s))
		s++;
	return (char *)(uintptr_t)s;
}

/* Take off the quote before @end. There is one in any case, if only the first one. */
static void cut_quote(char *end)
{
	if (end[-1] == '"')
		end[-1] = '\0';
}

char *next_arg(char *args, char **param, char **val)
{
	bool quoted = *args == '"';
	bool in_quotes = quoted;
	char *name = quoted ? args + 1 : args;
	char *value = NULL;
	char *end;

	for (end = name; *end && (in_quotes || !isspace(*end)); end++) {
		if (*end == '"')
			in_quotes = !in_quotes;
		else if (*end == '=' && end != name && !value)
			value = end + 1;
	}
	/* Before anything is cut off: what follows must still be found. */
	args = *end ? end + 1 : end;
	*end = '\0';

	if (value) {
		value[-1] = '\0';
		if (*value == '"') {
			value++;
			quoted = true;
		}
	}
	if (quoted)
		cut_quote(end);
	*param = name;
	*val = value;
	return skip_spaces(args);
}

u64 memparse(const char *s, char **end)
{
	static const char suffixes[] = "kmgtpe";
	unsigned int base = 0;
	unsigned int shift;
	const char *stop;
	u64 value;

	stop = parse_prefix(s, &base);
	if (parse_digits(stop, base, &value, &stop) == -EINVAL) {
		stop = s;
	} else {
		const char *suffix = *stop ? strchr(suffixes, tolower(*stop)) : NULL;

		if (suffix) {
			shift = 10 * (unsigned int)(suffix - suffixes + 1);
			value = value > U64_MAX >> shift ? U64_MAX : value << shift;
			stop++;
		}
	}
	if (end)
		*end = (char *)(uintptr_t)stop;
	return value;
}
