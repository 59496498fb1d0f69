/* SPDX-License-Identifier: MIT */
/* The kernel's command line: parameters, and who understands them. */
#ifndef AHOY_CMDLINE_H
#define AHOY_CMDLINE_H

#include <ahoy/section.h>
#include <ahoy/types.h>

/* Longest command line in bytes, with its zero; the rest is cut off. */
#define COMMAND_LINE_SIZE 2048

struct param_row {
	const char *name;
	void (*fn)(const char *value);
};

#ifdef CONFIG_COMMAND_LINE
/*
 * Call @function (void, taking const char *value: the text behind "=", which
 * stays valid, or NULL) for each parameter @word of the command line, in the
 * order given there. Context: boot, when the device tree has been read; the
 * console may not be there yet. Reports bad values with pr_err().
 */
#define PARAM(word, function) PARAM_NAMED(word, #word, function)

/* The same for a parameter whose name is no word of C: @word stands for it here. */
#define PARAM_NAMED(word, text, function)                                                          \
	LINKER_TABLE_ROW(struct param_row, param, 5, word) = { .name = (text), .fn = (function) }

/* Read the command line and call who is registered. Context: boot, once. */
void cmdline_init(void);

/* All of it, as it was given. Context: any, after that. */
const char *cmdline_text(void);
#else
#define PARAM_NAMED(word, text, function) PARAM(word, function)
#define PARAM(word, function)                                                                      \
	static void (*const __maybe_unused unused_##word)(const char *) = (function)

static inline void cmdline_init(void)
{
}

static inline const char *cmdline_text(void)
{
	return "";
}
#endif
#endif
