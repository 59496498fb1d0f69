// SPDX-License-Identifier: MIT
/* lib/cmdline.c: the command line's grammar and sizes with suffixes. */
#include "lib.h"

#include <cmocka.h>

#include "guard.h"

/* A command line, and its parameters as name, value (NULL: none), ..., NULL. */
static const struct {
	const char *line;
	const char *args[9];
} rows[] = {
	{ "", { NULL } },
	{ "   ", { NULL } },
	{ "quiet", { "quiet", NULL } },
	{ "a b", { "a", NULL, "b", NULL } },
	{ " \t a \n b ", { "a", NULL, "b", NULL } },
	{ "console=ttyS0", { "console", "ttyS0" } },
	{ "a=", { "a", "" } },
	{ "a=b=c", { "a", "b=c" } },
	{ "a== b", { "a", "=", "b", NULL } },
	{ "=a", { "=a", NULL } },
	{ "==a", { "=", "a" } },
	{ "a=\"b c\" d", { "a", "b c", "d", NULL } },
	{ "a=\"\" d", { "a", "", "d", NULL } },
	{ "\"a=b c\" d", { "a", "b c", "d", NULL } },
	{ "\"a b\"=c", { "a b\"", "c" } },
	{ "\"a b\" c", { "a b", NULL, "c", NULL } },
	{ "a=b\"c d\"e f", { "a", "b\"c d\"e", "f", NULL } },
	{ "a\"b c\"d", { "a\"b c\"d", NULL } },
	{ "a=\"b c", { "a", "b c" } },
	{ "\"a b", { "a b", NULL } },
	{ "\"", { "", NULL } },
	{ "\"\"", { "", NULL } },
	{ "a=\"", { "a", "" } },
	{ "\"\" x", { "", NULL, "x", NULL } },
	{ "a -- b", { "a", NULL, "--", NULL, "b", NULL } },
	{ "a=\xe4\xff b", { "a", "\xe4\xff", "b", NULL } },
};

static void assert_same_string(const char *a, const char *b)
{
	if (!a || !b)
		assert_ptr_equal(a, b);
	else
		assert_string_equal(a, b);
}

/* In a buffer that ends with the line's NUL at the guard. */
static void grammar(void **state)
{
	struct guarded g = guarded_alloc(256);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *args = g.end - strlen(rows[i].line) - 1;
		const char *const *expected = rows[i].args;
		char *param, *val;

		strcpy(args, rows[i].line);
		for (args = skip_spaces(args); *args; expected += 2) {
			args = next_arg(args, &param, &val);
			if (!expected[0])
				print_error("line [%s]: [%s] too many\n", rows[i].line, param);
			assert_non_null(expected[0]);
			assert_string_equal(param, expected[0]);
			assert_same_string(val, expected[1]);
		}
		assert_null(expected[0]);
		assert_ptr_equal(args, g.end - 1);
	}
	guarded_free(g);
}

static void long_line(void **state)
{
	size_t size = 65536, count = 0;
	struct guarded g = guarded_alloc(size);
	char *args = g.end - size, *param, *val;

	(void)state;
	for (size_t i = 0; i < size; i++)
		args[i] = "p=v "[i % 4];
	args[size - 1] = '\0';
	while (*(args = skip_spaces(args))) {
		args = next_arg(args, &param, &val);
		assert_string_equal(param, "p");
		assert_string_equal(val, "v");
		count++;
	}
	assert_int_equal(count, size / 4);
	guarded_free(g);
}

static const struct {
	const char *text;
	u64 value;
	int read; /* characters */
} sizes[] = {
	{ "0", 0, 1 },
	{ "123", 123, 3 },
	{ "1k", 1024, 2 },
	{ "1K", 1024, 2 },
	{ "64M", 64ULL << 20, 3 },
	{ "64M@0x80000000", 64ULL << 20, 3 },
	{ "2g", 2ULL << 30, 2 },
	{ "3T", 3ULL << 40, 2 },
	{ "3p", 3ULL << 50, 2 },
	{ "15E", 15ULL << 60, 3 },
	{ "16E", U64_MAX, 3 },
	{ "0x10k", 16 << 10, 5 },
	{ "010k", 8 << 10, 4 },
	{ "1kk", 1024, 2 },
	{ "1 k", 1, 1 },
	{ "0xk", 0, 1 },
	/* a hexadecimal digit is no suffix */
	{ "0x1e", 30, 4 },
	{ "18446744073709551615", U64_MAX, 20 },
	{ "99999999999999999999k", U64_MAX, 21 },
	{ "18014398509481984K", U64_MAX, 18 },
	{ "18014398509481983K", 18014398509481983ULL << 10, 18 },
	{ "", 0, 0 },
	{ "k", 0, 0 },
	{ "-1", 0, 0 },
	{ " 1", 0, 0 },
};

static void memory_sizes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		char *end = NULL;

		assert_int_equal(memparse(sizes[i].text, &end), sizes[i].value);
		if (end != sizes[i].text + sizes[i].read)
			print_error("\"%s\": \"%s\" is left\n", sizes[i].text, end);
		assert_ptr_equal(end, sizes[i].text + sizes[i].read);
		assert_int_equal(memparse(sizes[i].text, NULL), sizes[i].value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grammar),
		cmocka_unit_test(long_line),
		cmocka_unit_test(memory_sizes),
	};

	return cmocka_run_group_tests_name("params", tests, NULL, NULL);
}
