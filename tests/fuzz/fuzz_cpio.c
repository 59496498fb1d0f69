// SPDX-License-Identifier: MIT
/*
 * The reader of cpio archives on any bytes, in a buffer of exactly their size:
 * what it points to lies inside, entries come in order, and it comes to an end.
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

static uint32_t sum(const unsigned char *data, size_t size)
{
	uint32_t result = 0;

	for (size_t i = 0; i < size; i++)
		result += data[i];
	return result;
}

static void check_entry(const struct cpio *cpio, const struct cpio_entry *entry)
{
	const char *header = cpio->start + cpio->header, *end = cpio->start + cpio->size;
	const char *data = entry->data;
	char field[9] = { 0 };

	CHECK(entry->name == header + 110 && entry->name == cpio->name);
	CHECK(entry->name[0] && entry->name + strlen(entry->name) < end);
	CHECK(strcmp(entry->name, "TRAILER!!!"));
	CHECK(data <= end && entry->size <= (size_t)(end - data));
	CHECK(!entry->size || (data - cpio->start) % CPIO_ALIGN == 0);
	memcpy(field, header + 6 + 8, 8);
	CHECK(strspn(field, "0123456789abcdefABCDEF") == 8);
	CHECK(entry->mode == strtoul(field, NULL, 16));
	memcpy(field, header + 6 + 12 * 8, 8);
	if (header[5] == '2' && entry->size && (entry->mode & 0170000) == 0100000)
		CHECK(strtoul(field, NULL, 16) == sum(entry->data, entry->size));
	else
		sum(entry->data, entry->size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *archive = malloc(size ? size : 1);
	struct cpio_entry entry;
	size_t count = 0, at = 0;
	struct cpio cpio;
	int err;

	if (!archive)
		abort();
	memcpy(archive, data, size);
	cpio_open(&cpio, archive, size);
	while ((err = cpio_next(&cpio, &entry)) == 1) {
		CHECK(count++ == 0 || cpio.header > at);
		at = cpio.header;
		check_entry(&cpio, &entry);
	}
	CHECK(count <= size / 112);
	CHECK(cpio.header <= size);
	if (err) {
		CHECK(err == -EINVAL && cpio.error);
		CHECK(!cpio.name[0] || (cpio.name >= archive && cpio.name < archive + size));
	} else {
		CHECK(!cpio.error);
	}
	free(archive);
	return 0;
}
