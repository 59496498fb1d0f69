// SPDX-License-Identifier: MIT
/*
 * The kernel's formats on top of a C library's vsnprintf(): its kinds of %p, strings that
 * may be none, and an end at what is not known. Each conversion of C's own is the
 * library's work.
 */
#include <ahoy/compiler.h>
#include <ahoy/ctype.h>
#include <ahoy/errname.h>
#include <ahoy/errno.h>
#include <ahoy/kallsyms.h>
#include <ahoy/printf.h>
#include <ahoy/string.h>

/* No field is padded further than this: a wider one is a mistake, and takes for ever. */
#define WIDTH_MAX 32767

/* Numbers in a format end here: ten times this still is an int. */
#define NUMBER_MAX 99999999

/* Digits of a pointer. */
#define PTR_DIGITS ((int)(2 * sizeof(void *)))

struct out {
	char *buf;
	size_t size; /* not 0 */
	size_t len;  /* less */
};

/* One conversion, as the format has it. */
struct spec {
	char fmt[16];  /* for the library: a percent sign, flags, and * for both numbers */
	char *end;     /* where in it the conversion comes */
	int width;     /* 0 if not given */
	int precision; /* negative if not given */
	int size;      /* bytes of an integer */
	bool quad;     /* a long double */
};

static void put_bytes(struct out *out, const char *s, size_t n)
{
	n = min(n, out->size - 1 - out->len);
	memcpy(out->buf + out->len, s, n);
	out->len += n;
}

/* Have the library print width, precision and value, which follow. */
static void put(struct out *out, struct spec *spec, const char *conversion, ...)
{
	size_t room = out->size - out->len;
	va_list args;
	int n;

	strscpy(spec->end, conversion, (size_t)(spec->fmt + sizeof(spec->fmt) - spec->end));
	va_start(args, conversion);
	n = vsnprintf(out->buf + out->len, room, spec->fmt, args);
	va_end(args);
	if (n > 0)
		out->len += min((size_t)n, room - 1);
}

/* @value: of the type that the conversion wants. */
#define PUT(out, spec, conversion, value)                                                          \
	put(out, spec, conversion, (spec)->width, (spec)->precision, value)

static void put_string(struct out *out, const char *s, struct spec *spec)
{
	if (!s)
		s = "(null)";
	else if ((uintptr_t)s < 4096 || IS_ERR_VALUE(s))
		s = "(efault)";
	PUT(out, spec, "s", s);
}

/* All digits of a pointer; a width may be larger. */
static void put_pointer(struct out *out, const void *ptr, struct spec *spec)
{
	if (spec->precision < 0)
		spec->precision = PTR_DIGITS;
	PUT(out, spec, "lx", (unsigned long)ptr);
}

static void put_hex_dump(struct out *out, const u8 *bytes, int n)
{
	char hex[4];
	int i;

	n = min(max(n, 1), 64);
	for (i = 0; i < n; i++)
		put_bytes(out, hex,
			  (size_t)snprintf(hex, sizeof(hex), i ? " %02x" : "%02x", bytes[i]));
}

/* An address with its prefix, which the library leaves out before a zero. */
static void put_phys_addr(struct out *out, phys_addr_t addr, struct spec *spec)
{
	char text[2 + 16 + 1];

	snprintf(text, sizeof(text), "0x%016llx", (unsigned long long)addr);
	spec->precision = -1;
	PUT(out, spec, "s", text);
}

static void put_error(struct out *out, const void *ptr, struct spec *spec)
{
	const char *name = IS_ERR_VALUE(ptr) ? errname((int)(long)ptr) : NULL;

	if (name)
		put_string(out, name, spec);
	else if (IS_ERR_VALUE(ptr))
		PUT(out, spec, "ld", (long)ptr);
	else
		put_pointer(out, ptr, spec);
}

/*
 * @kind is what follows the p in the format.
 * Return: how many characters of the format belong to the conversion besides.
 */
static int put_kind(struct out *out, const void *ptr, char kind, struct spec *spec)
{
	char symbol[128];

	switch (kind) {
	case 'S':
	case 's':
		if (sprint_symbol(symbol, sizeof(symbol), (unsigned long)ptr, kind == 'S') > 0)
			put_string(out, symbol, spec);
		else
			put_pointer(out, ptr, spec);
		return 1;
	case 'a':
		put_phys_addr(out, *(const phys_addr_t *)ptr, spec);
		return 1;
	case 'e':
		put_error(out, ptr, spec);
		return 1;
	case 'h':
		put_hex_dump(out, ptr, spec->width);
		return 1;
	case 'x':
		put_pointer(out, ptr, spec);
		return 1;
	default:
		put_pointer(out, ptr, spec);
		return 0;
	}
}

/* Integers are handed on as long ones; what is too much for their type falls away here. */
static void put_integer(struct out *out, unsigned long value, char conversion, struct spec *spec)
{
	const char text[] = { 'l', conversion, '\0' };
	int shift = 64 - 8 * spec->size;

	value <<= shift;
	if (conversion == 'd' || conversion == 'i')
		value = (unsigned long)((long)value >> shift);
	else
		value >>= shift;
	PUT(out, spec, text, value);
}

static const char *parse_flags(const char *fmt, struct spec *spec)
{
	spec->end = spec->fmt;
	*spec->end++ = '%';
	for (; *fmt && strchr("-+ #0", *fmt); fmt++) {
		*spec->end = '\0';
		if (!strchr(spec->fmt, *fmt))
			*spec->end++ = *fmt;
	}
	*spec->end++ = '*';
	*spec->end++ = '.';
	*spec->end++ = '*';
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
	case 'L':
		spec->quad = true;
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

int vscnprintf(char *buf, size_t size, const char *fmt, va_list args)
{
	struct out out = { .buf = buf, .size = size };

	BUILD_BUG_ON(sizeof(long) != sizeof(u64) || sizeof(size_t) != sizeof(u64));

	if (!size)
		return 0;
	for (; *fmt; fmt++) {
		const char *start = fmt;
		struct spec spec = { .precision = -1, .size = sizeof(int) };
		char c;

		while (*fmt && *fmt != '%')
			fmt++;
		put_bytes(&out, start, (size_t)(fmt - start));
		if (!*fmt)
			break;

		start = fmt;
		fmt = parse_flags(fmt + 1, &spec);
		spec.width = max(min(NUMBER_OR_ARG(fmt, args), WIDTH_MAX), -WIDTH_MAX);
		if (*fmt == '.') {
			fmt++;
			spec.precision = NUMBER_OR_ARG(fmt, args);
		}
		fmt = parse_length(fmt, &spec);

		switch (*fmt) {
		case '%':
			put_bytes(&out, "%", 1);
			continue;
		case 'c':
			PUT(&out, &spec, "c", va_arg(args, int));
			continue;
		case 's':
			put_string(&out, va_arg(args, const char *), &spec);
			continue;
		case 'p':
			fmt += put_kind(&out, va_arg(args, const void *), fmt[1], &spec);
			continue;
		case 'd':
		case 'i':
		case 'u':
		case 'o':
		case 'x':
		case 'X':
			put_integer(&out,
				    spec.size == sizeof(long) ? va_arg(args, unsigned long)
							      : va_arg(args, unsigned int),
				    *fmt, &spec);
			continue;
		case 'a':
		case 'e':
		case 'f':
		case 'g':
		case 'A':
		case 'E':
		case 'F':
		case 'G':
			c = *fmt;
			if (spec.quad)
				PUT(&out, &spec, ((char[]){ 'L', c, '\0' }),
				    va_arg(args, long double));
			else
				PUT(&out, &spec, ((char[]){ c, '\0' }), va_arg(args, double));
			continue;
		default:
			/* Not known, and so neither are the arguments from here on. */
			put_bytes(&out, start, strlen(start));
			goto end;
		}
	}
end:
	buf[out.len] = '\0';
	return (int)min(out.len, (size_t)INT_MAX);
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
