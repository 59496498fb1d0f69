// SPDX-License-Identifier: MIT
/* Formatted text into a buffer; include/ahoy/printf.h says which formats. */
#include <ahoy/compiler.h>
#include <ahoy/ctype.h>
#include <ahoy/errname.h>
#include <ahoy/errno.h>
#include <ahoy/kallsyms.h>
#include <ahoy/printf.h>
#include <ahoy/string.h>

enum {
	LEFT = 1 << 0,	 /* - */
	PLUS = 1 << 1,	 /* + */
	SPACE = 1 << 2,	 /* space */
	ALT = 1 << 3,	 /* # */
	ZERO = 1 << 4,	 /* 0 */
	UPPER = 1 << 5,	 /* digits and prefix in upper case */
	SIGNED = 1 << 6, /* the value may be negative */
};

/* No field is padded further than this: a wider one is a mistake, and takes for ever. */
#define PAD_MAX 32767

/* Numbers in a format end here: ten times this still is an int. */
#define NUMBER_MAX 99999999

/* Digits of a pointer. */
#define PTR_DIGITS ((int)(2 * sizeof(void *)))

struct out {
	char *buf;
	size_t size;
	size_t len; /* of the whole text, also what @buf has no room for */
};

/* One conversion, as the format has it. */
struct spec {
	unsigned int flags;
	int width;     /* 0 if not given */
	int precision; /* negative if not given */
	int size;      /* bytes of an integer */
};

static void put(struct out *out, char c)
{
	if (out->len < out->size)
		out->buf[out->len] = c;
	out->len++;
}

static void put_bytes(struct out *out, const char *s, size_t n)
{
	while (n--)
		put(out, *s++);
}

static void pad(struct out *out, char c, int n)
{
	if (n > PAD_MAX)
		n = PAD_MAX;
	while (n-- > 0)
		put(out, c);
}

/* Text in its field. */
static void put_text(struct out *out, const char *s, size_t len, const struct spec *spec)
{
	int blanks = len < (size_t)spec->width ? spec->width - (int)len : 0;

	if (!(spec->flags & LEFT))
		pad(out, ' ', blanks);
	put_bytes(out, s, len);
	if (spec->flags & LEFT)
		pad(out, ' ', blanks);
}

/* A string: at most @spec->precision bytes of it, which then need no NUL. */
static void put_string(struct out *out, const char *s, const struct spec *spec)
{
	if (!s)
		s = "(null)";
	else if ((uintptr_t)s < 4096 || IS_ERR_VALUE(s))
		s = "(efault)";
	put_text(out, s, strnlen(s, spec->precision < 0 ? SIZE_MAX : (size_t)spec->precision),
		 spec);
}

/* An integer; ALT asks for a prefix, also of zero. */
static void put_number(struct out *out, u64 value, unsigned int base, const struct spec *spec)
{
	unsigned int flags = spec->flags;
	char digits[22]; /* of 2^64 - 1 in octal */
	char *first = digits + sizeof(digits);
	char prefix[2];
	int prefix_len = 0;
	int zeros, blanks, len;

	if (flags & SIGNED) {
		if ((s64)value < 0) {
			prefix[prefix_len++] = '-';
			value = -value;
		} else if (flags & PLUS) {
			prefix[prefix_len++] = '+';
		} else if (flags & SPACE) {
			prefix[prefix_len++] = ' ';
		}
	}
	if (base == 16 && (flags & ALT)) {
		prefix[prefix_len++] = '0';
		prefix[prefix_len++] = flags & UPPER ? 'X' : 'x';
	}

	for (; value; value /= base) {
		unsigned int digit = value % base;

		if (digit >= 10)
			digit += (flags & UPPER ? 'A' : 'a') - '0' - 10;
		*--first = (char)('0' + digit);
	}
	len = (int)(digits + sizeof(digits) - first);

	/* A precision is the least number of digits: 1 if not given, 0 prints 0 as nothing. */
	zeros = (spec->precision < 0 ? 1 : spec->precision) - len;
	if (base == 8 && (flags & ALT) && zeros <= 0)
		zeros = 1;
	if (zeros < 0)
		zeros = 0;
	blanks = spec->width - prefix_len - len - min(zeros, PAD_MAX);

	if ((flags & (LEFT | ZERO)) == ZERO && spec->precision < 0 && blanks > 0) {
		zeros += blanks;
		blanks = 0;
	}
	if (!(flags & LEFT))
		pad(out, ' ', blanks);
	put_bytes(out, prefix, (size_t)prefix_len);
	pad(out, '0', zeros);
	put_bytes(out, first, (size_t)len);
	if (flags & LEFT)
		pad(out, ' ', blanks);
}

/* All digits of a pointer or an address; a width may be larger. */
static void put_address(struct out *out, u64 value, struct spec *spec)
{
	if (spec->precision < 0)
		spec->precision = PTR_DIGITS;
	put_number(out, value, 16, spec);
}

static void put_hex_dump(struct out *out, const u8 *bytes, int n)
{
	struct spec hex = { .precision = 2 };
	int i;

	n = min(max(n, 1), 64);
	for (i = 0; i < n; i++) {
		if (i)
			put(out, ' ');
		put_number(out, bytes[i], 16, &hex);
	}
}

/*
 * @kind is what follows the p in the format.
 * Return: how many characters of the format belong to the conversion besides.
 */
static int put_pointer(struct out *out, const void *ptr, char kind, struct spec *spec)
{
	char symbol[128];
	const char *name;

	switch (kind) {
	case 'S':
	case 's':
		if (sprint_symbol(symbol, sizeof(symbol), (unsigned long)ptr, kind == 'S') > 0)
			put_string(out, symbol, spec);
		else
			put_address(out, (uintptr_t)ptr, spec);
		return 1;
	case 'a':
		spec->flags |= ALT;
		put_address(out, *(const phys_addr_t *)ptr, spec);
		return 1;
	case 'e':
		name = NULL;
		if (IS_ERR_VALUE(ptr)) {
			name = errname((int)(long)ptr);
			spec->flags |= SIGNED;
		}
		if (name)
			put_string(out, name, spec);
		else if (IS_ERR_VALUE(ptr))
			put_number(out, (uintptr_t)ptr, 10, spec);
		else
			put_address(out, (uintptr_t)ptr, spec);
		return 1;
	case 'h':
		put_hex_dump(out, ptr, spec->width);
		return 1;
	case 'x':
		put_address(out, (uintptr_t)ptr, spec);
		return 1;
	default:
		put_address(out, (uintptr_t)ptr, spec);
		return 0;
	}
}

static const char *parse_flags(const char *fmt, struct spec *spec)
{
	static const char flags[] = "-+ #0"; /* in the order of the bits */
	const char *flag;

	for (; *fmt && (flag = strchr(flags, *fmt)); fmt++)
		spec->flags |= 1U << (flag - flags);
	return fmt;
}

static const char *parse_length(const char *fmt, struct spec *spec)
{
	switch (*fmt) {
	case 'h':
		spec->size = fmt[1] == 'h' ? sizeof(char) : sizeof(short);
		return fmt + 1 + (fmt[1] == 'h');
	case 'l':
		spec->size = sizeof(long);
		return fmt + 1 + (fmt[1] == 'l');
	case 'z':
	case 't':
	case 'j':
		spec->size = sizeof(long);
		return fmt + 1;
	default:
		return fmt;
	}
}

/*
 * Digits, or * for an int argument: reads what stands at *@fmt and moves on.
 * A macro, since a va_list handed to a function cannot be used afterwards.
 */
#define NUMBER_OR_ARG(fmt, args)                                                                   \
	({                                                                                         \
		int __number = 0;                                                                  \
                                                                                                   \
		if (*(fmt) == '*') {                                                               \
			__number = va_arg(args, int);                                              \
			(fmt)++;                                                                   \
		} else {                                                                           \
			for (; isdigit(*(fmt)); (fmt)++)                                           \
				__number = min(__number * 10 + (*(fmt) - '0'), NUMBER_MAX);        \
		}                                                                                  \
		__number;                                                                          \
	})

int vsnprintf(char *buf, size_t size, const char *fmt, va_list args)
{
	struct out out = { .buf = buf, .size = size };

	/* An integer is taken from the arguments as an int or as a long. */
	BUILD_BUG_ON(sizeof(long) != sizeof(u64) || sizeof(size_t) != sizeof(u64));

	for (; *fmt; fmt++) {
		const char *start = fmt;
		struct spec spec = { .precision = -1, .size = sizeof(int) };
		unsigned int base = 10;
		u64 value;
		int shift;
		char c;

		if (*fmt != '%') {
			put(&out, *fmt);
			continue;
		}
		fmt = parse_flags(fmt + 1, &spec);
		spec.width = NUMBER_OR_ARG(fmt, args);
		if (spec.width < 0) {
			spec.flags |= LEFT;
			spec.width = spec.width < -NUMBER_MAX ? NUMBER_MAX : -spec.width;
		}
		if (*fmt == '.') {
			fmt++;
			spec.precision = NUMBER_OR_ARG(fmt, args);
		}
		fmt = parse_length(fmt, &spec);

		switch (*fmt) {
		case '%':
			put(&out, '%');
			continue;
		case 'c':
			c = (char)va_arg(args, int);
			put_text(&out, &c, 1, &spec);
			continue;
		case 's':
			put_string(&out, va_arg(args, const char *), &spec);
			continue;
		case 'p':
			fmt += put_pointer(&out, va_arg(args, const void *), fmt[1], &spec);
			continue;
		case 'd':
		case 'i':
			spec.flags |= SIGNED;
			break;
		case 'u':
			break;
		case 'o':
			base = 8;
			break;
		case 'X':
			spec.flags |= UPPER;
			fallthrough;
		case 'x':
			base = 16;
			break;
		default:
			/* Not known, and so neither are the arguments from here on. */
			put_bytes(&out, start, strlen(start));
			goto end;
		}

		value = spec.size == sizeof(u64) ? va_arg(args, unsigned long)
						 : va_arg(args, unsigned int);
		shift = 64 - 8 * spec.size;
		value <<= shift;
		value = spec.flags & SIGNED ? (u64)((s64)value >> shift) : value >> shift;
		if (base == 16 && !value)
			spec.flags &= ~(unsigned int)ALT;
		put_number(&out, value, base, &spec);
	}
end:
	if (size)
		buf[min(out.len, size - 1)] = '\0';
	return (int)min(out.len, (size_t)INT_MAX);
}

int vscnprintf(char *buf, size_t size, const char *fmt, va_list args)
{
	size_t len = (size_t)vsnprintf(buf, size, fmt, args);

	if (len < size)
		return (int)len;
	return size ? (int)min(size - 1, (size_t)INT_MAX) : 0;
}

int snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(buf, size, fmt, args);
	va_end(args);
	return len;
}

int scnprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vscnprintf(buf, size, fmt, args);
	va_end(args);
	return len;
}
