// SPDX-License-Identifier: MIT
/* The reader of cpio archives; cpio.h tells what it gives. */
#include <ahoy/compiler.h>
#include <ahoy/cpio.h>
#include <ahoy/errno.h>
#include <ahoy/string.h>

/* Fields of a header, 8 hexadecimal digits each, behind the 6 characters of the magic number. */
enum field {
	FIELD_INO,
	FIELD_MODE,
	FIELD_UID,
	FIELD_GID,
	FIELD_NLINK,
	FIELD_MTIME,
	FIELD_FILESIZE,
	FIELD_DEV_MAJOR,
	FIELD_DEV_MINOR,
	FIELD_RDEV_MAJOR,
	FIELD_RDEV_MINOR,
	FIELD_NAMESIZE,
	FIELD_CHECK,
	FIELDS,
};

#define MAGIC_SIZE  6
#define MAGIC_4	    0x37303730 /* "0707", as a word in memory */
#define FIELD_SIZE  8
#define HEADER_SIZE (MAGIC_SIZE + FIELDS * FIELD_SIZE)

/* Of a mode: the type of file, and that of regular ones. */
#define MODE_TYPE    0170000
#define MODE_REGULAR 0100000

#define TRAILER "TRAILER!!!"

/* The same byte in all eight of a word. */
#define BYTES(b) ((b)*0x0101010101010101ULL)

/*
 * The value of 8 hexadecimal digits, the first of which is the lowest byte of
 * @text, or -1. All are looked at together: headers are read before the first
 * program runs. Apart from who calls it: GCC would begin with it before it is known
 * that it is needed.
 */
static noinline s64 hex_value(u64 text)
{
	u64 letters, value, digits;

	letters = (text >> 6) & BYTES(1);
	value = (text & BYTES(15)) + letters * 9;
	if (value & BYTES(0xf0))
		return -1;
	/* Values become digits again: only proper ones come out as they went in. */
	digits = BYTES('0') + value + ((value + BYTES(6)) >> 4 & BYTES(1)) * ('a' - '0' - 10);
	if (digits != (text | letters << 5))
		return -1;
	value = (value << 4 | value >> 8) & 0x00ff00ff00ff00ffULL;
	value = (value << 8 | value >> 16) & 0x0000ffff0000ffffULL;
	return (value << 16 | value >> 32) & U32_MAX;
}

/* The characters of a field, which starts two bytes behind a multiple of 4. */
static u64 field_text(const char *p)
{
	u64 first = *(const u16 *)p;
	u64 middle = *(const u32 *)(p + 2);
	u64 last = *(const u16 *)(p + 6);

	/* Else GCC makes one number of all three, and reads that by halfwords. */
	OPTIMIZER_HIDE_VAR(middle);
	return first | middle << 16 | last << 48;
}

/* The sum that archives with sums have of each regular file's data. */
static u32 sum(const u8 *data, u32 size)
{
	u32 result = 0;

	while (size--)
		result += *data++;
	return result;
}

static int damaged(struct cpio *cpio, const char *error)
{
	cpio->error = error;
	return -EINVAL;
}

/* Take the header at cpio->header apart. Return: NULL, or what is wrong with it. */
static const char *read_fields(const struct cpio *cpio, u32 fields[FIELDS])
{
	const char *p = cpio->start + cpio->header;

	if (cpio->size - cpio->header < HEADER_SIZE)
		return "the archive ends inside the header";
	if (*(const u32 *)p != MAGIC_4 || p[4] != '0' || (p[5] != '1' && p[5] != '2'))
		return "no header of a newc archive (070701 or 070702)";
	for (unsigned int i = 0; i < FIELDS; i++) {
		u64 text = field_text(p + MAGIC_SIZE + i * FIELD_SIZE);
		/* Most are zeroes. */
		s64 value = text == BYTES('0') ? 0 : hex_value(text);

		if (value < 0)
			return "a field of the header is not hexadecimal";
		fields[i] = (u32)value;
	}
	return NULL;
}

/* Where the name's data starts, from the archive's start. */
static size_t data_offset(const struct cpio *cpio, const u32 fields[FIELDS])
{
	return ALIGN(cpio->header + HEADER_SIZE + fields[FIELD_NAMESIZE], CPIO_ALIGN);
}

/* Whether the data's sum, if there is one, is not that of the data. */
static bool sum_is_wrong(const struct cpio *cpio, const u32 fields[FIELDS])
{
	const char *header = cpio->start + cpio->header;

	return header[MAGIC_SIZE - 1] == '2' && fields[FIELD_FILESIZE] &&
	       (fields[FIELD_MODE] & MODE_TYPE) == MODE_REGULAR &&
	       sum((const u8 *)cpio->start + data_offset(cpio, fields), fields[FIELD_FILESIZE]) !=
		       fields[FIELD_CHECK];
}

/* Check name and data. Return: NULL, or what is wrong with them. */
static const char *check_contents(struct cpio *cpio, const u32 fields[FIELDS])
{
	const char *name = cpio->start + cpio->header + HEADER_SIZE;
	size_t left = cpio->size - cpio->header - HEADER_SIZE, data;
	u32 namesize = fields[FIELD_NAMESIZE], size = fields[FIELD_FILESIZE];

	if (namesize > CPIO_NAME_MAX)
		return "the name is too long";
	if (namesize > left)
		return "the archive ends inside the name";
	if (namesize < 2 || name[namesize - 1] || !name[0])
		return "the name is empty or does not end";
	cpio->name = name;
	data = data_offset(cpio, fields);
	if (size && (data > cpio->size || size > cpio->size - data))
		return "the archive ends inside the data";
	if (sum_is_wrong(cpio, fields))
		return "the data's sum is wrong";
	return NULL;
}

static void fill_entry(const struct cpio *cpio, const u32 fields[FIELDS], struct cpio_entry *entry)
{
	*entry = (struct cpio_entry){
		.name = cpio->name,
		.data = cpio->start + min_t(size_t, data_offset(cpio, fields), cpio->size),
		.size = fields[FIELD_FILESIZE],
		.ino = fields[FIELD_INO],
		.mode = fields[FIELD_MODE],
		.uid = fields[FIELD_UID],
		.gid = fields[FIELD_GID],
		.nlink = fields[FIELD_NLINK],
		.mtime = fields[FIELD_MTIME],
		.dev_major = fields[FIELD_DEV_MAJOR],
		.dev_minor = fields[FIELD_DEV_MINOR],
		.rdev_major = fields[FIELD_RDEV_MAJOR],
		.rdev_minor = fields[FIELD_RDEV_MINOR],
	};
}

/* Go over the zeroes in front of an archive. Return: whether there is one. */
static bool next_archive(struct cpio *cpio)
{
	while (cpio->size - cpio->next >= CPIO_ALIGN && !*(const u32 *)(cpio->start + cpio->next))
		cpio->next += CPIO_ALIGN;
	for (size_t i = cpio->next; i < cpio->size; i++)
		if (cpio->start[i])
			return true;
	return false;
}

void cpio_open(struct cpio *cpio, const void *archive, size_t size)
{
	*cpio = (struct cpio){ .start = archive, .size = size, .name = "" };
}

int cpio_next(struct cpio *cpio, struct cpio_entry *entry)
{
	u32 fields[FIELDS];
	const char *error;

	while (!cpio->error) {
		if (!cpio->inside && !next_archive(cpio))
			return 0;
		cpio->header = cpio->next;
		cpio->name = "";
		if (cpio->header == cpio->size)
			return damaged(cpio, "the archive ends without a trailer");
		error = read_fields(cpio, fields);
		if (!error)
			error = check_contents(cpio, fields);
		if (error)
			return damaged(cpio, error);
		cpio->next = min_t(size_t, cpio->size,
				   ALIGN(data_offset(cpio, fields) + fields[FIELD_FILESIZE],
					 CPIO_ALIGN));
		cpio->inside = strcmp(cpio->name, TRAILER) != 0;
		if (cpio->inside) {
			fill_entry(cpio, fields, entry);
			return 1;
		}
	}
	return -EINVAL;
}
