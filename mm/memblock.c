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

static struct region banks[MAX_BANKS] __noinit;
static struct region reserved[MAX_RESERVED] __noinit;
static unsigned int bank_count, reserved_count;

static struct region make_region(phys_addr_t base, u64 size, bool nomap)
{
	phys_addr_t end = base + size < base ? U64_MAX : base + size;

	return (struct region){ base, end, nomap };
}

void memblock_add(phys_addr_t base, u64 size)
{
	/* The last byte of all cannot be told from none. */
	if (size == 0 || base == U64_MAX)
		return;
	if (bank_count == MAX_BANKS) {
		pr_err("memory: no room for 0x%llx, only %u banks are used\n", base, MAX_BANKS);
		return;
	}
	pr_debug("memory: 0x%llx, %llu KiB\n", base, size >> 10);
	banks[bank_count++] = make_region(base, size, false);
}

void memblock_reserve(phys_addr_t base, u64 size, bool nomap)
{
	if (size == 0)
		return;
	if (reserved_count == MAX_RESERVED)
		panic("memory: more than %u reserved regions, and 0x%llx must not be touched",
		      MAX_RESERVED, base);
	pr_debug("memory: 0x%llx, %llu KiB reserved%s\n", base, size >> 10,
		 nomap ? ", not to be mapped" : "");
	reserved[reserved_count++] = make_region(base, size, nomap);
}

bool memblock_has_memory(void)
{
	return bank_count != 0;
}

bool memblock_overlaps_memory(phys_addr_t base, u64 size)
{
	unsigned int i;

	/* Without sums, which a device tree could make overflow. */
	for (i = 0; i < bank_count; i++) {
		if (base < banks[i].start ? banks[i].start - base < size : base < banks[i].end)
			return true;
	}
	return false;
}

/* The bank that @at lies in, else the first one behind it, or NULL. */
static const struct region *bank_from(phys_addr_t at)
{
	const struct region *best = NULL, *bank;

	for (bank = banks; bank < banks + bank_count; bank++)
		if (bank->end > at && (!best || bank->start < best->start))
			best = bank;
	return best;
}

/* The first range from @from on that is RAM and that no region of the kind forbids. */
static bool next_range(phys_addr_t from, phys_addr_t *start, phys_addr_t *end, bool only_nomap)
{
	const struct region *bank, *hole;

again:
	bank = bank_from(from);
	if (!bank)
		return false;
	*start = max(from, bank->start);
	*end = bank->end;
	for (hole = reserved; hole < reserved + reserved_count; hole++) {
		if ((only_nomap && !hole->nomap) || hole->end <= *start || hole->start >= *end)
			continue;
		if (hole->start <= *start) {
			from = hole->end;
			goto again;
		}
		*end = hole->start;
	}
	return true;
}

bool memblock_next_mappable(phys_addr_t from, phys_addr_t *start, phys_addr_t *end)
{
	return next_range(from, start, end, true);
}

bool memblock_next_free(phys_addr_t from, phys_addr_t *start, phys_addr_t *end)
{
	return next_range(from, start, end, false);
}
