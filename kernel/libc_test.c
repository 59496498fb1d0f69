// SPDX-License-Identifier: MIT
/*
 * musl as the kernel's C library: its functions give what the kernel's own do, and its idea of
 * a system is met.
 */
#include <ahoy/compiler.h>
#include <ahoy/errno.h>
#include <ahoy/kstrtox.h>
#include <ahoy/ktest.h>
#include <ahoy/libc.h>
#include <ahoy/printf.h>
#include <ahoy/string.h>
#include <ahoy/time.h>

/* The kernel's own, of lib/own_libc.c */
extern __typeof__(memchr) own_memchr;
extern __typeof__(memcmp) own_memcmp;
extern __typeof__(memcpy) own_memcpy;
extern __typeof__(memmove) own_memmove;
extern __typeof__(memset) own_memset;
extern __typeof__(parse_digits) own_parse_digits;
extern __typeof__(scnprintf) own_scnprintf;
extern __typeof__(snprintf) own_snprintf;
extern __typeof__(strchr) own_strchr;
extern __typeof__(strcmp) own_strcmp;
extern __typeof__(strlen) own_strlen;
extern __typeof__(strncmp) own_strncmp;
extern __typeof__(strnlen) own_strnlen;
extern __typeof__(strrchr) own_strrchr;

/* What is called of musl besides, as its own headers have it */
typedef struct musl_file FILE;
FILE *fopen(const char *path, const char *mode);
double strtod(const char *s, char **end);
double sqrt(double x);
int nanosleep(const s64 *time, s64 *left);
int clock_gettime(int clock, s64 *time);

#define errno (*__errno_location())

/* --- formats ---------------------------------------------------------------------------------- */

static const char *const flag_sets[] = { "", "-", "0", "+", " ", "#", "-+#", "0+ #" };
static const char *const widths[] = { "", "1", "8", "*" };
static const char *const precisions[] = { "", ".0", ".9", ".*" };
static const char *const lengths[] = { "hh", "h", "", "l", "ll", "z", "t", "j" };
static const unsigned long integers[] = {
	0, 1, 9, 10, 0x80, 0x7fff, 0xffffffff, 1UL << 63, ~0UL, 0x123456789abcdef0,
};

static char ours[128], theirs[128];
static unsigned long compared;

/* Two results with the same arguments: the same text, the same length */
static bool same(int len, int own_len)
{
	compared++;
	if (len == own_len && !strcmp(theirs, ours))
		return true;
	pr_err("libc: musl \"%s\" (%d), own \"%s\" (%d)\n", theirs, len, ours, own_len);
	return false;
}

#define SAME(fmt, ...)                                                                             \
	same(snprintf(theirs, sizeof(theirs), fmt, ##__VA_ARGS__),                                 \
	     own_snprintf(ours, sizeof(ours), fmt, ##__VA_ARGS__))

static bool same_integer(const char *fmt, bool width, bool precision, unsigned long value)
{
	if (width && precision)
		return SAME(fmt, (int)(value % 30) - 15, 12, value);
	if (width)
		return SAME(fmt, (int)(value % 30) - 15, value);
	if (precision)
		return SAME(fmt, (int)(value % 30) - 15, value);
	return SAME(fmt, value);
}

static bool same_integers(const char *fmt, bool width, bool precision)
{
	bool all = true;

	for (unsigned int i = 0; i < ARRAY_SIZE(integers); i++)
		all &= same_integer(fmt, width, precision, integers[i]);
	return all;
}

KTEST(libc, integers)
{
	char fmt[32];

	compared = 0;
	for (unsigned int i = 0; i < ARRAY_SIZE(flag_sets) * ARRAY_SIZE(widths) *
					     ARRAY_SIZE(precisions) * ARRAY_SIZE(lengths) * 6;
	     i++) {
		unsigned int n = i;
		char conversion = "diouxX"[n % 6];
		const char *length = lengths[(n /= 6) % ARRAY_SIZE(lengths)];
		const char *width = widths[(n /= ARRAY_SIZE(lengths)) % ARRAY_SIZE(widths)];
		const char *precision =
			precisions[(n /= ARRAY_SIZE(widths)) % ARRAY_SIZE(precisions)];
		const char *flags = flag_sets[n / ARRAY_SIZE(precisions)];

		own_snprintf(fmt, sizeof(fmt), "<%%%s%s%s%s%c>", flags, width, precision, length,
			     conversion);
		KTEST_ASSERT(
			same_integers(fmt, *width == '*', precision[0] && precision[1] == '*'));
	}
	KTEST_EXPECT(compared == 8UL * 4 * 4 * 8 * 6 * ARRAY_SIZE(integers));
}

KTEST(libc, texts)
{
	static const char *volatile none;

	for (int width = -9; width < 10; width++) {
		for (int precision = -1; precision < 6; precision++) {
			KTEST_ASSERT(SAME("[%*.*s]", width, precision, "word"));
			KTEST_ASSERT(SAME("[%*.*s]", width, precision, ""));
			KTEST_ASSERT(SAME("[%*c]", width, 'c'));
		}
	}
	KTEST_EXPECT(SAME("%s%%", none));
	/* What is cut off is counted. */
	for (size_t size = 0; size < 12; size++) {
		int len = snprintf(theirs, size, "%d %s", 12345, "words");

		KTEST_EXPECT(len == own_snprintf(ours, size, "%d %s", 12345, "words"));
		KTEST_EXPECT(!size || !strcmp(theirs, ours));
	}
}

/* The kernel's own kinds of formats are the same with either. */
KTEST(libc, kinds)
{
	/* The compiler would object to some of them. */
	static const char *volatile fmt = "%p %px %pa %pe %pe|%20pS|%3ph|%.3p|%s %s %n %d";
	phys_addr_t addr = 0x80200000;
	void *none = NULL, *no_memory = (void *)-ENOMEM, *no_error = (void *)-4000L;

	KTEST_EXPECT(same(scnprintf(theirs, sizeof(theirs), fmt, ours, none, &addr, no_memory,
				    no_error, same, &addr, ours, none, (void *)8, &addr, 1),
			  own_scnprintf(ours, sizeof(ours), fmt, ours, none, &addr, no_memory,
					no_error, same, &addr, ours, none, (void *)8, &addr, 1)));
}

static bool prints(const char *expected, const char *fmt, double value)
{
	snprintf(theirs, sizeof(theirs), fmt, value);
	if (!strcmp(theirs, expected))
		return true;
	pr_err("libc: \"%s\" gives \"%s\", not \"%s\"\n", fmt, theirs, expected);
	return false;
}

/* Without a register of the FPU, which is off. */
KTEST(libc, floating_point)
{
	static volatile double tenth = 0.1, fifth = 0.2, three = 3, zero;
	char *end;

	KTEST_EXPECT(prints("0.100000", "%f", tenth));
	KTEST_EXPECT(prints("0.1000000000000000055511151231257827021181583404541015625", "%.55f",
			    tenth));
	KTEST_EXPECT(prints("0.30000000000000004", "%.17g", tenth + fifth));
	KTEST_EXPECT(prints("3.33333e+09", "%g", 1e10 / three));
	KTEST_EXPECT(prints("-1.5e+00", "%.1e", -three / 2));
	KTEST_EXPECT(prints("0x1.8p+1", "%a", three));
	KTEST_EXPECT(prints("inf", "%f", three / zero));
	KTEST_EXPECT(prints("1.73205080756888", "%.15g", sqrt(three)));
	KTEST_EXPECT(prints("4.94066e-324", "%g", strtod("4.9406564584124654e-324", &end)));
	KTEST_EXPECT(strtod("179769313486231570814527423731704356798070e267", &end) >
		     1.7976931e308);
	snprintf(theirs, sizeof(theirs), "%.36Lg %Lf", 1.0L / 3, (long double)three);
	KTEST_EXPECT(!strcmp(theirs, "0.333333333333333333333333333333333317 3.000000"));
	scnprintf(theirs, sizeof(theirs), "%.2f %s", three, "next");
	KTEST_EXPECT(!strcmp(theirs, "3.00 next"));
}

/* --- memory, strings, numbers ----------------------------------------------------------------- */

static int sign(int value)
{
	return value < 0 ? -1 : value > 0;
}

#define SIZES	   72
#define ALIGNMENTS 8

/* A buffer, of which both libraries get the same bytes and so must make the same ones. */
struct pair {
	u8 musl[2 * SIZES], own[2 * SIZES];
};

static struct pair from, to;

static void fill(struct pair *pair, unsigned int seed)
{
	for (unsigned int i = 0; i < sizeof(pair->musl); i++)
		pair->musl[i] = pair->own[i] = (u8)(i * seed + 1);
}

static bool alike(const struct pair *pair)
{
	return !own_memcmp(pair->musl, pair->own, sizeof(pair->musl));
}

static bool memory_is_same(size_t n, unsigned int i, unsigned int j)
{
	bool all = true;

	fill(&from, 7);
	fill(&to, 3);
	all &= memcpy(to.musl + i, from.musl + j, n) == to.musl + i;
	own_memcpy(to.own + i, from.own + j, n);
	all &= alike(&to) && alike(&from);
	all &= memmove(from.musl + i, from.musl + j, n) == from.musl + i;
	own_memmove(from.own + i, from.own + j, n);
	all &= alike(&from);
	all &= memset(to.musl + j, (int)n + 256, n) == to.musl + j;
	own_memset(to.own + j, (int)n + 256, n);
	all &= alike(&to);
	all &= sign(memcmp(to.musl + i, from.musl + j, n)) ==
	       sign(own_memcmp(to.musl + i, from.musl + j, n));
	all &= !memcmp(to.musl + i, to.own + i, n);
	all &= memchr(from.musl + i, (int)n + 256, n) == own_memchr(from.musl + i, (int)n + 256, n);
	return all;
}

KTEST(libc, memory)
{
	for (size_t n = 0; n < SIZES; n++)
		for (unsigned int i = 0; i < ALIGNMENTS * ALIGNMENTS; i++)
			KTEST_ASSERT(memory_is_same(n, i / ALIGNMENTS, i % ALIGNMENTS));
}

static bool strings_are_same(size_t n, char *a, char *b)
{
	bool all = true;

	for (size_t i = 0; i < n; i++)
		a[i] = b[i] = (char)(0x81 + i % 5 * 23);
	a[n] = b[n] = '\0';
	if (n > 2)
		b[n - 2] ^= 0x80;
	all &= strlen(a) == own_strlen(a) && strnlen(a, n / 2) == own_strnlen(a, n / 2);
	all &= sign(strcmp(a, b)) == sign(own_strcmp(a, b));
	all &= sign(strcmp(b, a)) == sign(own_strcmp(b, a));
	all &= sign(strncmp(a, b, n / 2)) == sign(own_strncmp(a, b, n / 2));
	all &= sign(strncmp(a, b, n + 1)) == sign(own_strncmp(a, b, n + 1));
	for (int c = 0x81; c < 0x100; c += 23)
		all &= strchr(a, c) == own_strchr(a, c) && strrchr(a, c) == own_strrchr(a, c);
	all &= strchr(a, 0) == own_strchr(a, 0) && strrchr(a, 0) == own_strrchr(a, 0);
	return all;
}

KTEST(libc, strings)
{
	for (size_t n = 0; n < SIZES; n++)
		for (unsigned int i = 0; i < ALIGNMENTS * ALIGNMENTS; i++)
			KTEST_ASSERT(strings_are_same(n, (char *)to.musl + i / ALIGNMENTS,
						      (char *)from.musl + i % ALIGNMENTS));
}

KTEST(libc, digits)
{
	static const char *const text[] = { "",
					    "0",
					    "0x1f",
					    "19f",
					    "+1",
					    " 1",
					    "18446744073709551615",
					    "18446744073709551616,",
					    "zz" };

	for (unsigned int i = 0; i < ARRAY_SIZE(text); i++) {
		for (unsigned int base = 2; base <= 16; base++) {
			const char *end, *own_end;
			u64 value, own_value;

			KTEST_EXPECT(parse_digits(text[i], base, &value, &end) ==
				     own_parse_digits(text[i], base, &own_value, &own_end));
			KTEST_EXPECT(value == own_value && end == own_end);
		}
	}
}

/* --- what musl wants of a system --------------------------------------------------------------- */

/* The report of it, where that is configured, comes once. */
KTEST(libc, refused)
{
	errno = 0;
	KTEST_EXPECT(!fopen("/etc/motd", "r") && errno == ENOSYS);
	errno = 0;
	KTEST_EXPECT(!fopen("/etc/motd", "r") && errno == ENOSYS);
}

#ifdef CONFIG_TIME
KTEST(libc, time)
{
	s64 time[2], pause[2] = { 0, 2000000 };
	u64 before = time_now(), then;

	KTEST_ASSERT(!clock_gettime(1, time));
	then = (u64)time[0] * NSEC_PER_SEC + (u64)time[1];
	KTEST_EXPECT(before <= then && then <= time_now());
	KTEST_EXPECT(!nanosleep(pause, NULL));
	KTEST_EXPECT(time_now() - then >= 2000000);
	errno = 0;
	KTEST_EXPECT(clock_gettime(99, time) == -1 && errno == EINVAL);
	pause[1] = -1;
	KTEST_EXPECT(nanosleep(pause, NULL) == -1 && errno == EINVAL);
}
#endif
