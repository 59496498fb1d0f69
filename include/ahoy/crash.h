/* SPDX-License-Identifier: MIT */
/* Ways to crash on request, each in the file that knows how. */
#ifndef AHOY_CRASH_H
#define AHOY_CRASH_H

#include <ahoy/section.h>

struct crash_way {
	const char *name;
	void (*fn)(void);
};

/* Have crash=@text call @function, which ought not to return. @word names the row. */
#define CRASH_WAY(word, text, function)                                                            \
	LINKER_TABLE_ROW(struct crash_way, crash_way, 0, word) = { (text), (function) }

#endif
