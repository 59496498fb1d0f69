/* SPDX-License-Identifier: MIT */
/* Kinds of ASCII characters. Bytes above 127 are of none. */
#ifndef AHOY_CTYPE_H
#define AHOY_CTYPE_H

#include <ahoy/types.h>

/* Space, tab, newline, vertical tab, form feed, carriage return. */
static inline bool isspace(int c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static inline bool isdigit(int c)
{
	return c >= '0' && c <= '9';
}

static inline bool isxdigit(int c)
{
	return isdigit(c) || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
}

/* Space to tilde. */
static inline bool isprint(int c)
{
	return c >= ' ' && c <= '~';
}

static inline int tolower(int c)
{
	return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

#endif
