// SPDX-License-Identifier: MIT
/*
 * What programs ask for, as strace shows it: each call with its arguments, and
 * then its result. Numbers only: what they mean, the call itself knows.
 */
#include "process.h"
#include "syscall.h"
#include <ahoy/compiler.h>
#include <ahoy/errname.h>
#include <ahoy/printf.h>
#include <ahoy/string.h>

bool syscall_tracing;

/* Is @word one of those of the kernel's command line? */
static bool is_asked_for(const char *word)
{
	const char *at = core_command_line();
	size_t len = strlen(word);

	while (*at) {
		size_t n = 0;

		while (at[n] && at[n] != ' ')
			n++;
		if (n == len && !memcmp(at, word, n))
			return true;
		at += n + (at[n] == ' ');
	}
	return false;
}

void syscall_trace_start(void)
{
	syscall_tracing = is_asked_for("syscall_trace");
}

/* Small numbers are counts, descriptors and errors, large ones addresses. */
static int format_number(char *text, size_t size, long value)
{
	return scnprintf(text, size, value > -100000 && value < 100000 ? "%ld" : "%#lx", value);
}

void syscall_trace_call(const struct syscall_row *row, unsigned long nr, const unsigned long *args)
{
	char text[200];
	int len = scnprintf(text, sizeof(text), "[%d] ", current_task()->tid);

	if (row->nr == nr)
		len += scnprintf(text + len, sizeof(text) - len, "%s(", row->name);
	else
		len += scnprintf(text + len, sizeof(text) - len, "%lu(", nr);
	for (unsigned int i = 0; i < row->args; i++) {
		if (i)
			len += scnprintf(text + len, sizeof(text) - len, ", ");
		len += format_number(text + len, sizeof(text) - len, (long)args[i]);
	}
	len += scnprintf(text + len, sizeof(text) - len, ")\n");
	console_output(text, (size_t)len);
}

void syscall_trace_result(long result)
{
	char text[64];
	int len = scnprintf(text, sizeof(text), "[%d] = ", current_task()->tid);

	if (IS_ERR_VALUE(result) && IS_ENABLED(CONFIG_SYMBOLIC_ERRNAME) && errname((int)result))
		len += scnprintf(text + len, sizeof(text) - len, "%s\n", errname((int)result));
	else {
		len += format_number(text + len, sizeof(text) - len, result);
		len += scnprintf(text + len, sizeof(text) - len, "\n");
	}
	console_output(text, (size_t)len);
}
