// SPDX-License-Identifier: MIT
/*
 * lib/vsprintf.c against the host's snprintf, and what the host's does not have. What lib/ makes
 * of a C library's vsnprintf(), the host's here, is to give the same.
 */
#include "lib.h"

#include <cmocka.h>

#include "guard.h"

int libc_scnprintf(char *buf, size_t size, const char *fmt, ...);

/* lib/vsprintf.c compiled without its options. */
int plain_snprintf(char *buf, size_t size, const char *fmt, ...);

/* The kernel's symbols, as far as these tests know them. */
int sprint_symbol(char *buf, size_t size, unsigned long addr, bool offset)
{
	unsigned long off = addr - 0x80200000UL;

	if (off >= 0x100)
		return 0;
	if (offset)
		return snprintf(buf, size, "start_kernel+0x%lx/0x100", off);
	return snprintf(buf, size, "start_kernel");
}

static void check_libc(const char *libc, int libc_len, const char *ours, int our_len,
		       const char *fmt)
{
	if (libc_len == our_len && !strcmp(libc, ours))
		return;
	print_error("format \"%s\": by a C library \"%s\" (%d), ahoy \"%s\" (%d)\n", fmt, libc,
		    libc_len, ours, our_len);
	fail();
}

/* One format, its arguments, both libraries: the same text and length. */
#define check_same(fmt, ...)                                                                       \
	do {                                                                                       \
		char host[512], ours[512];                                                         \
		int host_len = snprintf(host, sizeof(host), fmt, ##__VA_ARGS__);                   \
		int our_len = ahoy_snprintf(ours, sizeof(ours), fmt, ##__VA_ARGS__);               \
		char libc[512];                                                                    \
		int libc_len = libc_scnprintf(libc, sizeof(libc), fmt, ##__VA_ARGS__);             \
                                                                                                   \
		if (host_len != our_len || strcmp(host, ours)) {                                   \
			print_error("format \"%s\": host \"%s\" (%d), ahoy \"%s\" (%d)\n", fmt,    \
				    host, host_len, ours, our_len);                                \
			fail();                                                                    \
		}                                                                                  \
		check_libc(libc, libc_len, ours, our_len, fmt);                                    \
	} while (0)

/* The text that a format must give. */
#define check_text(expected, ...)                                                                  \
	do {                                                                                       \
		char text[512];                                                                    \
		int text_len = ahoy_snprintf(text, sizeof(text), __VA_ARGS__);                     \
		char libc[512];                                                                    \
		int libc_len = libc_scnprintf(libc, sizeof(libc), __VA_ARGS__);                    \
                                                                                                   \
		assert_string_equal(text, expected);                                               \
		assert_int_equal(text_len, strlen(expected));                                      \
		check_libc(libc, libc_len, text, text_len, #__VA_ARGS__);                          \
	} while (0)

static const uint64_t values[] = {
	0,
	1,
	7,
	8,
	9,
	10,
	42,
	0x7f,
	0x80,
	0xff,
	0x7fff,
	0x8000,
	0xdeadbeef,
	0x7fffffff,
	0x80000000,
	0xffffffff,
	0x100000000,
	0x123456789abcdef0,
	INT64_MAX,
	(uint64_t)INT64_MIN,
	UINT64_MAX - 1,
	UINT64_MAX,
};

static const char *const widths[] = { "", "1", "8", "23", "*" };
static const char *const precisions[] = { "", ".", ".0", ".1", ".9", ".25", ".*" };
static const char *const lengths[] = { "hh", "h", "", "l", "ll", "z", "t", "j" };

/* Flags by the bits of @set, in an order that is not the usual one. */
static void put_flags(char *out, unsigned int set)
{
	static const char flags[] = "0# +-";

	for (unsigned int i = 0; flags[i]; i++) {
		if (set & 1U << i)
			*out++ = flags[i];
	}
	*out = '\0';
}

static void check_integer(const char *fmt, bool wide, uint64_t value, bool star_width,
			  bool star_precision, int width, int precision)
{
	int narrow = (int)value;

	if (wide && star_width && star_precision)
		check_same(fmt, width, precision, value);
	else if (wide && star_width)
		check_same(fmt, width, value);
	else if (wide && star_precision)
		check_same(fmt, precision, value);
	else if (wide)
		check_same(fmt, value);
	else if (star_width && star_precision)
		check_same(fmt, width, precision, narrow);
	else if (star_width)
		check_same(fmt, width, narrow);
	else if (star_precision)
		check_same(fmt, precision, narrow);
	else
		check_same(fmt, narrow);
}

static void integers_with(char conversion)
{
	char fmt[64], flags[8];

	for (unsigned int set = 0; set < 32; set++) {
		put_flags(flags, set);
		for (size_t w = 0; w < ARRAY_SIZE(widths); w++) {
			for (size_t p = 0; p < ARRAY_SIZE(precisions); p++) {
				for (size_t l = 0; l < ARRAY_SIZE(lengths); l++) {
					bool wide = l >= 3;
					bool sw = widths[w][0] == '*';
					bool sp = precisions[p][0] && precisions[p][1] == '*';

					snprintf(fmt, sizeof(fmt), "<%%%s%s%s%s%c>", flags,
						 widths[w], precisions[p], lengths[l], conversion);
					for (size_t v = 0; v < ARRAY_SIZE(values); v++) {
						int n = (int)(v % 7) * 5 - 10;

						check_integer(fmt, wide, values[v], sw, sp, n, -n);
					}
				}
			}
		}
	}
}

static void integers(void **state)
{
	(void)state;
	for (const char *c = "diuxXo"; *c; c++)
		integers_with(*c);
}

static void strings(void **state)
{
	static const char *const words[] = { "", "a", "word", "many words" };
	static const char *const flags[] = { "", "-" };
	char fmt[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		for (size_t f = 0; f < ARRAY_SIZE(flags); f++) {
			for (int width = -1; width < 14; width++) {
				for (int precision = -1; precision < 14; precision++) {
					char digits[2][12] = { "", "" };

					if (width > 0)
						snprintf(digits[0], 12, "%d", width);
					if (precision >= 0)
						snprintf(digits[1], 12, ".%d", precision);
					snprintf(fmt, sizeof(fmt), "[%%%s%s%ss]", flags[f],
						 digits[0], digits[1]);
					check_same(fmt, words[i]);
					check_same("[%*.*s]", width, precision, words[i]);
				}
			}
		}
	}
}

static void string_with_precision_needs_no_nul(void **state)
{
	struct guarded g = guarded_alloc(16);

	(void)state;
	memcpy(g.end - 4, "text", 4);
	check_text("text", "%.4s", g.end - 4);
	check_text("  text", "%6.*s", 4, g.end - 4);
	guarded_free(g);
}

/* Not constants, which the compiler would rightly object to. */
static volatile int int_min = INT_MIN, int_max = INT_MAX;
static const char *volatile null_string;
static const char *volatile page_zero = (const char *)16;
static const char *volatile error = (const char *)-ENOMEM;

static void strings_that_are_none(void **state)
{
	(void)state;
	check_text("(null)", "%s", null_string);
	check_text("  (null)", "%8s", null_string);
	check_text("(nu", "%.3s", null_string);
	check_text("(efault)", "%s", page_zero);
	check_text("(efault)", "%s", error);
}

static void characters(void **state)
{
	char text[8];

	(void)state;
	for (int c = 1; c < 256; c++) {
		check_same("%c", c);
		check_same("[%3c]", c);
		check_same("[%-3c]", c);
	}
	assert_int_equal(ahoy_snprintf(text, sizeof(text), "a%cb", 0), 3);
	assert_memory_equal(text, "a\0b", 4);
	check_same("100%%");
	check_same("%%%d%%", 5);
}

/* Every size of buffer: what fits is there, a NUL ends it, and no byte more is written. */
static void sizes(void **state)
{
	struct guarded g = guarded_alloc(64);
	const char *whole = "x=+0042 name=abc   0xff%";
	const char *fmt = "x=%+05d name=%-5.3s %#x%%";
	int len = (int)strlen(whole);

	(void)state;
	for (size_t size = 0; size < 40; size++) {
		char *buf = g.end - size;
		int in_buf = size ? min(len, (int)size - 1) : 0;

		memset(g.start, '~', (size_t)(g.end - g.start));
		assert_int_equal(ahoy_snprintf(buf, size, fmt, 42, "abcdef", 255), len);
		if (size) {
			assert_memory_equal(buf, whole, in_buf);
			assert_int_equal(buf[in_buf], '\0');
			for (char *p = buf + in_buf + 1; p < g.end; p++)
				assert_int_equal(*p, '~');
		}
		assert_int_equal(buf[-1], '~');
		assert_int_equal(ahoy_scnprintf(buf, size, fmt, 42, "abcdef", 255), in_buf);
		if (size)
			buf[in_buf] = '~';
		assert_int_equal(libc_scnprintf(buf, size, fmt, 42, "abcdef", 255), in_buf);
		if (size) {
			assert_memory_equal(buf, whole, in_buf);
			assert_int_equal(buf[in_buf], '\0');
		}
	}
	assert_int_equal(ahoy_snprintf(NULL, 0, fmt, 42, "abcdef", 255), len);
	assert_int_equal(ahoy_scnprintf(NULL, 0, fmt, 42, "abcdef", 255), 0);
	guarded_free(g);
}

static void pointers(void **state)
{
	void *p = (void *)0x80200010;

	(void)state;
	check_text("0000000080200010", "%p", p);
	check_text("0000000080200010", "%px", p);
	check_text("0000000000000000", "%p", null_string);
	check_text("[    0000000080200010]", "[%20p]", p);
	check_text("[0000000080200010    ]", "[%-20p]", p);
	check_text("ffffffffffffffff", "%p", (void *)-1L);
	/* a letter that is no kind is text */
	check_text("0000000080200010Z", "%pZ", p);
}

static void symbols(void **state)
{
	char text[64];
	void *known = (void *)0x80200010, *unknown = (void *)0x1234;

	(void)state;
	check_text("start_kernel+0x10/0x100", "%pS", known);
	check_text("start_kernel", "%ps", known);
	check_text("[    start_kernel]", "[%16ps]", known);
	check_text("[start_kernel    ]", "[%-16ps]", known);
	check_text("0000000000001234", "%pS", unknown);
	check_text("0000000000001234 ", "%ps ", unknown);

	assert_int_equal(plain_snprintf(text, sizeof(text), "%pS|%ps|", known, known), 34);
	assert_string_equal(text, "0000000080200010|0000000080200010|");
}

static void physical_addresses(void **state)
{
	phys_addr_t low = 0x80200000, zero = 0, high = U64_MAX;

	(void)state;
	check_text("0x0000000080200000", "%pa", &low);
	check_text("0x0000000000000000", "%pa", &zero);
	check_text("0xffffffffffffffff.", "%pa.", &high);
	check_text("[  0x0000000080200000]", "[%20pa]", &low);
}

static void errors(void **state)
{
	char text[64];

	(void)state;
	check_text("-ENOMEM", "%pe", (void *)-ENOMEM);
	check_text("-EPERM,", "%pe,", (void *)-EPERM);
	check_text("[   -EINVAL]", "[%10pe]", (void *)-EINVAL);
	check_text("-4095", "%pe", (void *)-4095L);
	check_text("0000000000000000", "%pe", null_string);
	check_text("0000000080200000", "%pe", (void *)0x80200000);

	plain_snprintf(text, sizeof(text), "%pe", (void *)-ENOMEM);
	assert_string_equal(text, "-12");
}

static void error_names(void **state)
{
	int named = 0;

	(void)state;
	assert_string_equal(errname(-EINVAL), "-EINVAL");
	assert_string_equal(errname(EINVAL), "EINVAL");
	assert_string_equal(errname(-EOPNOTSUPP), "-EOPNOTSUPP");
	assert_null(errname(0));
	assert_null(errname(INT_MIN));
	for (int err = 1; err < 4096; err++) {
		const char *name = errname(-err);

		if (!name)
			continue;
		named++;
		/* the host has the same numbers, if other words for them */
		assert_non_null(strerror(err));
		assert_int_equal(name[0], '-');
		assert_string_equal(errname(err), name + 1);
	}
	assert_int_equal(named, 21);
}

static void hex_dumps(void **state)
{
	struct guarded g = guarded_alloc(64);
	u8 *bytes = (u8 *)g.end - 64;
	char long_text[64 * 3 + 1];

	(void)state;
	for (int i = 0; i < 64; i++) {
		bytes[i] = (u8)(i * 5);
		snprintf(long_text + (ptrdiff_t)3 * i, 4, "%02x ", bytes[i]);
	}
	long_text[sizeof(long_text) - 2] = '\0';
	check_text("00", "%ph", bytes);
	check_text("00 05 0a 0f", "%*ph", 4, bytes);
	check_text("00 05 0a|", "%3ph|", bytes);
	check_text(long_text, "%64ph", bytes);
	/* not more than 64 */
	check_text(long_text, "%*ph", 1000, bytes);
	guarded_free(g);
}

/* Made at run time, so that the compiler does not object. */
static const char *conversion(const char *what)
{
	static char fmt[32];

	snprintf(fmt, sizeof(fmt), "a %%d %%%s %%s z", what);
	return fmt;
}

static void unknown_conversions_are_printed(void **state)
{
	static const char *const unknown[] = { "n", "hhn", "f", "5.2f", "e",   "a",
					       "S", "m",   "V", "q",	"ld?", "k" };
	int target = 1234;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++) {
		const char *fmt = conversion(unknown[i]);
		char expected[64], text[64];

		/* ld? is a known conversion and a question mark */
		if (!strcmp(unknown[i], "ld?"))
			continue;
		snprintf(expected, sizeof(expected), "a 7 %s", strchr(strchr(fmt, '%') + 1, '%'));
		ahoy_snprintf(text, sizeof(text), fmt, 7, &target, "not reached");
		assert_string_equal(text, expected);
	}
	/* %n wrote nothing */
	assert_int_equal(target, 1234);
}

static void formats_that_end_early(void **state)
{
	static const char *const early[] = {
		"%", "abc%", "%-", "%5", "%.", "%.3", "%l", "%hh", "%0"
	};
	char text[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(early); i++) {
		const char *volatile fmt = early[i];

		assert_int_equal(ahoy_snprintf(text, sizeof(text), fmt), strlen(fmt));
		assert_string_equal(text, fmt);
	}
}

/* Widths that would take for ever, or overflow. */
static void absurd_widths(void **state)
{
	static const char *const absurd[] = { "%999999999999999999999d", "%-99999999s",
					      "%.2147483648d", "%0999999999x" };
	char text[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(absurd); i++) {
		const char *volatile fmt = absurd[i];
		int len = i == 1 ? ahoy_snprintf(text, sizeof(text), fmt, "s")
				 : ahoy_snprintf(text, sizeof(text), fmt, 5);

		assert_in_range(len, 32767, 32767 + 20);
	}
	ahoy_snprintf(text, sizeof(text), "%*d", int_min, 5);
	assert_int_equal(text[0], '5');
	ahoy_snprintf(text, sizeof(text), "%*d", int_max, 5);
	assert_int_equal(text[0], ' ');
	ahoy_snprintf(text, sizeof(text), "%.*d", int_max, 5);
	assert_int_equal(text[0], '0');
	check_text("5", "%.*d", int_min, 5);
	check_text("s", "%.*s", int_min, "s");
	check_text("s", "%.*s", int_max, "s");
}

/* Which the C library knows, and lib/ does not. */
static void floating_point_by_a_c_library(void **state)
{
	static const double values[] = { 0, -0.0, 1, 0.1, 2.5, -1e300, 1e-300 };
	char host[512], libc[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		double x = values[i];

		snprintf(host, sizeof(host), "%f|%-20.3e|%+g|%A|%.*f|%lf", x, x, x, x, 3, x, x);
		libc_scnprintf(libc, sizeof(libc), "%f|%-20.3e|%+g|%A|%.*f|%lf", x, x, x, x, 3, x,
			       x);
		assert_string_equal(libc, host);
		snprintf(host, sizeof(host), "%Lf|%.3Le|%s", (long double)x, (long double)x,
			 "next");
		libc_scnprintf(libc, sizeof(libc), "%Lf|%.3Le|%s", (long double)x, (long double)x,
			       "next");
		assert_string_equal(libc, host);
	}
	ahoy_scnprintf(libc, sizeof(libc), "%d %f", 1, 2.0);
	assert_string_equal(libc, "1 %f");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(floating_point_by_a_c_library),
		cmocka_unit_test(integers),
		cmocka_unit_test(strings),
		cmocka_unit_test(string_with_precision_needs_no_nul),
		cmocka_unit_test(strings_that_are_none),
		cmocka_unit_test(characters),
		cmocka_unit_test(sizes),
		cmocka_unit_test(pointers),
		cmocka_unit_test(symbols),
		cmocka_unit_test(physical_addresses),
		cmocka_unit_test(errors),
		cmocka_unit_test(error_names),
		cmocka_unit_test(hex_dumps),
		cmocka_unit_test(unknown_conversions_are_printed),
		cmocka_unit_test(formats_that_end_early),
		cmocka_unit_test(absurd_widths),
	};

	return cmocka_run_group_tests_name("vsnprintf", tests, NULL, NULL);
}
