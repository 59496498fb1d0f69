// SPDX-License-Identifier: MIT
/*
 * lib/fdt.c: on trees that are written here, on trees of dtc and QEMU given as
 * files on the command line, and on all of them cut short and changed.
 */
#include "lib.h"

#include <cmocka.h>

#include "guard.h"

/* -- a writer of trees ------------------------------------------------------ */

struct blob {
	u8 bytes[4096];
	size_t size;
	size_t structs, strings;
};

static void put32(u8 *p, u32 value)
{
	p[0] = (u8)(value >> 24);
	p[1] = (u8)(value >> 16);
	p[2] = (u8)(value >> 8);
	p[3] = (u8)value;
}

static void add32(struct blob *b, u32 value)
{
	put32(b->bytes + b->size, value);
	b->size += 4;
}

static void add_bytes(struct blob *b, const void *data, size_t n)
{
	memcpy(b->bytes + b->size, data, n);
	b->size += n;
	while (b->size % 4)
		b->bytes[b->size++] = 0;
}

static void begin_node(struct blob *b, const char *name)
{
	add32(b, FDT_BEGIN_NODE);
	add_bytes(b, name, strlen(name) + 1);
}

static void end_node(struct blob *b)
{
	add32(b, FDT_END_NODE);
}

/* The strings block of all trees made here. */
static const char strings[] = "reg\0compatible\0x";

enum {
	REG = 0,
	COMPATIBLE = 4,
	X = 15
};

static void add_prop(struct blob *b, u32 nameoff, const void *value, u32 len)
{
	add32(b, FDT_PROP);
	add32(b, len);
	add32(b, nameoff);
	add_bytes(b, value, len);
}

enum {
	MAGIC = 0,
	TOTALSIZE = 4,
	OFF_STRUCT = 8,
	OFF_STRINGS = 12,
	OFF_RSVMAP = 16,
	VERSION = 20,
	LAST_COMP = 24,
	SIZE_STRINGS = 32,
	SIZE_STRUCT = 36,
	HEADER = 40,
};

/* Header and reservations; the structure block follows. */
static void begin_blob(struct blob *b, const u64 *reservations)
{
	memset(b, 0, sizeof(*b));
	b->size = HEADER;
	put32(b->bytes + MAGIC, 0xd00dfeed);
	put32(b->bytes + OFF_RSVMAP, (u32)b->size);
	put32(b->bytes + VERSION, 17);
	put32(b->bytes + LAST_COMP, 16);
	for (; reservations && (reservations[0] || reservations[1]); reservations += 2) {
		for (int i = 0; i < 2; i++) {
			add32(b, (u32)(reservations[i] >> 32));
			add32(b, (u32)reservations[i]);
		}
	}
	b->size += 16;
	b->structs = b->size;
}

static void end_blob(struct blob *b)
{
	b->strings = b->size;
	put32(b->bytes + OFF_STRUCT, (u32)b->structs);
	put32(b->bytes + SIZE_STRUCT, (u32)(b->size - b->structs));
	put32(b->bytes + OFF_STRINGS, (u32)b->strings);
	put32(b->bytes + SIZE_STRINGS, sizeof(strings));
	memcpy(b->bytes + b->size, strings, sizeof(strings));
	b->size += sizeof(strings);
	put32(b->bytes + TOTALSIZE, (u32)b->size);
}

static void make_tree(struct blob *b)
{
	static const u64 reservations[] = { 0x80000000, 0x1000, 0x123456789abcdef0, 1, 0, 0 };

	begin_blob(b, reservations);
	add32(b, FDT_NOP);
	begin_node(b, "");
	add_prop(b, COMPATIBLE, "test,tree", 10);
	begin_node(b, "a@1");
	add_prop(b, REG, "\0\0\0\1", 4);
	add32(b, FDT_NOP);
	add_prop(b, X, "", 0);
	begin_node(b, "child");
	end_node(b);
	end_node(b);
	begin_node(b, "longer-name");
	add_prop(b, X, "12345", 5);
	add32(b, FDT_NOP);
	end_node(b);
	end_node(b);
	add32(b, FDT_END);
	end_blob(b);
}

/* The tree where its end touches the guard: fdt_size() and fdt_open() on it. */
static struct guarded guard;

static const u8 *at_guard(const void *bytes, size_t size)
{
	size_t room = ALIGN(size, 4);

	assert_true(room <= (size_t)(guard.end - guard.start));
	return memcpy(guard.end - room, bytes, size);
}

static int setup(void **state)
{
	(void)state;
	guard = guarded_alloc(64 * 1024);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	guarded_free(guard);
	return 0;
}

/* Skip the rest of a node and go on behind it. */
static int skip_node(struct fdt_cursor *cursor)
{
	const u8 *next = fdt_skip_node(cursor->next, cursor->end);

	cursor->next = next ? next : cursor->end;
	return next ? 0 : -EINVAL;
}

/* -- reading what was written ------------------------------------------------ */

static void tokens_in_order(void **state)
{
	static const struct {
		int token;
		const char *name;
		u32 len;
	} expected[] = {
		{ FDT_BEGIN_NODE, "", 0 },
		{ FDT_PROP, "compatible", 10 },
		{ FDT_BEGIN_NODE, "a@1", 0 },
		{ FDT_PROP, "reg", 4 },
		{ FDT_PROP, "x", 0 },
		{ FDT_BEGIN_NODE, "child", 0 },
		{ FDT_END_NODE, NULL, 0 },
		{ FDT_END_NODE, NULL, 0 },
		{ FDT_BEGIN_NODE, "longer-name", 0 },
		{ FDT_PROP, "x", 5 },
		{ FDT_END_NODE, NULL, 0 },
		{ FDT_END_NODE, NULL, 0 },
		{ FDT_END, NULL, 0 },
		{ -EINVAL, NULL, 0 },
		{ -EINVAL, NULL, 0 },
	};
	struct fdt_cursor cursor;
	struct blob b;
	const u8 *blob;

	(void)state;
	make_tree(&b);
	blob = at_guard(b.bytes, b.size);
	assert_int_equal(fdt_size(blob), b.size);
	assert_int_equal(fdt_open(&cursor, blob, b.size), 0);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		assert_int_equal(fdt_next(&cursor), expected[i].token);
		if (expected[i].name)
			assert_string_equal(cursor.name, expected[i].name);
		if (expected[i].token == FDT_PROP)
			assert_int_equal(cursor.len, expected[i].len);
		if (expected[i].len == 5)
			assert_memory_equal(cursor.value, "12345", 5);
		if (expected[i].len == 4)
			assert_int_equal(fdt_read_cells(cursor.value, 1), 1);
	}
}

static void skipping_a_node(void **state)
{
	struct fdt_cursor cursor;
	struct blob b;
	const u8 *blob;

	(void)state;
	make_tree(&b);
	blob = at_guard(b.bytes, b.size);
	assert_int_equal(fdt_open(&cursor, blob, b.size), 0);
	assert_int_equal(fdt_next(&cursor), FDT_BEGIN_NODE);
	assert_int_equal(fdt_next(&cursor), FDT_PROP);
	assert_int_equal(fdt_next(&cursor), FDT_BEGIN_NODE);
	assert_string_equal(cursor.name, "a@1");
	assert_int_equal(skip_node(&cursor), 0);
	assert_int_equal(fdt_next(&cursor), FDT_BEGIN_NODE);
	assert_string_equal(cursor.name, "longer-name");
	/* the root's rest */
	assert_int_equal(skip_node(&cursor), 0);
	assert_int_equal(skip_node(&cursor), 0);
	assert_int_equal(fdt_next(&cursor), FDT_END);
	/* there is nothing left to skip */
	assert_int_equal(skip_node(&cursor), -EINVAL);
	assert_int_equal(fdt_next(&cursor), -EINVAL);
}

static void reservations(void **state)
{
	struct blob b;
	u64 base, size;

	(void)state;
	make_tree(&b);
	assert_true(fdt_reservation(b.bytes, b.size, 0, &base, &size));
	assert_int_equal(base, 0x80000000);
	assert_int_equal(size, 0x1000);
	assert_true(fdt_reservation(b.bytes, b.size, 1, &base, &size));
	assert_int_equal(base, 0x123456789abcdef0);
	assert_int_equal(size, 1);
	assert_false(fdt_reservation(b.bytes, b.size, 2, &base, &size));
	/* without its end it ends with the tree */
	assert_false(fdt_reservation(b.bytes, b.size, UINT_MAX, &base, &size));
	put32(b.bytes + OFF_RSVMAP, UINT_MAX);
	assert_false(fdt_reservation(b.bytes, b.size, 0, &base, &size));
	put32(b.bytes + OFF_RSVMAP, (u32)b.size - 15);
	assert_false(fdt_reservation(b.bytes, b.size, 0, &base, &size));
	put32(b.bytes + OFF_RSVMAP, (u32)b.size - 16);
	assert_true(fdt_reservation(b.bytes, b.size, 0, &base, &size));
}

static void string_lists(void **state)
{
	struct guarded g = guarded_alloc(64);
	static const char list[] = "ns16550a\0sifive,uart0\0";
	const char *p = memcpy(g.end - sizeof(list), list, sizeof(list));
	u32 len = sizeof(list) - 1;

	(void)state;
	assert_true(fdt_stringlist_contains(p, len, "ns16550a"));
	assert_true(fdt_stringlist_contains(p, len, "sifive,uart0"));
	assert_false(fdt_stringlist_contains(p, len, "ns16550"));
	assert_false(fdt_stringlist_contains(p, len, "ns16550a1"));
	assert_false(fdt_stringlist_contains(p, len, "uart0"));
	assert_false(fdt_stringlist_contains(p, len, "sifive,uart0x"));
	assert_false(fdt_stringlist_contains(p, 0, "ns16550a"));
	/* cut: the last one counts as far as it goes */
	assert_true(fdt_stringlist_contains(p, 8, "ns16550a"));
	assert_false(fdt_stringlist_contains(p, 7, "ns16550a"));
	memcpy(g.end - 3, "abc", 3);
	assert_true(fdt_stringlist_contains(g.end - 3, 3, "abc"));
	assert_false(fdt_stringlist_contains(g.end - 3, 3, "bc"));
	assert_false(fdt_stringlist_contains(g.end - 3, 3, "abcd"));
	guarded_free(g);
}

static void cells(void **state)
{
	static const u8 bytes[] __aligned(4) = { 0,    0,    0,	   0,	 0x12, 0x34, 0x56,
						 0x78, 0x9a, 0xbc, 0xde, 0xf0, 0,    0,
						 0xff, 0xfe, 0,	   1,	 0,    0 };

	(void)state;
	assert_int_equal(fdt_read_cells(bytes + 4, 0), 0);
	assert_int_equal(fdt_read_cells(bytes + 4, 1), 0x12345678);
	assert_int_equal(fdt_read_cells(bytes + 12, 1), 0xfffe);
	assert_int_equal(fdt_read_cells(bytes + 16, 1), 0x10000);
	assert_int_equal(fdt_read_cells(bytes + 4, 2), 0x123456789abcdef0);
	assert_int_equal(fdt_read_cells(bytes, 3), 0x123456789abcdef0);
	assert_int_equal(fdt_read_cells(bytes + 4, 3), U64_MAX);
	/* these two take any address */
	assert_int_equal(fdt_read32(bytes + 7), 0x789abcde);
	assert_int_equal(fdt_read64(bytes + 3), 0x00123456789abcde);
}

/* -- headers that are refused -------------------------------------------------- */

static void bad_sizes(void **state)
{
	u8 head[16] __aligned(8) = { 0xd0, 0x0d, 0xfe, 0xed };
	struct guarded g = guarded_alloc(8);

	(void)state;
	assert_int_equal(fdt_size(NULL), -EINVAL);
	assert_int_equal(fdt_size(head + 2), -EINVAL);
	assert_int_equal(fdt_size(head + 4), -ENODATA);
	put32(head + 4, 39);
	assert_int_equal(fdt_size(head), -E2BIG);
	put32(head + 4, 40);
	assert_int_equal(fdt_size(head), 40);
	put32(head + 4, FDT_MAX_SIZE);
	assert_int_equal(fdt_size(head), FDT_MAX_SIZE);
	put32(head + 4, FDT_MAX_SIZE + 1);
	assert_int_equal(fdt_size(head), -E2BIG);
	put32(head + 4, UINT_MAX);
	assert_int_equal(fdt_size(head), -E2BIG);
	/* it reads the first eight bytes only */
	put32(head + 4, 40);
	memcpy(g.end - 8, head, 8);
	assert_int_equal(fdt_size(g.end - 8), 40);
	guarded_free(g);
}

static void bad_headers(void **state)
{
	static const struct {
		unsigned int offset;
		u32 value;
		int err;
	} rows[] = {
		{ VERSION, 16, -EOPNOTSUPP },
		{ VERSION, 18, 0 },
		{ LAST_COMP, 17, 0 },
		{ LAST_COMP, 18, -EOPNOTSUPP },
		{ OFF_STRUCT, 0xffffffff, -EOVERFLOW },
		{ OFF_STRUCT, 0xfffffffc, -EOVERFLOW },
		{ OFF_STRUCT, 58, -EOVERFLOW },
		{ SIZE_STRUCT, 0xffffffff, -EOVERFLOW },
		{ OFF_STRINGS, 0xffffffff, -EOVERFLOW },
		{ SIZE_STRINGS, 0xffffffff, -EOVERFLOW },
		{ SIZE_STRINGS, sizeof(strings) + 1, -EOVERFLOW },
		/* the last string would not be terminated */
		{ SIZE_STRINGS, sizeof(strings) - 1, -EINVAL },
	};
	struct fdt_cursor cursor;
	struct blob b;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		make_tree(&b);
		put32(b.bytes + rows[i].offset, rows[i].value);
		assert_int_equal(fdt_open(&cursor, at_guard(b.bytes, b.size), b.size), rows[i].err);
	}
}

/* -- tokens that are refused ------------------------------------------------------ */

static int open_and_next(const struct blob *b, int count)
{
	struct fdt_cursor cursor;
	int token = 0;

	assert_int_equal(fdt_open(&cursor, at_guard(b->bytes, b->size), b->size), 0);
	while (count--)
		token = fdt_next(&cursor);
	return token;
}

static void bad_tokens(void **state)
{
	static const u32 bad[] = { 0, 5, 6, 7, 8, 10, 0x01000000, 0x80000001, 0xffffffff };
	struct blob b;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		begin_blob(&b, NULL);
		begin_node(&b, "");
		add32(&b, bad[i]);
		end_node(&b);
		add32(&b, FDT_END);
		end_blob(&b);
		assert_int_equal(open_and_next(&b, 1), FDT_BEGIN_NODE);
		assert_int_equal(open_and_next(&b, 2), -EINVAL);
		assert_int_equal(open_and_next(&b, 3), -EINVAL);
	}
}

static void bad_properties(void **state)
{
	static const struct {
		u32 len, nameoff;
		int token;
	} rows[] = {
		{ 4, X, FDT_PROP },
		{ 12, X, FDT_PROP },
		{ 13, X, -EINVAL },
		{ 0x10000, X, -EINVAL },
		{ 0x7fffffff, X, -EINVAL },
		{ 0xfffffffd, X, -EINVAL },
		{ 0xffffffff, X, -EINVAL },
		{ 4, sizeof(strings) - 1, FDT_PROP },
		{ 4, sizeof(strings), -EINVAL },
		{ 4, 0x10000, -EINVAL },
		{ 4, 0xffffffff, -EINVAL },
	};
	struct blob b;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		begin_blob(&b, NULL);
		begin_node(&b, "");
		add32(&b, FDT_PROP);
		add32(&b, rows[i].len);
		add32(&b, rows[i].nameoff);
		add32(&b, 0);
		end_node(&b);
		add32(&b, FDT_END);
		end_blob(&b);
		assert_int_equal(open_and_next(&b, 2), rows[i].token);
	}
}

/* A name up to the end of the structure block, which the guard follows. */
static void endless_name(void **state)
{
	struct fdt_cursor cursor;
	struct blob b;

	(void)state;
	begin_blob(&b, NULL);
	add32(&b, FDT_BEGIN_NODE);
	add_bytes(&b, "aaaaaaaaaaaa", 12);
	end_blob(&b);
	put32(b.bytes + SIZE_STRINGS, 0);
	b.size -= sizeof(strings);
	assert_int_equal(open_and_next(&b, 1), -EINVAL);
	assert_int_equal(fdt_open(&cursor, at_guard(b.bytes, b.size), b.size), 0);
	assert_int_equal(skip_node(&cursor), -EINVAL);
}

/* -- any tree -------------------------------------------------------------------- */

/*
 * Reads a whole tree, following all that the reader points to. Return: tokens
 * read; *@last: the one that ended it.
 */
static size_t walk(const u8 *blob, size_t size, int *last)
{
	struct fdt_cursor cursor;
	size_t count = 0;
	int token;

	*last = fdt_open(&cursor, blob, size);
	if (*last)
		return 0;
	do {
		const u8 *before = cursor.next;

		token = fdt_next(&cursor);
		if (token == FDT_BEGIN_NODE || token == FDT_PROP) {
			assert_true((const u8 *)cursor.name >= blob);
			assert_true((const u8 *)cursor.name + strlen(cursor.name) < blob + size);
		}
		if (token == FDT_PROP) {
			assert_true(cursor.value > blob);
			assert_true(cursor.value + cursor.len <= blob + size);
		}
		assert_true(token < 0 || cursor.next >= before + 4);
		assert_true(cursor.next <= blob + size);
		count++;
	} while (token > 0 && token != FDT_END);
	*last = token;
	return count;
}

/* The structure block, written anew from what the reader says, is the same. */
static void check_round_trip(const u8 *blob, size_t size)
{
	struct fdt_cursor cursor;
	u32 start = fdt_read32(blob + OFF_STRUCT);
	u8 *copy = calloc(1, size + 8), *p = copy;
	int token, depth = 0;

	assert_non_null(copy);
	assert_int_equal(fdt_open(&cursor, blob, size), 0);
	do {
		token = fdt_next(&cursor);
		assert_true(token > 0);
		put32(p, (u32)token);
		p += 4;
		if (token == FDT_BEGIN_NODE) {
			struct fdt_cursor skipper = cursor, walker = cursor;
			int inner = 1;

			/* skipping and walking lead to the same place */
			assert_int_equal(skip_node(&skipper), 0);
			while (inner) {
				int t = fdt_next(&walker);

				inner += (t == FDT_BEGIN_NODE) - (t == FDT_END_NODE);
			}
			assert_ptr_equal(skipper.next, walker.next);

			depth++;
			strcpy((char *)p, cursor.name);
			p += ALIGN(strlen(cursor.name) + 1, 4);
		} else if (token == FDT_PROP) {
			put32(p, cursor.len);
			put32(p + 4, (u32)(cursor.name - cursor.strings));
			memcpy(p + 8, cursor.value, cursor.len);
			p += 8 + ALIGN(cursor.len, 4);
		} else if (token == FDT_END_NODE) {
			depth--;
		}
	} while (token != FDT_END);
	assert_int_equal(depth, 0);
	assert_int_equal(p - copy, fdt_read32(blob + SIZE_STRUCT));
	assert_memory_equal(copy, blob + start, p - copy);
	free(copy);
}

/* Cut anywhere, the tree is refused or ends with an error, and nothing outside is read. */
static void check_cuts(const u8 *bytes, size_t size)
{
	u8 *copy = malloc(size);
	u32 structs = fdt_read32(bytes + OFF_STRUCT), len = fdt_read32(bytes + SIZE_STRUCT);
	/* Of a large tree, some cuts of each alignment. */
	size_t step = size > 2000 ? 7 : 1;
	int last;

	assert_non_null(copy);
	for (size_t cut = FDT_HEADER_SIZE; cut < size; cut += step) {
		memcpy(copy, bytes, cut);
		put32(copy + TOTALSIZE, (u32)cut);
		assert_int_equal(fdt_size(at_guard(copy, cut)), cut);
		walk(at_guard(copy, cut), cut, &last);
		assert_true(last < 0);
	}
	/* only the structure block is cut, and it ends at the guard */
	for (size_t cut = 0; cut < len; cut += step) {
		size_t total = structs + cut;

		memcpy(copy, bytes, total);
		put32(copy + TOTALSIZE, (u32)total);
		put32(copy + SIZE_STRUCT, (u32)cut);
		put32(copy + OFF_STRINGS, 0);
		put32(copy + SIZE_STRINGS, 4);
		copy[3] = 0;
		walk(at_guard(copy, total), total, &last);
		assert_int_equal(last, -EINVAL);
	}
	free(copy);
}

/* Every byte changed in several ways: the reader comes to an end, inside. */
static void check_changes(const u8 *bytes, size_t size)
{
	static const u8 changes[] = { 0x01, 0x03, 0x80, 0xff };
	u8 *blob = (u8 *)(uintptr_t)at_guard(bytes, size);
	int last;

	for (size_t i = TOTALSIZE + 4; i < size; i++) {
		for (size_t c = 0; c < ARRAY_SIZE(changes); c++) {
			blob[i] ^= changes[c];
			assert_true(walk(blob, size, &last) <= size / 4);
			blob[i] ^= changes[c];
		}
	}
}

static void made_tree_cut_and_changed(void **state)
{
	struct blob b;

	(void)state;
	make_tree(&b);
	check_cuts(b.bytes, b.size);
	check_changes(b.bytes, b.size);
}

/* -- trees of dtc and QEMU ----------------------------------------------------------- */

static char **files;

static void trees_from_files(void **state)
{
	static u8 bytes[64 * 1024];

	(void)state;
	if (!*files)
		skip();
	for (char **file = files; *file; file++) {
		FILE *f = fopen(*file, "rb");
		const u8 *blob;
		long size;

		assert_non_null(f);
		size = (long)fread(bytes, 1, sizeof(bytes), f);
		fclose(f);
		assert_true(size < (long)sizeof(bytes));
		assert_int_equal(fdt_size(bytes), size);
		blob = at_guard(bytes, (size_t)size);
		check_round_trip(blob, (size_t)size);
		check_cuts(bytes, (size_t)size);
		check_changes(bytes, (size_t)size);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tokens_in_order),
		cmocka_unit_test(skipping_a_node),
		cmocka_unit_test(reservations),
		cmocka_unit_test(string_lists),
		cmocka_unit_test(cells),
		cmocka_unit_test(bad_sizes),
		cmocka_unit_test(bad_headers),
		cmocka_unit_test(bad_tokens),
		cmocka_unit_test(bad_properties),
		cmocka_unit_test(endless_name),
		cmocka_unit_test(made_tree_cut_and_changed),
		cmocka_unit_test(trees_from_files),
	};

	(void)argc;
	files = argv + 1;
	return cmocka_run_group_tests_name("fdt", tests, setup, teardown);
}
