// SPDX-License-Identifier: MIT
/* lib/kstrtox.c: against tables, and against the host's strtoull and strtoll. */
#include "lib.h"

#include <cmocka.h>

static const struct {
	const char *text;
	unsigned int base;
	int err;
	unsigned long long value;
} unsigned_rows[] = {
	{ "0", 0, 0, 0 },
	{ "1", 10, 0, 1 },
	{ "+1", 10, 0, 1 },
	{ "42\n", 10, 0, 42 },
	{ "0x1F", 0, 0, 31 },
	{ "0X1f", 0, 0, 31 },
	{ "0x1f", 16, 0, 31 },
	{ "1f", 16, 0, 31 },
	{ "017", 0, 0, 15 },
	{ "017", 10, 0, 17 },
	{ "017", 8, 0, 15 },
	{ "101", 2, 0, 5 },
	{ "18446744073709551615", 10, 0, ULLONG_MAX },
	{ "18446744073709551616", 10, -ERANGE, 0 },
	{ "18446744073709551620", 10, -ERANGE, 0 },
	{ "99999999999999999999999", 10, -ERANGE, 0 },
	{ "0xffffffffffffffff", 0, 0, ULLONG_MAX },
	{ "0x10000000000000000", 0, -ERANGE, 0 },
	{ "01777777777777777777777", 0, 0, ULLONG_MAX },
	{ "02000000000000000000000", 0, -ERANGE, 0 },
	{ "000000000000000000000000000000000000001", 10, 0, 1 },
	{ "", 0, -EINVAL, 0 },
	{ "\n", 0, -EINVAL, 0 },
	{ "+", 0, -EINVAL, 0 },
	{ "-1", 10, -EINVAL, 0 },
	{ "+-1", 10, -EINVAL, 0 },
	{ "++1", 10, -EINVAL, 0 },
	{ " 1", 10, -EINVAL, 0 },
	{ "1 ", 10, -EINVAL, 0 },
	{ "1\n\n", 10, -EINVAL, 0 },
	{ "1x", 10, -EINVAL, 0 },
	{ "0x", 0, -EINVAL, 0 },
	{ "0x", 16, -EINVAL, 0 },
	{ "0xg", 0, -EINVAL, 0 },
	{ "0x1", 10, -EINVAL, 0 },
	{ "08", 0, -EINVAL, 0 },
	{ "2", 2, -EINVAL, 0 },
	/* no number at all, whatever its size */
	{ "99999999999999999999999z", 10, -EINVAL, 0 },
};

static void unsigned_numbers(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(unsigned_rows); i++) {
		unsigned long long value = 4711;
		unsigned long lvalue = 4711;
		int err = kstrtoull(unsigned_rows[i].text, unsigned_rows[i].base, &value);

		if (err != unsigned_rows[i].err)
			print_error("\"%s\" in base %u\n", unsigned_rows[i].text,
				    unsigned_rows[i].base);
		assert_int_equal(err, unsigned_rows[i].err);
		assert_int_equal(value, err ? 4711 : unsigned_rows[i].value);
		assert_int_equal(kstrtoul(unsigned_rows[i].text, unsigned_rows[i].base, &lvalue),
				 err);
		assert_int_equal(lvalue, value);
	}
}

static const struct {
	const char *text;
	int err;
	long long value;
} signed_rows[] = {
	{ "0", 0, 0 },
	{ "-0", 0, 0 },
	{ "-1", 0, -1 },
	{ "+1", 0, 1 },
	{ "-0x10\n", 0, -16 },
	{ "-010", 0, -8 },
	{ "9223372036854775807", 0, LLONG_MAX },
	{ "9223372036854775808", -ERANGE, 0 },
	{ "-9223372036854775808", 0, LLONG_MIN },
	{ "-9223372036854775809", -ERANGE, 0 },
	{ "-18446744073709551616", -ERANGE, 0 },
	{ "-", -EINVAL, 0 },
	{ "--1", -EINVAL, 0 },
	{ "-+1", -EINVAL, 0 },
	{ "- 1", -EINVAL, 0 },
};

static void signed_numbers(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(signed_rows); i++) {
		long long value = 4711;
		long lvalue = 4711;
		int err = kstrtoll(signed_rows[i].text, 0, &value);

		assert_int_equal(err, signed_rows[i].err);
		assert_int_equal(value, err ? 4711 : signed_rows[i].value);
		assert_int_equal(kstrtol(signed_rows[i].text, 0, &lvalue), err);
		assert_int_equal(lvalue, value);
	}
}

static void ints(void **state)
{
	unsigned int u = 1;
	int i = 1;

	(void)state;
	assert_int_equal(kstrtouint("4294967295", 10, &u), 0);
	assert_int_equal(u, UINT_MAX);
	assert_int_equal(kstrtouint("4294967296", 10, &u), -ERANGE);
	assert_int_equal(kstrtouint("-1", 10, &u), -EINVAL);
	assert_int_equal(u, UINT_MAX);
	assert_int_equal(kstrtoint("2147483647", 10, &i), 0);
	assert_int_equal(i, INT_MAX);
	assert_int_equal(kstrtoint("2147483648", 10, &i), -ERANGE);
	assert_int_equal(i, INT_MAX);
	assert_int_equal(kstrtoint("-2147483648", 10, &i), 0);
	assert_int_equal(i, INT_MIN);
	assert_int_equal(kstrtoint("-2147483649", 10, &i), -ERANGE);
}

/* What is printed is read back, in every base. */
static void round_trip(void **state)
{
	static const struct {
		unsigned int base;
		const char *fmt;
	} forms[] = {
		{ 10, "%llu" }, { 16, "%llx" }, { 16, "%#llX" }, { 0, "%#llx" }, { 0, "%#llo" }
	};
	unsigned long long x = 1;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		/* Knuth's MMIX generator; of all magnitudes */
		x = x * 6364136223846793005ULL + 1442695040888963407ULL;
		for (size_t f = 0; f < ARRAY_SIZE(forms); f++) {
			unsigned long long value = x >> (i % 64), read;
			char text[32];

			snprintf(text, sizeof(text), forms[f].fmt, value);
			assert_int_equal(kstrtoull(text, forms[f].base, &read), 0);
			assert_int_equal(read, value);
		}
	}
}

static void booleans(void **state)
{
	static const char *const yes[] = {
		"y", "Y", "yes", "t", "T", "true", "1", "on", "On", "ON"
	};
	static const char *const no[] = {
		"n", "N", "no", "f", "F", "false", "0", "off", "Of", "OFF"
	};
	static const char *const neither[] = { "", "o", "ox", "2", " y", "-", "x" };
	bool value;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		value = false;
		assert_int_equal(kstrtobool(yes[i], &value), 0);
		assert_true(value);
	}
	for (size_t i = 0; i < ARRAY_SIZE(no); i++) {
		value = true;
		assert_int_equal(kstrtobool(no[i], &value), 0);
		assert_false(value);
	}
	for (size_t i = 0; i < ARRAY_SIZE(neither); i++)
		assert_int_equal(kstrtobool(neither[i], &value), -EINVAL);
}

/* The same by a C library's strtoull(), which takes more than digits. */
int libc_parse_digits(const char *s, unsigned int base, u64 *value, const char **end);

static void digits_by_a_c_library(void **state)
{
	static const char *const texts[] = { "",
					     " 1",
					     "+1",
					     "-1",
					     "0x1f",
					     "0X",
					     "0xg",
					     "x1",
					     "00",
					     "g",
					     "1g",
					     "9a",
					     "8",
					     "18446744073709551615",
					     "18446744073709551616",
					     "18446744073709551616z",
					     "ffffffffffffffff",
					     "ffffffffffffffffF",
					     "10,5" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts) + ARRAY_SIZE(unsigned_rows); i++) {
		const char *text = i < ARRAY_SIZE(texts)
					   ? texts[i]
					   : unsigned_rows[i - ARRAY_SIZE(texts)].text;

		for (unsigned int base = 2; base <= 16; base++) {
			const char *end = NULL, *libc_end = NULL;
			u64 value = 1, libc_value = 2;
			int err = ahoy_parse_digits(text, base, &value, &end);

			assert_int_equal(libc_parse_digits(text, base, &libc_value, &libc_end),
					 err);
			assert_true(libc_value == value);
			assert_ptr_equal(libc_end, end);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digits_by_a_c_library),
		cmocka_unit_test(unsigned_numbers),
		cmocka_unit_test(signed_numbers),
		cmocka_unit_test(ints),
		cmocka_unit_test(round_trip),
		cmocka_unit_test(booleans),
	};

	return cmocka_run_group_tests_name("kstrtox", tests, NULL, NULL);
}
