// SPDX-License-Identifier: MIT
/* Text to numbers. */
#include <ahoy/compiler.h>
#include <ahoy/ctype.h>
#include <ahoy/errno.h>
#include <ahoy/kstrtox.h>

const char *parse_prefix(const char *s, unsigned int *base)
{
	bool hex = s[0] == '0' && tolower(s[1]) == 'x' && isxdigit(s[2]);

	if (*base == 0)
		*base = hex ? 16 : s[0] == '0' ? 8 : 10;
	return *base == 16 && hex ? s + 2 : s;
}

/* @s: without a sign. */
static int parse_whole(const char *s, unsigned int base, u64 *value)
{
	const char *end;
	int err;

	s = parse_prefix(s, &base);
	err = parse_digits(s, base, value, &end);
	if (*end == '\n')
		end++;
	return *end ? -EINVAL : err;
}

/* A number of @bits bits, of which the first is the sign. */
static int parse_signed(const char *s, unsigned int base, int bits, s64 *result)
{
	bool negative = *s == '-';
	u64 limit = (1ULL << (bits - 1)) - 1 + negative;
	u64 value;
	int err;

	if (*s == '-' || *s == '+')
		s++;
	err = parse_whole(s, base, &value);
	if (err)
		return err;
	if (value > limit)
		return -ERANGE;
	*result = (s64)(negative ? -value : value);
	return 0;
}

static int parse_unsigned(const char *s, unsigned int base, u64 limit, u64 *result)
{
	u64 value;
	int err = parse_whole(*s == '+' ? s + 1 : s, base, &value);

	if (err)
		return err;
	if (value > limit)
		return -ERANGE;
	*result = value;
	return 0;
}

int kstrtoull(const char *s, unsigned int base, unsigned long long *result)
{
	return parse_unsigned(s, base, U64_MAX, result);
}

int kstrtoll(const char *s, unsigned int base, long long *result)
{
	return parse_signed(s, base, 64, result);
}

int kstrtoul(const char *s, unsigned int base, unsigned long *result)
{
	u64 value;
	int err = parse_unsigned(s, base, ~0UL, &value);

	if (!err)
		*result = (unsigned long)value;
	return err;
}

int kstrtol(const char *s, unsigned int base, long *result)
{
	s64 value;
	int err = parse_signed(s, base, 8 * sizeof(long), &value);

	if (!err)
		*result = (long)value;
	return err;
}

int kstrtouint(const char *s, unsigned int base, unsigned int *result)
{
	u64 value;
	int err = parse_unsigned(s, base, UINT_MAX, &value);

	if (!err)
		*result = (unsigned int)value;
	return err;
}

int kstrtoint(const char *s, unsigned int base, int *result)
{
	s64 value;
	int err = parse_signed(s, base, 8 * sizeof(int), &value);

	if (!err)
		*result = (int)value;
	return err;
}

int kstrtobool(const char *s, bool *result)
{
	switch (tolower(s[0])) {
	case 'y':
	case 't':
	case '1':
		*result = true;
		return 0;
	case 'n':
	case 'f':
	case '0':
		*result = false;
		return 0;
	case 'o':
		if (tolower(s[1]) != 'n' && tolower(s[1]) != 'f')
			return -EINVAL;
		*result = tolower(s[1]) == 'n';
		return 0;
	default:
		return -EINVAL;
	}
}
