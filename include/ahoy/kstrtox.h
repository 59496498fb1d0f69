/* SPDX-License-Identifier: MIT */
/*
 * Text to numbers, strictly: the whole string is one number, after which only
 * one newline may stand; no blanks.
 *
 * @base is 10, 16 (with or without 0x), any other from 2 to 16, or 0: then 0x
 * means 16, a leading 0 means 8, and anything else 10. A plus sign may stand
 * before the number, for the signed kinds a minus sign too.
 *
 * Return: 0; -EINVAL if it is no number; -ERANGE if it does not fit. *@result
 * is written only where 0 is returned. Context: any.
 */
#ifndef AHOY_KSTRTOX_H
#define AHOY_KSTRTOX_H

#include <ahoy/compiler.h>
#include <ahoy/types.h>

int __must_check kstrtoull(const char *s, unsigned int base, unsigned long long *result);
int __must_check kstrtoll(const char *s, unsigned int base, long long *result);
int __must_check kstrtoul(const char *s, unsigned int base, unsigned long *result);
int __must_check kstrtol(const char *s, unsigned int base, long *result);
int __must_check kstrtouint(const char *s, unsigned int base, unsigned int *result);
int __must_check kstrtoint(const char *s, unsigned int base, int *result);

/**
 * kstrtobool() - text to a truth value
 * @s: y, Y, t, T, 1, on or n, N, f, F, 0, of(f); only what tells them apart is looked at
 * @result: written only where 0 is returned
 *
 * Return: 0, or -EINVAL. Context: any.
 */
int __must_check kstrtobool(const char *s, bool *result);

/**
 * parse_digits() - read as many digits as there are
 * @s: where they begin, with no sign or prefix
 * @base: 2 to 16
 * @value: their value; U64_MAX if it does not fit in 64 bits. Always written.
 * @end: where the first character stands that is no digit
 *
 * Return: 0; -EINVAL if there is no digit; -ERANGE if the value does not fit. Context: any.
 */
int parse_digits(const char *s, unsigned int base, u64 *value, const char **end);

/**
 * parse_prefix() - skip what tells the base of a number
 * @s: where the number begins
 * @base: in: 0 if the number is to tell it; out: 8, 10 or 16, or as it was
 *
 * A 0x that no hexadecimal digit follows is a zero followed by an x.
 *
 * Return: where the digits begin. Context: any.
 */
const char *parse_prefix(const char *s, unsigned int *base);

#endif
