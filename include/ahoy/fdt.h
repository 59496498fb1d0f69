/* SPDX-License-Identifier: MIT */
/*
 * A reader of flattened device trees (Devicetree Specification 0.4, chapter 5)
 * that goes through the structure block once, in order, and trusts nothing:
 * whatever the bytes are, it reads none outside the blob and comes to an end.
 */
#ifndef AHOY_FDT_H
#define AHOY_FDT_H

#include <ahoy/compiler.h>
#include <ahoy/errno.h>
#include <ahoy/types.h>

#define FDT_MAGIC	0xd00dfeed
#define FDT_HEADER_SIZE 40

/* Larger trees are refused (Linux's RISC-V boot protocol has the same limit). */
#define FDT_MAX_SIZE 0x200000

enum fdt_token {
	FDT_BEGIN_NODE = 1,
	FDT_END_NODE = 2,
	FDT_PROP = 3,
	FDT_NOP = 4,
	FDT_END = 9,
};

/* Where the reader is. All pointers lead into the blob. */
struct fdt_cursor {
	const u8 *next;	     /* next token, 4-byte aligned */
	const u8 *end;	     /* of the structure block */
	const char *strings; /* the last byte of this block is zero */
	unsigned long strings_size;

	/* the token last read */
	const char *name;  /* of the node or property, zero-terminated */
	const u8 *value;   /* of the property */
	unsigned long len; /* of the value, in bytes */
};

/* Big-endian words and doublewords, at any address. */
static inline u32 fdt_read32(const void *p)
{
	const u8 *b = p;

	return (u32)b[0] << 24 | (u32)b[1] << 16 | (u32)b[2] << 8 | b[3];
}

static inline u64 fdt_read64(const void *p)
{
	return (u64)fdt_read32(p) << 32 | fdt_read32((const u8 *)p + 4);
}

/*
 * The size of the whole tree, from its first 8 bytes, which must be readable.
 * Return: bytes, or a negative errno: -EINVAL if @blob is NULL or not 4-byte
 * aligned, -ENODATA if there is no magic number, -E2BIG if the tree is larger
 * than FDT_MAX_SIZE or smaller than its header.
 */
long fdt_size(const void *blob);

/*
 * Begin to read the tree of @size bytes (from fdt_size()) at @blob. Return: 0,
 * or a negative errno: -EOPNOTSUPP for a version it cannot be read as (17 is
 * read), -EOVERFLOW if a block lies outside the tree or is misaligned, -EINVAL
 * if the strings block is not terminated.
 */
int fdt_open(struct fdt_cursor *cursor, const void *blob, size_t size);

/*
 * Entry @index of the memory reservation block of an opened tree. Return: true
 * and the range in *@base and *@size, or false after the last.
 */
bool fdt_reservation(const void *blob, size_t blob_size, unsigned int index, u64 *base, u64 *size);

/*
 * Is @string in the list of zero-terminated strings of @len bytes at @list?
 * The last string need not be terminated.
 */
bool fdt_stringlist_contains(const char *list, u32 len, const char *string);

/*
 * The step from token to token is inline: the kernel spends more instructions
 * here than anywhere else on the way to the line. Tokens are compared without
 * swapping their bytes, numbers below 65536 are put together from two bytes,
 * and of names every fourth byte is looked at.
 */

/* A token as it lies in memory, read as a little-endian word. */
#define FDT_RAW(token) ((u32)(token) << 24)

/* @p: 4-byte aligned. */
static __always_inline u32 fdt_load_raw(const u8 *p)
{
	return *(const u32 *)(const void *)p;
}

/* A big-endian word at @p, 4-byte aligned; the upper half is mostly zero. */
static __always_inline unsigned long fdt_load32(const u8 *p)
{
	unsigned long byte2 = p[2], low;

	/* Else GCC makes a halfword of the two bytes, and swaps it the long way. */
	OPTIMIZER_HIDE_VAR(byte2);
	low = byte2 << 8 | p[3];
	if (likely(!*(const u16 *)(const void *)p))
		return low;
	return (unsigned long)p[0] << 24 | (unsigned long)p[1] << 16 | low;
}

/* The same where most are below 256, as lengths are. */
static __always_inline unsigned long fdt_load_len(const u8 *p)
{
	u32 raw = fdt_load_raw(p);

	return likely(!(raw << 8)) ? raw >> 24 : fdt_read32(p);
}

/*
 * The first word boundary behind the node name at @p, or NULL. It is padded
 * with zeros (5.4.1), so that the last byte of a word says whether it is the last.
 */
static __always_inline const u8 *fdt_skip_name(const u8 *p, const u8 *end)
{
	for (; p < end; p += 4)
		if (!p[3])
			return p + 4;
	return NULL;
}

/*
 * The number in @cells 32-bit words at @p, 4-byte aligned; no words read as 0.
 * What does not fit reads as the largest u64.
 */
static __always_inline u64 fdt_read_cells(const u8 *p, u32 cells)
{
	u64 value = 0;

	for (; cells; cells--, p += 4) {
		if (unlikely(value >> 32))
			return U64_MAX;
		value = value << 32 | fdt_load32(p);
	}
	return value;
}

/*
 * The first word boundary behind a property whose two header words begin at
 * @p, or NULL if it does not end within the block.
 */
static __always_inline const u8 *fdt_skip_prop(const u8 *p, const u8 *end, unsigned long *len)
{
	const u8 *value = p + 8;

	if (unlikely(value > end))
		return NULL;
	*len = fdt_load_len(p);
	if (unlikely(*len > (unsigned long)(end - value)))
		return NULL;
	/* The block's end is aligned, so that padding stays inside. */
	return value + ALIGN(*len, 4);
}

/*
 * Read the next token, past NOPs. Return: FDT_BEGIN_NODE (name is set),
 * FDT_PROP (name, value and len are set), FDT_END_NODE, FDT_END; or -EINVAL if
 * the bytes are no token or it reaches beyond its block, and then again and
 * again. The caller keeps count of depth. Context: any.
 */
static __always_inline int fdt_next(struct fdt_cursor *cursor)
{
	const u8 *p = cursor->next, *end = cursor->end;
	unsigned long nameoff;

	while (likely(p < end)) {
		u32 raw = fdt_load_raw(p);

		p += 4;
		if (raw == FDT_RAW(FDT_PROP)) {
			cursor->value = p + 8;
			cursor->next = fdt_skip_prop(p, end, &cursor->len);
			if (unlikely(!cursor->next))
				break;
			nameoff = fdt_load32(p + 4);
			if (unlikely(nameoff >= cursor->strings_size))
				break;
			cursor->name = cursor->strings + nameoff;
			return FDT_PROP;
		}
		if (raw == FDT_RAW(FDT_BEGIN_NODE)) {
			cursor->name = (const char *)p;
			cursor->next = fdt_skip_name(p, end);
			if (unlikely(!cursor->next))
				break;
			return FDT_BEGIN_NODE;
		}
		cursor->next = p;
		if (raw == FDT_RAW(FDT_END_NODE))
			return FDT_END_NODE;
		if (raw == FDT_RAW(FDT_END))
			return FDT_END;
		if (raw != FDT_RAW(FDT_NOP))
			break;
	}
	cursor->next = end;
	return -EINVAL;
}

/*
 * Skip what is left of a node, its children included: call between
 * FDT_BEGIN_NODE and the matching FDT_END_NODE, which it reads. This is the
 * cheap way past what nobody needs. @next, @end: as in the cursor. Return: the
 * new next, or NULL as fdt_next() returns -EINVAL. Context: any.
 */
static inline const u8 *fdt_skip_node(const u8 *next, const u8 *end)
{
	const u8 *p = next;
	unsigned long depth = 1, len;

	while (p && p < end) {
		u32 raw = fdt_load_raw(p);

		p += 4;
		if (raw == FDT_RAW(FDT_PROP)) {
			p = fdt_skip_prop(p, end, &len);
		} else if (raw == FDT_RAW(FDT_BEGIN_NODE)) {
			p = fdt_skip_name(p, end);
			depth++;
		} else if (raw == FDT_RAW(FDT_END_NODE)) {
			if (--depth == 0)
				return p;
		} else if (raw != FDT_RAW(FDT_NOP)) {
			break;
		}
	}
	return NULL;
}

#endif
