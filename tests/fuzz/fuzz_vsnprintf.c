// SPDX-License-Identifier: MIT
/*
 * Formatting. The first byte chooses: a conversion that the host's library has
 * too, made from the bytes that follow, gives the same text in both; or the
 * bytes are the format, whose arguments are all usable as whatever it asks for.
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

int sprint_symbol(char *buf, size_t size, unsigned long addr, bool offset)
{
	return addr & 1 ? 0 : snprintf(buf, size, offset ? "symbol+0x0/0x8" : "symbol");
}

/* The kind of conversion, field by field, as bytes of the input. */
struct choice {
	uint8_t flags, width, precision, length, conversion, buf_size;
	uint8_t value[8];
};

static void compare(const struct choice *c)
{
	static const char *const lengths[] = { "hh", "h", "", "l", "ll", "z", "t", "j" };
	static const char conversions[] = "diuxXosc";
	const char conversion = conversions[c->conversion % (sizeof(conversions) - 1)];
	bool text = conversion == 's' || conversion == 'c';
	unsigned int length = c->length % 8;
	/* Beyond the padding, a byte after the field shows where it ends. */
	char fmt[64], *f = fmt, *ours;
	char host[600], string[9];
	int host_len, our_len;
	uint64_t value;

	memcpy(&value, c->value, sizeof(value));
	memcpy(string, c->value, 8);
	string[8] = '\0';
	*f++ = '%';
	for (int i = 0; i < 5; i++) {
		/* for text, C says of no flag but - what it means */
		if (c->flags & 1 << i && (!text || i == 0))
			*f++ = "-+ #0"[i];
	}
	if (c->width % 2)
		f += sprintf(f, "%d", c->width);
	if (c->precision % 2 && conversion != 'c')
		f += sprintf(f, ".%d", c->precision / 2);
	f += sprintf(f, "%s%c|", text ? "" : lengths[length], conversion);

	ours = malloc(c->buf_size + 1UL);
	if (!ours)
		abort();
	if (conversion == 's') {
		host_len = snprintf(host, sizeof(host), fmt, string);
		our_len = ahoy_snprintf(ours, c->buf_size, fmt, string);
	} else if (conversion == 'c' || length < 3) {
		host_len = snprintf(host, sizeof(host), fmt, (int)value);
		our_len = ahoy_snprintf(ours, c->buf_size, fmt, (int)value);
	} else {
		host_len = snprintf(host, sizeof(host), fmt, value);
		our_len = ahoy_snprintf(ours, c->buf_size, fmt, value);
	}
	CHECK(host_len == our_len);
	if (c->buf_size) {
		size_t in_buf = min((size_t)host_len, c->buf_size - 1UL);

		CHECK(!memcmp(ours, host, in_buf));
		CHECK(ours[in_buf] == '\0');
	}
	free(ours);
}

/* A string, a number, 64 bytes, an address: whatever a conversion takes it for. */
static char object[65] __aligned(16);

#define MAX_ARGS 24
#define A	 object
#define A8	 A, A, A, A, A, A, A, A

static void any_format(const uint8_t *data, size_t size)
{
	size_t buf_size = size ? data[0] : 0, args = 0;
	char *fmt = malloc(size + 1), *buf = malloc(buf_size + 1), *again = malloc(buf_size + 1);
	int len, written;

	if (!fmt || !buf || !again)
		abort();
	memcpy(fmt, data, size);
	fmt[size] = '\0';
	for (const char *p = fmt; *p; p++)
		args += *p == '%' || *p == '*';
	if (args <= MAX_ARGS) {
		memset(object, 'o', sizeof(object) - 1);
		len = ahoy_snprintf(buf, buf_size, fmt, A8, A8, A8);
		written = ahoy_scnprintf(again, buf_size, fmt, A8, A8, A8);
		CHECK(len >= 0);
		/* nothing writes to an argument: there is no %n */
		for (size_t i = 0; i < sizeof(object) - 1; i++)
			CHECK(object[i] == 'o');
		CHECK((size_t)written == (buf_size ? min((size_t)len, buf_size - 1) : 0));
		if (buf_size)
			CHECK(!memcmp(buf, again, (size_t)written + 1) && !buf[written]);
		if (!strchr(fmt, '%'))
			CHECK((size_t)len == strlen(fmt));
	}
	free(fmt);
	free(buf);
	free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct choice choice;

	if (!size)
		return 0;
	if (data[0] % 2 && size - 1 >= sizeof(choice)) {
		memcpy(&choice, data + 1, sizeof(choice));
		compare(&choice);
	} else if (size <= 512) {
		any_format(data + 1, size - 1);
	}
	return 0;
}
