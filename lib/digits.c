// SPDX-License-Identifier: MIT
/* Digits to numbers. */
#include <ahoy/ctype.h>
#include <ahoy/errno.h>
#include <ahoy/kstrtox.h>

/* The value of a digit of any base up to 16; 16 for what is none. */
static unsigned int digit_value(char c)
{
	if (isdigit(c))
		return (unsigned int)(c - '0');
	c = (char)tolower(c);
	return c >= 'a' && c <= 'f' ? (unsigned int)(c - 'a') + 10 : 16;
}

int parse_digits(const char *s, unsigned int base, u64 *value, const char **end)
{
	const char *first = s;
	bool fits = true;
	unsigned int digit;
	u64 sum = 0;

	for (; (digit = digit_value(*s)) < base; s++) {
		if (sum > (U64_MAX - digit) / base)
			fits = false;
		else
			sum = sum * base + digit;
	}
	*value = fits ? sum : U64_MAX;
	*end = s;
	if (s == first)
		return -EINVAL;
	return fits ? 0 : -ERANGE;
}
