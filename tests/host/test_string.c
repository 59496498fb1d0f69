// SPDX-License-Identifier: MIT
/*
 * lib/string.c against the host's, over sizes and alignments, in buffers that
 * begin or end at pages that cannot be touched.
 */
#include "lib.h"

#include <cmocka.h>

#include "guard.h"

/* Beyond every unrolled loop and its remainders. */
#define MAX_SIZE 200
#define SPAN	 512

static struct guarded a, b, c;

static int setup(void **state)
{
	(void)state;
	a = guarded_alloc(4096);
	b = guarded_alloc(4096);
	c = guarded_alloc(4096);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	guarded_free(a);
	guarded_free(b);
	guarded_free(c);
	return 0;
}

/* Bytes that tell their place, none of them zero. */
static void fill(char *p, size_t n, unsigned int seed)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (char)((i * 37 + seed * 11) % 255 + 1);
}

static int sign(int x)
{
	return (x > 0) - (x < 0);
}

/* Copies from @src to @dst + @at in a field of SPAN bytes; nothing else may change. */
static void check_memcpy(char *dst, const char *src, size_t at, size_t n)
{
	char *expected = c.start;

	fill(dst, SPAN, 1);
	fill(expected, SPAN, 1);
	memcpy(expected + at, src, n);
	assert_ptr_equal(ahoy_memcpy(dst + at, src, n), dst + at);
	assert_memory_equal(dst, expected, SPAN);
}

static void memcpy_sizes_and_alignments(void **state)
{
	(void)state;
	fill(a.start, 4096, 2);
	for (size_t n = 0; n <= MAX_SIZE; n++) {
		for (size_t d = 0; d < 9; d++) {
			for (size_t s = 0; s < 9; s++) {
				/* source ends at the guard, then begins there */
				check_memcpy(b.start, a.end - n - s, d, n);
				check_memcpy(b.end - SPAN, a.start + s, SPAN - n - d, n);
			}
		}
	}
}

static void memmove_overlaps(void **state)
{
	(void)state;
	for (size_t n = 0; n <= MAX_SIZE; n += n < 80 ? 1 : 7) {
		for (size_t from = 0; from < 8; from++) {
			for (size_t to = 0; to <= 100; to++) {
				char *x = a.end - SPAN, *y = b.end - SPAN;
				/* both ways, up to the guard */
				size_t src = from + (SPAN - n - 110), dst = to + (SPAN - n - 100);

				fill(x, SPAN, 3);
				fill(y, SPAN, 3);
				memmove(x + dst, x + src, n);
				assert_ptr_equal(ahoy_memmove(y + dst, y + src, n), y + dst);
				assert_memory_equal(x, y, SPAN);
				memmove(x + src, x + dst, n);
				ahoy_memmove(y + src, y + dst, n);
				assert_memory_equal(x, y, SPAN);
			}
		}
	}
}

static void memset_sizes_and_alignments(void **state)
{
	static const int bytes[] = { 0, 1, 0x7f, 0x80, 0xff, 0x1234, -2 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bytes); i++) {
		for (size_t n = 0; n <= MAX_SIZE; n++) {
			for (size_t at = 0; at < 9; at++) {
				char *x = a.end - SPAN, *y = b.end - SPAN;

				fill(x, SPAN, 4);
				fill(y, SPAN, 4);
				memset(x + SPAN - n - at, bytes[i], n);
				assert_ptr_equal(ahoy_memset(y + SPAN - n - at, bytes[i], n),
						 y + SPAN - n - at);
				assert_memory_equal(x, y, SPAN);
			}
		}
	}
}

static void memcmp_differences(void **state)
{
	(void)state;
	for (size_t n = 0; n <= 40; n++) {
		for (size_t s = 0; s < 9; s++) {
			char *x = a.end - n, *y = b.end - n - s;

			fill(a.start, 4096, 0);
			memcpy(y, x, n);
			assert_int_equal(ahoy_memcmp(x, y, n), 0);
			for (size_t at = 0; at < n; at++) {
				char old = y[at];

				for (int delta = 1; delta < 256; delta += 127) {
					y[at] = (char)(old + delta);
					assert_int_equal(sign(ahoy_memcmp(x, y, n)),
							 sign(memcmp(x, y, n)));
					/* what comes before does not see it */
					assert_int_equal(ahoy_memcmp(x, y, at), 0);
				}
				y[at] = old;
			}
		}
	}
}

static void memchr_finds_the_first(void **state)
{
	(void)state;
	for (size_t n = 0; n < 64; n++) {
		char *x = a.end - n;

		memset(a.start, 'x', 4096);
		assert_null(ahoy_memchr(x, 'y', n));
		assert_ptr_equal(ahoy_memchr(x, 'x', n), n ? x : NULL);
		for (size_t at = 0; at < n; at++) {
			x[at] = (char)0xf0;
			assert_ptr_equal(ahoy_memchr(x, 0xf0, n), x + at);
			assert_ptr_equal(ahoy_memchr(x, 0x1f0, n), x + at);
			assert_ptr_equal(ahoy_memchr(x, -16, n), x + at);
			assert_null(ahoy_memchr(x, 0xf0, at));
			x[at] = 'x';
		}
	}
}

static void strlen_and_strnlen(void **state)
{
	(void)state;
	for (size_t n = 0; n < 100; n++) {
		char *x = a.end - n - 1;

		fill(a.start, 4096, 5);
		x[n] = '\0';
		assert_int_equal(ahoy_strlen(x), n);
		for (size_t max = 0; max < 120; max++)
			assert_int_equal(ahoy_strnlen(x, max), strnlen(x, max));
		assert_int_equal(ahoy_strnlen(x, SIZE_MAX), n);
		/* without a NUL, up to the guard */
		x[n] = 'x';
		assert_int_equal(ahoy_strnlen(x, n + 1), n + 1);
	}
}

static const char *const texts[] = {
	"",    "a",    "b",    "ab",   "aa",	"abc",	 "abd",	      "abcdefgh",
	"A",   "\x7f", "\x80", "\xff", "a\x80", "a\x7f", "abcdefghi", "abcdefghj",
	"a/b", "/a",   "a/",   "//",   "=",	"a=b=c", "serial@",   "serial@1000",
};

static void strcmp_and_strncmp(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(texts); j++) {
			char *x = a.end - strlen(texts[i]) - 1, *y = b.end - strlen(texts[j]) - 1;

			strcpy(x, texts[i]);
			strcpy(y, texts[j]);
			assert_int_equal(sign(ahoy_strcmp(x, y)), sign(strcmp(x, y)));
			for (size_t n = 0; n < 14; n++)
				assert_int_equal(sign(ahoy_strncmp(x, y, n)),
						 sign(strncmp(x, y, n)));
			assert_int_equal(sign(ahoy_strncmp(x, y, SIZE_MAX)), sign(strcmp(x, y)));
		}
	}
}

static void strncmp_needs_no_nul(void **state)
{
	(void)state;
	memcpy(a.end - 3, "abc", 3);
	memcpy(b.end - 3, "abc", 3);
	assert_int_equal(ahoy_strncmp(a.end - 3, b.end - 3, 3), 0);
}

static void strchr_and_strrchr(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		char *x = a.end - strlen(texts[i]) - 1;

		strcpy(x, texts[i]);
		for (int ch = -128; ch < 512; ch++) {
			assert_ptr_equal(ahoy_strchr(x, ch), strchr(x, ch));
			assert_ptr_equal(ahoy_strrchr(x, ch), strrchr(x, ch));
		}
	}
}

static void strscpy_cuts_and_terminates(void **state)
{
	(void)state;
	for (size_t len = 0; len < 20; len++) {
		for (size_t size = 0; size < 24; size++) {
			/* of the source no more than size bytes may be read */
			size_t readable = min(len + 1, size);
			char *src = a.end - readable, *dst = b.end - size;
			bool fits = len < size;
			char whole[24];

			fill(whole, sizeof(whole), 6);
			whole[len] = '\0';
			memcpy(src, whole, readable);
			fill(b.start, 4096, 7);
			assert_int_equal(ahoy_strscpy(dst, src, size), fits ? (long)len : -E2BIG);
			if (!size)
				continue;
			assert_int_equal(strlen(dst), fits ? len : size - 1);
			assert_memory_equal(dst, whole, strlen(dst));
			/* behind the NUL nothing has changed */
			fill(c.start, 4096, 7);
			for (size_t i = strlen(dst) + 1; i < size; i++)
				assert_int_equal(dst[i], c.end[(long)i - (long)size]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memcpy_sizes_and_alignments),
		cmocka_unit_test(memmove_overlaps),
		cmocka_unit_test(memset_sizes_and_alignments),
		cmocka_unit_test(memcmp_differences),
		cmocka_unit_test(memchr_finds_the_first),
		cmocka_unit_test(strlen_and_strnlen),
		cmocka_unit_test(strcmp_and_strncmp),
		cmocka_unit_test(strncmp_needs_no_nul),
		cmocka_unit_test(strchr_and_strrchr),
		cmocka_unit_test(strscpy_cuts_and_terminates),
	};

	return cmocka_run_group_tests_name("string", tests, setup, teardown);
}
