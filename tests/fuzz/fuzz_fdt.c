// SPDX-License-Identifier: MIT
/*
 * The device-tree reader on any bytes, in a buffer of exactly their size: what
 * it points to lies inside, walking and skipping agree, and it comes to an end.
 */
#include "../host/lib.h"

/* Not assert(): it must hold whatever NDEBUG says. */
#define CHECK(cond)                                                                                \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #cond);         \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

#define OFF_TOTALSIZE 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t *blob, *blob_end;

/* Reads a byte, so that the sanitizer objects where it is not there. */
static void touch(const void *p)
{
	static volatile uint8_t sink;

	sink = *(const uint8_t *)p;
	(void)sink;
}

static void check_property(const struct fdt_cursor *cursor)
{
	CHECK(cursor->value >= blob && cursor->len <= (size_t)(blob_end - cursor->value));
	if (!cursor->len)
		return;
	touch(cursor->value);
	touch(cursor->value + cursor->len - 1);
	fdt_stringlist_contains((const char *)cursor->value, cursor->len, cursor->name);
	fdt_stringlist_contains((const char *)cursor->value, cursor->len, "ns16550a");
	fdt_read_cells(cursor->value, cursor->len / 4);
	fdt_read_cells(cursor->value, cursor->len / 4 % 3);
}

/* From right behind a node's name: the end of the node by walking, or NULL. */
static const u8 *walk_node(struct fdt_cursor cursor)
{
	unsigned int depth = 1;

	while (depth) {
		int token = fdt_next(&cursor);

		if (token < 0 || token == FDT_END)
			return NULL;
		depth += token == FDT_BEGIN_NODE;
		depth -= token == FDT_END_NODE;
	}
	return cursor.next;
}

static void walk(struct fdt_cursor cursor, size_t size)
{
	size_t tokens = 0, compared = 0;
	int token;

	do {
		const u8 *before = cursor.next;

		token = fdt_next(&cursor);
		CHECK(++tokens <= size / 4 + 1);
		CHECK(cursor.next <= cursor.end && cursor.end <= blob_end);
		if (token < 0)
			break;
		CHECK(cursor.next >= before + 4);
		if (token == FDT_BEGIN_NODE || token == FDT_PROP) {
			CHECK((const u8 *)cursor.name >= blob);
			CHECK((const u8 *)cursor.name + strlen(cursor.name) < blob_end);
		}
		if (token == FDT_PROP)
			check_property(&cursor);
		/*
		 * Quadratic, and so only for the first nodes. Skipping does not look at
		 * the names of properties, and so may get past what walking does not.
		 */
		if (token == FDT_BEGIN_NODE && compared++ < 16) {
			const u8 *walked = walk_node(cursor);

			CHECK(!walked || fdt_skip_node(cursor.next, cursor.end) == walked);
		}
	} while (token != FDT_END);
	if (token < 0)
		CHECK(token == -EINVAL && fdt_next(&cursor) == -EINVAL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fdt_cursor cursor;
	uint8_t *copy;
	u64 base, len;
	long total;
	int err;

	if (size < 8 || size > FDT_MAX_SIZE)
		return 0;
	copy = malloc(size);
	if (!copy)
		abort();
	memcpy(copy, data, size);
	/* The size that a tree gives is all that there is. */
	if (fdt_read32(copy + OFF_TOTALSIZE) > size) {
		for (int i = 0; i < 4; i++)
			copy[OFF_TOTALSIZE + i] = (uint8_t)(size >> (24 - 8 * i));
	}
	total = fdt_size(copy);
	if (total >= 0) {
		CHECK(total >= FDT_HEADER_SIZE && (size_t)total <= size);
		blob = copy;
		blob_end = copy + total;
		err = fdt_open(&cursor, copy, (size_t)total);
		CHECK(err <= 0);
		if (!err) {
			CHECK(cursor.next >= blob && cursor.end <= blob_end);
			walk(cursor, size);
			for (unsigned int i = 0;
			     fdt_reservation(copy, (size_t)total, i, &base, &len); i++)
				CHECK(i < size / 16);
		}
	}
	free(copy);
	return 0;
}
