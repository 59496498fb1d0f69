/* SPDX-License-Identifier: MIT */
/* Which physical memory there is, and which of it is spoken for. */
#ifndef AHOY_MEMBLOCK_H
#define AHOY_MEMBLOCK_H

#include <ahoy/types.h>

#ifdef CONFIG_MEMBLOCK
/* There is RAM of @size bytes at @base. Context: boot. */
void memblock_add(phys_addr_t base, u64 size);

/*
 * Of it, @size bytes at @base are taken; with @nomap they must not even be
 * mapped (Devicetree Specification, 3.5.4). Context: boot.
 */
void memblock_reserve(phys_addr_t base, u64 size, bool nomap);

/* Has any RAM been added? */
bool memblock_has_memory(void);

/* Does [@base, @base + @size) touch RAM? */
bool memblock_overlaps_memory(phys_addr_t base, u64 size);

/*
 * The first range at or after @from that is RAM and that may be mapped.
 * Return: true and the range in [*@start, *@end), or false if there is none.
 */
bool memblock_next_mappable(phys_addr_t from, phys_addr_t *start, phys_addr_t *end);

/* The same for RAM that nobody has reserved. */
bool memblock_next_free(phys_addr_t from, phys_addr_t *start, phys_addr_t *end);
#else
static inline void memblock_add(phys_addr_t base, u64 size)
{
}

static inline void memblock_reserve(phys_addr_t base, u64 size, bool nomap)
{
}

static inline bool memblock_has_memory(void)
{
	return false;
}

static inline bool memblock_overlaps_memory(phys_addr_t base, u64 size)
{
	return false;
}
#endif
#endif
