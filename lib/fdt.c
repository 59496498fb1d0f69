// SPDX-License-Identifier: MIT
/* What of the reader is needed once for a tree; the rest is inline in the header. */
#include <ahoy/compiler.h>
#include <ahoy/errno.h>
#include <ahoy/fdt.h>
#include <ahoy/string.h>

/* Byte offsets in the header */
#define OFF_MAGIC	    0
#define OFF_TOTALSIZE	    4
#define OFF_DT_STRUCT	    8
#define OFF_DT_STRINGS	    12
#define OFF_MEM_RSVMAP	    16
#define OFF_VERSION	    20
#define OFF_LAST_COMP	    24
#define OFF_SIZE_DT_STRINGS 32
#define OFF_SIZE_DT_STRUCT  36

#define FDT_VERSION 17

long fdt_size(const void *blob)
{
	u32 size;

	if (!blob || !IS_ALIGNED((uintptr_t)blob, 4))
		return -EINVAL;
	if (fdt_read32((const u8 *)blob + OFF_MAGIC) != FDT_MAGIC)
		return -ENODATA;
	size = fdt_read32((const u8 *)blob + OFF_TOTALSIZE);
	if (size < FDT_HEADER_SIZE || size > FDT_MAX_SIZE)
		return -E2BIG;
	return size;
}

static bool inside(u32 offset, u32 len, size_t size)
{
	return offset <= size && len <= size - offset;
}

int fdt_open(struct fdt_cursor *cursor, const void *blob, size_t size)
{
	const u8 *header = blob;
	u32 structs, structs_size, strings, strings_size;

	if (fdt_read32(header + OFF_LAST_COMP) > FDT_VERSION ||
	    fdt_read32(header + OFF_VERSION) < FDT_VERSION)
		return -EOPNOTSUPP;
	structs = fdt_read32(header + OFF_DT_STRUCT);
	structs_size = fdt_read32(header + OFF_SIZE_DT_STRUCT);
	strings = fdt_read32(header + OFF_DT_STRINGS);
	strings_size = fdt_read32(header + OFF_SIZE_DT_STRINGS);
	if (!inside(structs, structs_size, size) || !inside(strings, strings_size, size) ||
	    !IS_ALIGNED(structs, 4))
		return -EOVERFLOW;
	if (strings_size && header[strings + strings_size - 1] != 0)
		return -EINVAL;

	*cursor = (struct fdt_cursor){
		.next = header + structs,
		.end = header + structs + ALIGN_DOWN(structs_size, 4),
		.strings = (const char *)header + strings,
		.strings_size = strings_size,
	};
	return 0;
}

bool fdt_reservation(const void *blob, size_t blob_size, unsigned int index, u64 *base, u64 *size)
{
	const u8 *header = blob;
	u64 offset = fdt_read32(header + OFF_MEM_RSVMAP) + 16ULL * index;

	if (offset + 16 > blob_size)
		return false;
	*base = fdt_read64(header + offset);
	*size = fdt_read64(header + offset + 8);
	return *base || *size;
}

bool fdt_stringlist_contains(const char *list, u32 len, const char *string)
{
	size_t size = strlen(string);

	while (len >= size) {
		size_t here;

		if (!memcmp(list, string, size) && (len == size || !list[size]))
			return true;
		here = strnlen(list, len);
		if (here == len)
			return false;
		list += here + 1;
		len -= here + 1;
	}
	return false;
}
