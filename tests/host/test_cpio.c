// SPDX-License-Identifier: MIT
/* lib/cpio.c: what whole archives hold, and what is said of damaged ones. */
#include "lib.h"

#include <cmocka.h>
#include <sys/stat.h>

#include "guard.h"

#define HEADER_SIZE 110

/* An archive that grows; it ends where memory ends, once it is read. */
struct builder {
	char bytes[32768];
	size_t size;
};

struct member {
	const char *name;
	const char *data;
	unsigned int mode;
	unsigned int namesize; /* 0: as long as the name */
	char magic;	       /* '1' or '2'; 0: '1' */
	unsigned int sum_error;
};

static void pad(struct builder *b, size_t align)
{
	while (b->size % align)
		b->bytes[b->size++] = '\0';
}

static void add(struct builder *b, struct member m)
{
	size_t size = m.data ? strlen(m.data) : 0;
	unsigned int namesize = m.namesize ? m.namesize : (unsigned int)strlen(m.name) + 1;
	unsigned int sum = m.sum_error;

	for (size_t i = 0; m.magic == '2' && i < size; i++)
		sum += (unsigned char)m.data[i];
	sprintf(b->bytes + b->size, "07070%c%08x%08X%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08x%08x",
		m.magic ? m.magic : '1', 0xdeadbeefU, m.mode, 1000, 100, 2, 0x12345678, size, 3, 4,
		5, 0xffffffffU, namesize, sum);
	b->size += HEADER_SIZE;
	memset(b->bytes + b->size, 0, namesize);
	memcpy(b->bytes + b->size, m.name, strlen(m.name));
	b->size += namesize;
	pad(b, 4);
	if (size)
		memcpy(b->bytes + b->size, m.data, size);
	b->size += size;
	pad(b, 4);
}

static void add_trailer(struct builder *b)
{
	add(b, (struct member){ .name = "TRAILER!!!" });
}

/* A file of three bytes, a folder, a link, and the trailer. */
static struct builder *small(void)
{
	static struct builder b;

	b.size = 0;
	add(&b, (struct member){ .name = "init", .data = "abc", .mode = S_IFREG | 0755 });
	add(&b, (struct member){ .name = "dev", .mode = S_IFDIR | 0755 });
	add(&b, (struct member){ .name = "bin/x", .data = "../init", .mode = S_IFLNK | 0777 });
	add_trailer(&b);
	return &b;
}

/* Read all, in memory that ends with the archive. Return: how many entries, or the error. */
static int read_all(const struct builder *b, struct cpio *cpio)
{
	static struct guarded g;
	struct cpio_entry entry;
	int count = 0, err;

	if (!g.start)
		g = guarded_alloc(sizeof(b->bytes));
	/* Its start must be aligned, and so a size that is not leaves up to 3 bytes. */
	cpio_open(cpio, memcpy(g.end - ALIGN(b->size, 4), b->bytes, b->size), b->size);
	while ((err = cpio_next(cpio, &entry)) > 0) {
		assert_true(entry.name[0]);
		if (entry.size)
			assert_true((const char *)entry.data + entry.size <= g.end);
		count++;
	}
	/* It stays so. */
	assert_int_equal(cpio_next(cpio, &entry), err);
	return err ? err : count;
}

static void assert_damaged(const struct builder *b, size_t header, const char *name,
			   const char *text)
{
	struct cpio cpio;

	assert_int_equal(read_all(b, &cpio), -EINVAL);
	if (!strstr(cpio.error, text))
		print_error("\"%s\" says nothing of \"%s\"\n", cpio.error, text);
	assert_non_null(strstr(cpio.error, text));
	assert_int_equal(cpio.header, header);
	assert_string_equal(cpio.name, name);
}

static void entries(void **state)
{
	const struct builder *b = small();
	struct cpio_entry entry;
	struct cpio cpio;

	(void)state;
	cpio_open(&cpio, b->bytes, b->size);
	assert_int_equal(cpio_next(&cpio, &entry), 1);
	assert_string_equal(entry.name, "init");
	assert_int_equal(entry.size, 3);
	assert_memory_equal(entry.data, "abc", 3);
	assert_int_equal(entry.mode, S_IFREG | 0755);
	assert_int_equal(entry.ino, 0xdeadbeef);
	assert_int_equal(entry.uid, 1000);
	assert_int_equal(entry.gid, 100);
	assert_int_equal(entry.nlink, 2);
	assert_int_equal(entry.mtime, 0x12345678);
	assert_int_equal(entry.dev_major, 3);
	assert_int_equal(entry.dev_minor, 4);
	assert_int_equal(entry.rdev_major, 5);
	assert_int_equal(entry.rdev_minor, 0xffffffff);
	assert_int_equal(cpio_next(&cpio, &entry), 1);
	assert_string_equal(entry.name, "dev");
	assert_int_equal(entry.size, 0);
	assert_int_equal(cpio_next(&cpio, &entry), 1);
	assert_string_equal(entry.name, "bin/x");
	assert_memory_equal(entry.data, "../init", 7);
	assert_int_equal(cpio_next(&cpio, &entry), 0);
	assert_null(cpio.error);
}

/* Zeroes, nothing at all, and archives one after the other. */
static void whole_archives(void **state)
{
	static struct builder b;
	struct cpio cpio;

	(void)state;
	b.size = 0;
	assert_int_equal(read_all(&b, &cpio), 0);
	for (b.size = 0; b.size < 600; b.size++) {
		memset(b.bytes, 0, b.size);
		assert_int_equal(read_all(&b, &cpio), 0);
	}
	b = *small();
	for (size_t zeroes = 0; zeroes < 20; zeroes++) {
		assert_int_equal(read_all(&b, &cpio), 3);
		b.bytes[b.size++] = '\0';
	}
	pad(&b, 512);
	add(&b, (struct member){ .name = "second", .data = "x", .mode = S_IFREG });
	add_trailer(&b);
	assert_int_equal(read_all(&b, &cpio), 4);
	/* The trailer need not be filled up. */
	b.size -= 3;
	assert_int_equal(read_all(&b, &cpio), 4);
}

/* NULs behind a name, which is how data gets to where a page starts. */
static void padded_names(void **state)
{
	static struct builder b;
	struct cpio_entry entry;
	struct cpio cpio;

	(void)state;
	b.size = 0;
	add(&b, (struct member){ .name = "init", .data = "abc", .namesize = 4096 - HEADER_SIZE });
	add(&b, (struct member){ .name = "long", .data = "d", .namesize = CPIO_NAME_MAX });
	add_trailer(&b);
	assert_int_equal(read_all(&b, &cpio), 2);
	cpio_open(&cpio, b.bytes, b.size);
	assert_int_equal(cpio_next(&cpio, &entry), 1);
	assert_string_equal(entry.name, "init");
	assert_ptr_equal(entry.data, b.bytes + 4096);
}

static void sums(void **state)
{
	static struct builder b;
	struct cpio cpio;
	size_t at;

	(void)state;
	b.size = 0;
	add(&b,
	    (struct member){ .name = "good", .data = "abc\xff", .mode = S_IFREG, .magic = '2' });
	add(&b, (struct member){ .name = "link",
				 .data = "good",
				 .mode = S_IFLNK,
				 .magic = '2',
				 .sum_error = 7 });
	add(&b, (struct member){ .name = "empty", .mode = S_IFREG, .magic = '2', .sum_error = 7 });
	at = b.size;
	add(&b,
	    (struct member){
		    .name = "bad", .data = "abc", .mode = S_IFREG, .magic = '2', .sum_error = 1 });
	add_trailer(&b);
	assert_damaged(&b, at, "bad", "sum is wrong");
	/* Without sums the field means nothing. */
	b.bytes[at + 5] = '1';
	assert_int_equal(read_all(&b, &cpio), 4);
}

/* Cut off anywhere: whatever is whole before that is read, and then there is an error. */
static void cut_off(void **state)
{
	struct builder *b = small();
	size_t size = b->size;
	struct cpio cpio;

	(void)state;
	/* Three bytes behind the trailer's name are not missed. */
	for (b->size = 1; b->size < size - 3; b->size++) {
		assert_int_equal(read_all(b, &cpio), -EINVAL);
		assert_true(cpio.header <= b->size);
		assert_non_null(cpio.error);
	}
}

/* Each character of each field as each byte: digits are read, all else is refused. */
static void digits(void **state)
{
	static struct builder b;
	struct cpio_entry entry;
	struct cpio cpio;

	(void)state;
	b.size = 0;
	add(&b, (struct member){ .name = "x" });
	add_trailer(&b);
	for (size_t at = 6; at < HEADER_SIZE; at++) {
		char before = b.bytes[at];

		for (int c = 0; c < 256; c++) {
			/* The host's library takes a NUL for a digit's end. */
			bool good = c && strchr("0123456789abcdefABCDEF", c);
			int err;

			b.bytes[at] = (char)c;
			cpio_open(&cpio, b.bytes, b.size);
			err = cpio_next(&cpio, &entry);
			if (!good) {
				assert_int_equal(err, -EINVAL);
				assert_non_null(strstr(cpio.error, "not hexadecimal"));
			} else if (at >= 14 && at < 22) {
				char text[9] = { 0 };

				memcpy(text, b.bytes + 14, 8);
				assert_int_equal(err, 1);
				assert_int_equal(entry.mode, strtoul(text, NULL, 16));
			}
		}
		b.bytes[at] = before;
	}
}

static void magic(void **state)
{
	struct builder *b = small();

	(void)state;
	for (size_t at = 0; at < 6; at++) {
		char before = b->bytes[at];

		b->bytes[at] ^= 4;
		assert_damaged(b, 0, "", "no header of a newc archive");
		b->bytes[at] = before;
	}
	/* Old formats: octal digits, and binary numbers. */
	b->bytes[5] = '7';
	assert_damaged(b, 0, "", "no header");
	b->bytes[0] = (char)0xc7;
	b->bytes[1] = 0x71;
	assert_damaged(b, 0, "", "no header");
}

/* Set a field of the header at @at. */
static void set_field(struct builder *b, size_t at, unsigned int field, unsigned int value)
{
	char text[9];

	sprintf(text, "%08x", value);
	memcpy(b->bytes + at + 6 + (size_t)field * 8, text, 8);
}

#define FILESIZE 6
#define NAMESIZE 11

static void sizes(void **state)
{
	static const unsigned int huge[] = { 0x7fffffff, 0x80000000, 0xfffffffc, 0xffffffff };
	struct builder b = *small();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(huge); i++) {
		set_field(&b, 0, FILESIZE, huge[i]);
		assert_damaged(&b, 0, "init", "ends inside the data");
		set_field(&b, 0, FILESIZE, 3);
		set_field(&b, 0, NAMESIZE, huge[i]);
		assert_damaged(&b, 0, "", "name is too long");
		set_field(&b, 0, NAMESIZE, 5);
	}
	set_field(&b, 0, NAMESIZE, CPIO_NAME_MAX + 1);
	assert_damaged(&b, 0, "", "name is too long");
	set_field(&b, 0, NAMESIZE, CPIO_NAME_MAX);
	assert_damaged(&b, 0, "", "ends inside the name");
	set_field(&b, 0, NAMESIZE, 0);
	assert_damaged(&b, 0, "", "name is empty");
	set_field(&b, 0, NAMESIZE, 1);
	assert_damaged(&b, 0, "", "name is empty");
	set_field(&b, 0, NAMESIZE, 4);
	assert_damaged(&b, 0, "", "does not end");
	set_field(&b, 0, NAMESIZE, 5);
	b.bytes[HEADER_SIZE] = '\0';
	assert_damaged(&b, 0, "", "name is empty");
}

/* What stands behind a trailer is zeroes or another archive. */
static void garbage_behind(void **state)
{
	for (size_t zeroes = 0; zeroes < 8; zeroes++) {
		struct builder b = *small();
		size_t at = b.size + ALIGN_DOWN(zeroes, 4);

		(void)state;
		b.size += zeroes;
		b.bytes[b.size++] = '0';
		assert_damaged(&b, at, "", "ends inside the header");
		memset(b.bytes + b.size, 'x', 200);
		b.size += 200;
		assert_damaged(&b, at, "", "no header");
	}
}

static void no_trailer(void **state)
{
	static struct builder b;

	(void)state;
	b.size = 0;
	add(&b, (struct member){ .name = "init", .data = "abcd" });
	assert_damaged(&b, b.size, "", "without a trailer");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries),	  cmocka_unit_test(whole_archives),
		cmocka_unit_test(padded_names),	  cmocka_unit_test(sums),
		cmocka_unit_test(cut_off),	  cmocka_unit_test(digits),
		cmocka_unit_test(magic),	  cmocka_unit_test(sizes),
		cmocka_unit_test(garbage_behind), cmocka_unit_test(no_trailer),
	};

	return cmocka_run_group_tests_name("cpio", tests, NULL, NULL);
}
