/* SPDX-License-Identifier: MIT */
/* The kernel command line: blank-separated parameters, `name` or `name=value`. */
#ifndef AHOY_PARAMS_H
#define AHOY_PARAMS_H

#include <ahoy/types.h>

/**
 * skip_spaces() - skip white space
 * Return: the first character of @s that is none. Context: any.
 */
char *skip_spaces(const char *s);

/**
 * next_arg() - take the first parameter off a command line
 * @args: the rest of the line; it is written to, and @param and @val point into it
 * @param: the parameter's name
 * @val: what follows the first = sign that is not its first character; NULL without one
 *
 * Between double quotes white space does not end a parameter. Quotes around a
 * value, or around the whole parameter, are taken off; others stay. A quote
 * that is not closed holds to the end of the line.
 *
 *	while (*(args = skip_spaces(args)))
 *		args = next_arg(args, &param, &val);
 *
 * Return: the rest of the line, after the white space that follows the
 * parameter. Context: any.
 */
char *next_arg(char *args, char **param, char **val);

/**
 * memparse() - read a number with a binary suffix: 64K, 0x10m
 * @s: a number as kstrtoull() takes with base 0, and one of K, M, G, T, P, E or none
 * @end: where the first character stands that was not read: @s itself if
 *	there is no number; may be NULL
 *
 * Return: the value in bytes, U64_MAX where it is larger than that. Context: any.
 */
u64 memparse(const char *s, char **end);

#endif
