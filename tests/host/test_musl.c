// SPDX-License-Identifier: MIT
/*
 * musl's own functions, built as the kernel has them but for the host, against the host's C
 * library. They are linked under names that begin with musl_.
 */
#include "lib.h"

#include <float.h>
#include <math.h>

#include <cmocka.h>

#include "guard.h"

int musl_snprintf(char *buf, size_t size, const char *fmt, ...);
int musl_sscanf(const char *text, const char *fmt, ...);
double musl_strtod(const char *s, char **end);
long musl_strtol(const char *s, char **end, int base);
unsigned long long musl_strtoull(const char *s, char **end, int base);
int *musl___errno_location(void);
void musl_qsort(void *base, size_t n, size_t size, int (*compare)(const void *, const void *));
void *musl_memcpy(void *dst, const void *src, size_t n);
void *musl_memmove(void *dst, const void *src, size_t n);
void *musl_memset(void *dst, int c, size_t n);
int musl_memcmp(const void *a, const void *b, size_t n);
void *musl_memchr(const void *s, int c, size_t n);
size_t musl_strlen(const char *s);
size_t musl_strnlen(const char *s, size_t max);
int musl_strcmp(const char *a, const char *b);
int musl_strncmp(const char *a, const char *b, size_t n);
char *musl_strchr(const char *s, int c);
char *musl_strrchr(const char *s, int c);
char *musl_strstr(const char *s, const char *what);

/* --- what the kernel is for it ---------------------------------------------------------------- */

extern void *const musl_libc_boot_thread;

void *musl_libc_thread(void)
{
	return musl_libc_boot_thread;
}

/* scanf() can allocate what it reads. */
void *musl_malloc(size_t size)
{
	return malloc(size);
}

void *musl_realloc(void *p, size_t size)
{
	return realloc(p, size);
}

void musl_free(void *p)
{
	free(p);
}

static int syscalls;

long musl_musl_syscall(long nr, long a, long b, long c, long d, long e, long f)
{
	(void)nr, (void)a, (void)b, (void)c, (void)d, (void)e, (void)f;
	syscalls++;
	return -ENOSYS;
}

/* --- formats ---------------------------------------------------------------------------------- */

/* One format, its arguments, both libraries: the same text and length. */
#define check_same(fmt, ...)                                                                       \
	do {                                                                                       \
		char host[1024], ours[1024];                                                       \
		int host_len = snprintf(host, sizeof(host), fmt, ##__VA_ARGS__);                   \
		int our_len = musl_snprintf(ours, sizeof(ours), fmt, ##__VA_ARGS__);               \
                                                                                                   \
		if (host_len != our_len || strcmp(host, ours)) {                                   \
			print_error("format \"%s\": host \"%s\" (%d), musl \"%s\" (%d)\n", fmt,    \
				    host, host_len, ours, our_len);                                \
			fail();                                                                    \
		}                                                                                  \
	} while (0)

static const char *const flag_sets[] = { "", "-", "0", "+", " ", "#", "-+#", "0+ #" };
static const char *const widths[] = { "", "1", "8", "23" };
static const char *const precisions[] = { "", ".0", ".1", ".9", ".25" };

/* Call @with for all flags, widths and precisions, with the beginning of a format. */
static void all_formats(void (*with)(const char *start))
{
	char start[32];

	for (size_t f = 0; f < ARRAY_SIZE(flag_sets); f++) {
		for (size_t w = 0; w < ARRAY_SIZE(widths); w++) {
			for (size_t p = 0; p < ARRAY_SIZE(precisions); p++) {
				snprintf(start, sizeof(start), "<%%%s%s%s", flag_sets[f], widths[w],
					 precisions[p]);
				with(start);
			}
		}
	}
}

static const uint64_t integers[] = {
	0,	    1,		9,	    10,
	0x7f,	    0x80,	0xff,	    0x8000,
	0x7fffffff, 0x80000000, 0xffffffff, 0x100000000,
	INT64_MAX,  INT64_MIN,	UINT64_MAX, 0x123456789abcdef0,
};

static void integers_with(const char *start)
{
	static const char *const lengths[] = { "hh", "h", "", "l", "ll", "z", "t", "j" };
	char fmt[64];

	for (const char *c = "diuxXo"; *c; c++) {
		for (size_t l = 0; l < ARRAY_SIZE(lengths); l++) {
			snprintf(fmt, sizeof(fmt), "%s%s%c>", start, lengths[l], *c);
			for (size_t i = 0; i < ARRAY_SIZE(integers); i++) {
				if (l < 3)
					check_same(fmt, (int)integers[i]);
				else
					check_same(fmt, integers[i]);
			}
		}
	}
}

static void musl_integers(void **state)
{
	(void)state;
	all_formats(integers_with);
}

static const double doubles[] = {
	0,
	-0.0,
	1,
	-1,
	0.1,
	0.5,
	1.5,
	2.5,
	3.5,
	0.25,
	1.0 / 3,
	-2.0 / 3,
	9.5,
	99.5,
	99999.25,
	1e5,
	1e6,
	1e-4,
	1e-5,
	123456789,
	1e15,
	1e16,
	1e22,
	1e23,
	1e100,
	-1e-100,
	DBL_MAX,
	DBL_MIN,
	DBL_EPSILON,
	4.9406564584124654e-324,
	INFINITY,
	-INFINITY,
	NAN,
	6.02214076e23,
	0.049999999999999996,
};

static void floats_with(const char *start)
{
	char fmt[64];

	for (const char *c = "fFeEgGaA"; *c; c++) {
		for (size_t i = 0; i < ARRAY_SIZE(doubles); i++) {
			bool hex = *c == 'a' || *c == 'A';

			/* How many bits stand before the point in hexadecimal is up to the library,
			 * and with a subnormal number or a long double both differ. */
			if (hex && fpclassify(doubles[i]) == FP_SUBNORMAL)
				continue;
			snprintf(fmt, sizeof(fmt), "%s%c>", start, *c);
			check_same(fmt, doubles[i]);
			if (hex)
				continue;
			snprintf(fmt, sizeof(fmt), "%sL%c>", start, *c);
			check_same(fmt, (long double)doubles[i]);
			check_same(fmt, (long double)doubles[i] / 3);
		}
	}
}

static void musl_floats(void **state)
{
	(void)state;
	all_formats(floats_with);
}

static void musl_texts(void **state)
{
	(void)state;
	check_same("[%s|%8s|%-8s|%.2s|%8.2s]", "word", "word", "word", "word", "word");
	check_same("[%c|%3c|%-3c|%%]", 'a', 'b', 'c');
	check_same("[%*.*d|%-*d]", 8, 3, 42, -6, 7);
	check_same("[%2$s %1$s]", "second", "first");
	errno = ENOENT;
	*musl___errno_location() = ENOENT;
	check_same("[%m]");
}

/* --- numbers ------------------------------------------------------------------------------------- */

static void musl_conversions(void **state)
{
	static const char *const texts[] = {
		"0",
		"-0",
		"1",
		"  42x",
		"+7",
		"-",
		"",
		"0x1f",
		"0X",
		"017",
		"9223372036854775807",
		"9223372036854775808",
		"-9223372036854775808",
		"-9223372036854775809",
		"18446744073709551615",
		"18446744073709551616",
		"zz",
		"1e5",
		"1.5",
		".5",
		"5.",
		"1e400",
		"-1e400",
		"1e-400",
		"4.9e-324",
		"2.4703282292062328e-324",
		"0x1.8p3",
		"inf",
		"-Infinity",
		"nan",
		"nan(1)",
		"1e",
		"1e+",
		"0.1",
		"0.30000000000000004",
		"9007199254740993",
		"179769313486231580793728971405301e276",
		"123456789012345678901234567890",
	};
	char *host_end, *our_end;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		double host, ours;

		for (int base = 0; base <= 36; base += base ? 1 : 2) {
			errno = *musl___errno_location() = 0;
			assert_true(musl_strtol(texts[i], &our_end, base) ==
				    strtol(texts[i], &host_end, base));
			assert_ptr_equal(our_end, host_end);
			assert_int_equal(*musl___errno_location() == ERANGE, errno == ERANGE);
			assert_true(musl_strtoull(texts[i], &our_end, base) ==
				    strtoull(texts[i], &host_end, base));
			assert_ptr_equal(our_end, host_end);
		}
		host = strtod(texts[i], &host_end);
		ours = musl_strtod(texts[i], &our_end);
		assert_true(host != host ? ours != ours : !memcmp(&host, &ours, sizeof(host)));
		assert_ptr_equal(our_end, host_end);
	}
}

static void musl_scans(void **state)
{
	char word[8];
	int a, b;
	double x;

	(void)state;
	assert_int_equal(musl_sscanf("12 word 2.5 0x1f", "%d %7s %lf %i", &a, word, &x, &b), 4);
	assert_true(a == 12 && !strcmp(word, "word") && x == 2.5 && b == 31);
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void musl_sorts(void **state)
{
	uint32_t host[500], ours[500], value = 1;

	(void)state;
	for (size_t n = 0; n <= ARRAY_SIZE(host); n += 25) {
		for (size_t i = 0; i < n; i++)
			host[i] = ours[i] = (value = value * 1664525 + 1013904223) >> 22;
		qsort(host, n, sizeof(host[0]), by_value);
		musl_qsort(ours, n, sizeof(ours[0]), by_value);
		assert_memory_equal(host, ours, n * sizeof(host[0]));
	}
}

/* --- memory and strings, at the end of what can be touched ---------------------------------------- */

#define SIZES	   100
#define ALIGNMENTS 9

static int sign(int value)
{
	return value < 0 ? -1 : value > 0;
}

/* Blocks of @n bytes that end @slack bytes before what cannot be touched. */
static void blocks_with(struct guarded a, struct guarded b, size_t n, size_t slack_a,
			size_t slack_b)
{
	char *dst = a.end - slack_a - n, *src = b.end - slack_b - n, expected[SIZES];

	for (size_t i = 0; i < n; i++)
		expected[i] = src[i] = (char)(i * 7 + n);
	dst[-1] = '~';
	assert_ptr_equal(musl_memset(dst, (int)n, n), dst);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(dst[i], (char)n);
	assert_ptr_equal(musl_memcpy(dst, src, n), dst);
	assert_memory_equal(dst, expected, n);
	assert_int_equal(dst[-1], '~');
	assert_int_equal(musl_memcmp(dst, src, n), 0);
	for (size_t i = 0; i < n; i += 5) {
		dst[i]++;
		assert_int_equal(sign(musl_memcmp(dst, src, n)), sign(memcmp(dst, src, n)));
		dst[i]--;
		assert_ptr_equal(musl_memchr(src, src[i], n), memchr(src, src[i], n));
	}
	assert_ptr_equal(musl_memchr(src, '~', n), memchr(src, '~', n));
	/* Over each other, by a few bytes in both directions */
	if (n > slack_b) {
		memmove(expected, src, n);
		memmove(expected + slack_b, expected, n - slack_b);
		musl_memmove(src + slack_b, src, n - slack_b);
		assert_memory_equal(src, expected, n);
		memmove(expected, expected + slack_b, n - slack_b);
		musl_memmove(src, src + slack_b, n - slack_b);
		assert_memory_equal(src, expected, n);
	}
}

static void strings_with(struct guarded a, struct guarded b, size_t n, size_t slack_a,
			 size_t slack_b)
{
	char *s = a.end - slack_a - n - 1, *t = b.end - slack_b - n - 1;

	for (size_t i = 0; i < n; i++)
		s[i] = t[i] = (char)('a' + i % 26);
	s[n] = t[n] = '\0';
	assert_int_equal(musl_strlen(s), n);
	assert_int_equal(musl_strnlen(s, n / 2), n / 2);
	assert_int_equal(musl_strnlen(s, SIZE_MAX), n);
	assert_int_equal(musl_strcmp(s, t), 0);
	assert_int_equal(musl_strncmp(s, t, n + 5), 0);
	for (int c = 'a' - 1; c <= 'z' + 1; c++) {
		assert_ptr_equal(musl_strchr(s, c), strchr(s, c));
		assert_ptr_equal(musl_strrchr(s, c), strrchr(s, c));
	}
	assert_ptr_equal(musl_strchr(s, 0), s + n);
	assert_ptr_equal(musl_strrchr(s, 0), s + n);
	assert_ptr_equal(musl_strstr(s, "xyzab"), strstr(s, "xyzab"));
	for (size_t i = 0; i < n; i += 7) {
		s[i] = (char)0xff;
		assert_int_equal(sign(musl_strcmp(s, t)), sign(strcmp(s, t)));
		assert_int_equal(sign(musl_strncmp(s, t, i)), 0);
		assert_int_equal(sign(musl_strncmp(s, t, i + 1)), sign(strncmp(s, t, i + 1)));
		s[i] = t[i];
	}
}

static void musl_memory(void **state)
{
	struct guarded a = guarded_alloc(2 * SIZES), b = guarded_alloc(2 * SIZES);

	(void)state;
	for (size_t n = 0; n < SIZES; n++) {
		for (size_t i = 0; i < ALIGNMENTS; i++) {
			for (size_t j = 0; j < ALIGNMENTS; j++) {
				blocks_with(a, b, n, i, j);
				strings_with(a, b, n, i, j);
			}
		}
	}
	guarded_free(a);
	guarded_free(b);
	/* None of all that wanted anything of a system. */
	assert_int_equal(syscalls, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(musl_integers), cmocka_unit_test(musl_floats),
		cmocka_unit_test(musl_texts),	 cmocka_unit_test(musl_conversions),
		cmocka_unit_test(musl_scans),	 cmocka_unit_test(musl_sorts),
		cmocka_unit_test(musl_memory),
	};

	return cmocka_run_group_tests_name("musl", tests, NULL, NULL);
}
