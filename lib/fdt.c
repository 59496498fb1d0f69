// SPDX-License-Identifier: MIT
/*
 * The reader's cost is the kernel's largest on the way to the line, hence some
 * care: tokens are compared without swapping their bytes, lengths below 64 KiB
 * are put together from two bytes, and names are searched for their zero a
 * word at a time.
 */
#include <ahoy/compiler.h>
#include <ahoy/errno.h>
#include <ahoy/fdt.h>
#include <ahoy/string.h>

/* Byte offsets in the header */
#define OFF_MAGIC	     0
#define OFF_TOTALSIZE	     4
#define OFF_DT_STRUCT	     8
#define OFF_DT_STRINGS	     12
#define OFF_MEM_RSVMAP	     16
#define OFF_VERSION	     20
#define OFF_LAST_COMP	     24
#define OFF_SIZE_DT_STRINGS  32
#define OFF_SIZE_DT_STRUCT   36

#define FDT_VERSION 17

/* A token as it lies in memory, read as a little-endian word. */
#define RAW(token) ((u32)(token) << 24)

static __always_inline u32 load32(const u8 *p)
{
	return *(const u32 *)(const void *)p;
}

static __always_inline u32 swap32(u32 raw)
{
	if (likely(!(raw & 0xffff)))
		return (raw >> 8 & 0xff00) | raw >> 24;
	return raw >> 24 | (raw >> 8 & 0xff00) | (raw << 8 & 0xff0000) | raw << 24;
}

/* The first word boundary behind the zero that ends the text at @p, or NULL. */
static __always_inline const u8 *skip_text(const u8 *p, const u8 *end)
{
	for (; p < end; p += 4) {
		u32 word = load32(p);

		if ((word - 0x01010101) & ~word & 0x80808080)
			return p + 4;
	}
	return NULL;
}

/*
 * The first word boundary behind a property whose two header words begin at
 * @p, or NULL if it does not end within the block.
 */
static __always_inline const u8 *skip_prop(const u8 *p, const u8 *end, u32 *len)
{
	size_t room = end - p;

	if (unlikely(room < 8))
		return NULL;
	*len = swap32(load32(p));
	room -= 8;
	if (unlikely(*len > room))
		return NULL;
	/* The block's end is aligned, so that padding stays inside. */
	return p + 8 + ALIGN((size_t)*len, 4);
}

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

int fdt_next(struct fdt_cursor *cursor)
{
	const u8 *p = cursor->next, *end = cursor->end;
	u32 nameoff;

	while (p < end) {
		u32 raw = load32(p);

		p += 4;
		switch (raw) {
		case RAW(FDT_PROP):
			cursor->value = p + 8;
			cursor->next = skip_prop(p, end, &cursor->len);
			if (unlikely(!cursor->next))
				goto bad;
			nameoff = swap32(load32(p + 4));
			if (unlikely(nameoff >= cursor->strings_size))
				goto bad;
			cursor->name = cursor->strings + nameoff;
			return FDT_PROP;
		case RAW(FDT_BEGIN_NODE):
			cursor->name = (const char *)p;
			cursor->next = skip_text(p, end);
			if (unlikely(!cursor->next))
				goto bad;
			return FDT_BEGIN_NODE;
		case RAW(FDT_END_NODE):
			cursor->next = p;
			return FDT_END_NODE;
		case RAW(FDT_NOP):
			continue;
		case RAW(FDT_END):
			cursor->next = p;
			return FDT_END;
		default:
			goto bad;
		}
	}
bad:
	/* Whoever goes on all the same gets the same answer. */
	cursor->next = end;
	return -EINVAL;
}

int fdt_skip_node(struct fdt_cursor *cursor)
{
	const u8 *p = cursor->next, *end = cursor->end;
	unsigned int depth = 1;
	u32 len;

	while (p && p < end) {
		u32 raw = load32(p);

		p += 4;
		if (raw == RAW(FDT_PROP)) {
			p = skip_prop(p, end, &len);
		} else if (raw == RAW(FDT_BEGIN_NODE)) {
			p = skip_text(p, end);
			depth++;
		} else if (raw == RAW(FDT_END_NODE)) {
			if (--depth == 0) {
				cursor->next = p;
				return 0;
			}
		} else if (raw != RAW(FDT_NOP)) {
			break;
		}
	}
	cursor->next = end;
	return -EINVAL;
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

u64 fdt_read_cells(const u8 *p, u32 cells)
{
	u64 value = 0;

	for (; cells; cells--, p += 4) {
		if (value >> 32)
			return U64_MAX;
		value = value << 32 | fdt_read32(p);
	}
	return value;
}
