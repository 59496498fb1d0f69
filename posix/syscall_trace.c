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
