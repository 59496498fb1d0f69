// SPDX-License-Identifier: MIT
/* Digits to numbers, by a C library's strtoull(). */
#include <ahoy/ctype.h>
#include <ahoy/errno.h>
#include <ahoy/kstrtox.h>
#include <ahoy/libc.h>

int parse_digits(const char *s, unsigned int base, u64 *value, const char **end)
{
	char *stop;

	*value = 0;
	*end = s;
	/* What else it takes: blanks, a sign, a prefix. */
	if (!isxdigit(*s))
		return -EINVAL;
	if (base == 16 && *s == '0' && tolower(s[1]) == 'x') {
		*end = s + 1;
		return 0;
	}
	*__errno_location() = 0;
	*value = strtoull(s, &stop, (int)base);
	*end = stop;
	if (stop == s)
		return -EINVAL;
	return *__errno_location() == ERANGE ? -ERANGE : 0;
}
