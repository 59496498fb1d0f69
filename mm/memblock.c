// SPDX-License-Identifier: MIT
/*
 * Tables of memory regions, filled while the device tree is read and asked
 * afterwards. They are small and unsorted: what asks is bounded by their size.
 */
#include <ahoy/compiler.h>
#include <ahoy/memblock.h>
#include <ahoy/panic.h>
#include <ahoy/printk.h>
#include <ahoy/section.h>

#define MAX_BANKS    16
#define MAX_RESERVED 32

struct region {
	phys_addr_t start, end; /* end: first byte behind */
	bool nomap;
};

struct region_table {
	const char *what;
	unsigned int count, max;
	struct region *regions;
};

static struct region bank_regions[MAX_BANKS] __noinit;
static struct region reserved_regions[MAX_RESERVED] __noinit;
static struct region_table banks = { "memory", 0, MAX_BANKS, bank_regions };
static struct region_table reserved = { "reserved memory", 0, MAX_RESERVED, reserved_regions };

/* Return: false if the table is full, which is reported. */
static bool add(struct region_table *table, phys_addr_t base, u64 size, bool nomap)
{
	phys_addr_t end = base + size;

	if (size == 0)
		return true;
	if (end < base)
		end = U64_MAX;
	if (table->count == table->max) {
		pr_err("%s: no room for 0x%llx-0x%llx, only %u regions are kept\n", table->what,
		       base, end - 1, table->max);
		return false;
	}
	pr_debug("%s: 0x%llx-0x%llx%s\n", table->what, base, end - 1, nomap ? " (no-map)" : "");
	table->regions[table->count++] = (struct region){ base, end, nomap };
	return true;
}

void memblock_add(phys_addr_t base, u64 size)
{
	add(&banks, base, size, false);
}

void memblock_reserve(phys_addr_t base, u64 size, bool nomap)
{
	if (!add(&reserved, base, size, nomap) && nomap)
		panic("more than %u reserved regions, and this one must not be touched: 0x%llx",
		      MAX_RESERVED, base);
}

bool memblock_has_memory(void)
{
	return banks.count != 0;
}

bool memblock_overlaps_memory(phys_addr_t base, u64 size)
{
	unsigned int i;

	for (i = 0; i < banks.count; i++)
		if (base < bank_regions[i].end && base + size > bank_regions[i].start)
			return true;
	return false;
}

/* The bank that @at lies in, else the first one behind it, or NULL. */
static const struct region *bank_from(phys_addr_t at)
{
	const struct region *best = NULL, *bank;

	for (bank = bank_regions; bank < bank_regions + banks.count; bank++)
		if (bank->end > at && (!best || bank->start < best->start))
			best = bank;
	return best;
}

bool memblock_next_mappable(phys_addr_t from, phys_addr_t *start, phys_addr_t *end)
{
	const struct region *bank, *hole;

again:
	bank = bank_from(from);
	if (!bank)
		return false;
	*start = max(from, bank->start);
	*end = bank->end;
	for (hole = reserved_regions; hole < reserved_regions + reserved.count; hole++) {
		if (!hole->nomap || hole->end <= *start || hole->start >= *end)
			continue;
		if (hole->start <= *start) {
			from = hole->end;
			goto again;
		}
		*end = hole->start;
	}
	return true;
}
