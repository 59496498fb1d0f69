/* SPDX-License-Identifier: MIT */
/*
 * A reader of flattened device trees (Devicetree Specification 0.4, chapter 5)
 * that goes through the structure block once, in order, and trusts nothing:
 * whatever the bytes are, it reads none outside the blob and comes to an end.
 */
#ifndef AHOY_FDT_H
#define AHOY_FDT_H

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
	u32 strings_size;

	/* the token last read */
	const char *name; /* of the node or property, zero-terminated */
	const u8 *value;  /* of the property */
	u32 len;	  /* of the value, in bytes */
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
 * Read the next token, past NOPs. Return: FDT_BEGIN_NODE (name is set),
 * FDT_PROP (name, value and len are set), FDT_END_NODE, FDT_END; or -EINVAL if
 * the bytes are no token or it reaches beyond its block. The caller keeps count
 * of depth. Context: any.
 */
int fdt_next(struct fdt_cursor *cursor);

/*
 * Skip what is left of a node, its children included: call between
 * FDT_BEGIN_NODE and the matching FDT_END_NODE, which it reads. This is the
 * cheap way past what nobody needs. Return: 0, or -EINVAL as fdt_next().
 */
int fdt_skip_node(struct fdt_cursor *cursor);

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
 * The number of @cells (1 or 2; 0 reads as 0) 32-bit words at @p, as one value.
 * More cells than two: the value of the last two if the others are zero, else
 * the largest u64.
 */
u64 fdt_read_cells(const u8 *p, u32 cells);

#endif
