// SPDX-License-Identifier: MIT
/*
 * Command lines and numbers in text: any bytes are taken apart inside their
 * buffer, and numbers have the values that the host's library gives them.
 */
#include "../host/lib.h"

#define CHECK(cond)                                                                                \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #cond);         \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_space(char c)
{
	return c && strchr(" \t\n\v\f\r", c);
}

/* What kstrtoull() and kstrtoll() take is what the host's functions read to the end. */
static void check_numbers(const char *text, unsigned int base)
{
	unsigned long long value = 0, host;
	const char *digits = text + (*text == '-' || *text == '+');
	size_t len = strlen(text);
	long long signed_value = 0, signed_host;
	int err, host_errno;
	char *end;

	errno = 0;
	host = strtoull(text, &end, (int)base);
	host_errno = errno;
	if (*end == '\n')
		end++;
	err = kstrtoull(text, base, &value);
	/* the host's takes leading blanks and signs, and C23's binary numbers */
	if (!len || *end || is_space(*text) || *text == '-' || strpbrk(digits, "bB+-"))
		CHECK(err || (value == host && base != 10));
	else if (host_errno == ERANGE)
		CHECK(err == -ERANGE);
	else if (digits[0] && digits[0] != '\n')
		CHECK(!err && value == host);

	errno = 0;
	signed_host = strtoll(text, &end, (int)base);
	host_errno = errno;
	err = kstrtoll(text, base, &signed_value);
	if (!err)
		CHECK(!host_errno && signed_value == signed_host);
}

static void check_memparse(const char *text)
{
	char *end;
	u64 value = memparse(text, &end);

	CHECK(end >= text && end <= text + strlen(text));
	if (end == text)
		CHECK(value == 0);
	CHECK(memparse(text, NULL) == value);
}

static void check_args(char *args, size_t size)
{
	char *line_end = args + size;
	char *param, *val, *before;

	while (*(args = skip_spaces(args))) {
		before = args;
		args = next_arg(args, &param, &val);
		CHECK(args > before && args <= line_end);
		CHECK(!is_space(*args));
		CHECK(param >= before && param + strlen(param) <= line_end);
		if (val) {
			CHECK(val > param && val + strlen(val) <= line_end);
			CHECK(strlen(param) > 0);
			/* the name ends at the first = that is not its first character */
			CHECK(!strchr(param + 1, '='));
			check_memparse(val);
			check_numbers(val, 0);
			check_numbers(val, 10);
			check_numbers(val, 16);
		} else {
			CHECK(!*param || !strchr(param + 1, '='));
			check_numbers(param, 0);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *line = malloc(size + 1);

	if (!line)
		abort();
	memcpy(line, data, size);
	line[size] = '\0';
	check_memparse(line);
	check_numbers(line, 0);
	check_args(line, size);
	free(line);
	return 0;
}
