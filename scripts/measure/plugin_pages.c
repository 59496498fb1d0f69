// SPDX-License-Identifier: MIT
/*
 * Pages of memory (4 KiB, physical) that instructions were fetched from, or
 * that were read or written, by mode. What page-table walkers and devices
 * touch by themselves is not seen; the kernel writes its tables anyway.
 *
 * Where the device tree lies, whose pages "top" leaves out, is known exactly
 * where QEMU tells a1 at the entry. Where it does not, the board's reset code
 * knows: it hands firmware the tree's address, a constant beside its
 * instructions, and OpenSBI hands on the same. Of these constants it is the one
 * where memory holds a tree's magic number.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "plugin.h"

#define PAGE_SHIFT 12
#define FDT_MAGIC  UINT32_C(0xd00dfeed)

static uint16_t *pages; /* a bit for each mode and access */
static uint64_t n_pages;
static const char *ram; /* where memory is for the host */
static uint64_t tree, tree_size;

static uint64_t reset_words[15];

static uint16_t bit(enum mode mode, enum access access)
{
	return (uint16_t)(1u << (mode * ACCESSES + access));
}

static uint64_t big_endian(const void *bytes, size_t n)
{
	const unsigned char *byte = bytes;
	uint64_t value = 0;

	while (n--)
		value = value << 8 | *byte++;
	return value;
}

/* Take a device tree's place if there is one. */
static void find_tree(uint64_t address)
{
	const char *header = ram + (address - option.base);

	if (tree_size || address < option.base || address + 8 > option.top || address % 8 ||
	    big_endian(header, 4) != FDT_MAGIC)
		return;
	tree = address;
	tree_size = big_endian(header + 4, 4);
}

/* The reset code's own constants: 64-bit words among the next 32-bit ones. */
void pages_reset_code(const char *host)
{
	for (size_t i = 0; i < sizeof(reset_words) / sizeof(*reset_words); i++)
		memcpy(&reset_words[i], host + 4 * i, sizeof(reset_words[i]));
}

void pages_start(const char *entry_host, uint64_t a1)
{
	if (!entry_host)
		die("the entry is not in memory", "");
	ram = entry_host - (option.entry - option.base);
	n_pages = (option.top - option.base) >> PAGE_SHIFT;
	pages = calloc(n_pages, sizeof(*pages));
	if (!pages)
		die("out of memory", "");
	if (a1) {
		find_tree(a1);
		return;
	}
	for (size_t i = 0; i < sizeof(reset_words) / sizeof(*reset_words); i++)
		find_tree(reset_words[i]);
}

void pages_touch(uint64_t phys, enum mode mode, enum access access)
{
	uint64_t page = (phys - option.base) >> PAGE_SHIFT;

	if (phys >= option.base && page < n_pages)
		pages[page] |= bit(mode, access);
}

/*
 * QEMU's blocks do not cross pages on RISC-V, but for a single instruction that
 * does. Unless it jumps, the next fetch is from its second page; if it does,
 * the second page is taken for the next one in memory too.
 */
void pages_block(const struct block *block, enum mode mode)
{
	const struct slot *last = &block->slots[block->n - 1];
	uint64_t phys;

	if (!block->host)
		return;
	phys = option.base + (uint64_t)(block->host - ram);
	pages_touch(phys, mode, FETCHED);
	phys += last->vaddr - block->slots[0].vaddr;
	if (last->kind != KIND_SEQ)
		pages_touch(phys + last->size - 1, mode, FETCHED);
}

void pages_finish(void)
{
	uint64_t total = 0, by_mode[MODES] = { 0 }, code = 0, written = 0, top = option.base;
	uint16_t masks[MODES], fetched = 0, stored = 0;

	for (int mode = 0; mode < MODES; mode++) {
		masks[mode] = bit(mode, FETCHED) | bit(mode, READ) | bit(mode, WRITTEN);
		fetched |= bit(mode, FETCHED);
		stored |= bit(mode, WRITTEN);
	}
	for (uint64_t page = 0; page < n_pages; page++) {
		uint64_t start = option.base + (page << PAGE_SHIFT);
		bool is_tree = start + (1 << PAGE_SHIFT) > tree && start < tree + tree_size;

		if (!pages[page])
			continue;
		total++;
		for (int mode = 0; mode < MODES; mode++)
			by_mode[mode] += !!(pages[page] & masks[mode]);
		code += !!(pages[page] & fetched);
		written += !!(pages[page] & stored);
		if (pages[page] & (masks[KERNEL] | masks[USER]) && !is_tree)
			top = start + (1 << PAGE_SHIFT);
	}
	fprintf(out, "pages total %" PRIu64 "\n", total);
	for (int mode = 0; mode < MODES; mode++)
		fprintf(out, "pages %s %" PRIu64 "\n", mode_names[mode], by_mode[mode]);
	fprintf(out, "pages code %" PRIu64 "\npages written %" PRIu64 "\n", code, written);
	fprintf(out, "pages top %" PRIu64 "\n", top);
	if (tree_size)
		fprintf(out, "tree %" PRIu64 " %" PRIu64 "\n", tree, tree_size);
}
