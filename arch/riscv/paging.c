// SPDX-License-Identifier: MIT
/*
 * The kernel's page tables: one for each level, on the path to the 2 MiB block
 * that holds the image. Everything hangs from it:
 *
 *   level 0   the pages of the image's block, each with the rights of its part
 *   level 1   the other 2 MiB blocks of its gibibyte
 *   level 2   the other gibibytes; the root of Sv39
 *   3 and 4   the roots of Sv48 and Sv57: one entry, which leads down
 *
 * The image lies within the linear map of physical memory, so that no page of
 * it has a second address.
 */
#include <ahoy/compiler.h>
#include <ahoy/errno.h>
#include <ahoy/printk.h>
#include <asm/csr.h>
#include <asm/die.h>
#include <asm/layout.h>
#include <asm/paging.h>
#include <asm/pte.h>
#include <asm/sbi.h>

/* A and D are set from the start: a hart may trap where they are clear (Svade). */
#define PROT_TEXT (PTE_V | PTE_G | PTE_A | PTE_R | PTE_X)
#define PROT_READ (PTE_V | PTE_G | PTE_A | PTE_R)
#define PROT_DATA (PTE_V | PTE_G | PTE_A | PTE_D | PTE_R | PTE_W)

#ifdef CONFIG_PAGING_SV57
#define MAX_LEVELS 5
#elif defined(CONFIG_PAGING_SV48)
#define MAX_LEVELS 4
#else
#define MAX_LEVELS 3
#endif

/*
 * Gibibytes beside the image's get a table of their own from these: two at the
 * edges of RAM, and the device tree's where a leaf of its size would not be
 * aligned in physical memory.
 */
#define SPARE_TABLES (2 * IS_ENABLED(CONFIG_LINEAR_MAP) + IS_ENABLED(CONFIG_OF))

/* head.S finds the root here. */
extern pte_t early_tables[MAX_LEVELS + SPARE_TABLES][PTRS_PER_TABLE];
pte_t early_tables[MAX_LEVELS + SPARE_TABLES][PTRS_PER_TABLE] __aligned(PAGE_SIZE)
	__section(".noinit_pages");

#ifdef CONFIG_KERNEL_UPPER_HALF
unsigned long va_pa_offset;
#endif

extern char boot_stack_guard[];

BUILD_BUG_ON(FIXMAP_PAGES != FIXMAP_SLOTS);

/* Clearing tables is most of the work of switching paging on, hence by 32 at a time. */
static void clear_table(pte_t *table)
{
	pte_t *end = table + PTRS_PER_TABLE;

#define CLEAR8(at)                                                                                 \
	do {                                                                                       \
		table[(at) + 0] = 0;                                                               \
		table[(at) + 1] = 0;                                                               \
		table[(at) + 2] = 0;                                                               \
		table[(at) + 3] = 0;                                                               \
		table[(at) + 4] = 0;                                                               \
		table[(at) + 5] = 0;                                                               \
		table[(at) + 6] = 0;                                                               \
		table[(at) + 7] = 0;                                                               \
	} while (0)
	do {
		CLEAR8(0);
		CLEAR8(8);
		CLEAR8(16);
		CLEAR8(24);
		table += 32;
	} while (table != end);
#undef CLEAR8
}

/* @count entries from @slot on get @pte, @pte + @step, and so on; by 16, as above. */
static noinline void fill(pte_t *slot, pte_t pte, pte_t step, unsigned long count)
{
#define FILL4(at)                                                                                  \
	do {                                                                                       \
		slot[(at) + 0] = pte, pte += step;                                                 \
		slot[(at) + 1] = pte, pte += step;                                                 \
		slot[(at) + 2] = pte, pte += step;                                                 \
		slot[(at) + 3] = pte, pte += step;                                                 \
	} while (0)
	for (; count >= 16; count -= 16, slot += 16) {
		FILL4(0);
		FILL4(4);
		FILL4(8);
		FILL4(12);
	}
	for (; count; count--, pte += step)
		*slot++ = pte;
#undef FILL4
}

/* Map the image's pages [@start, @end) in the level-0 table. They are few. */
static __always_inline void map_part(const char *start, const char *end, pte_t prot)
{
	pte_t *slot = &early_tables[0][(unsigned long)(start - _start) >> PAGE_SHIFT];
	pte_t pte = make_pte((phys_addr_t)(unsigned long)start, prot);
	unsigned long pages = (unsigned long)(end - start) >> PAGE_SHIFT;

	for (; pages; pages--) {
		*slot++ = pte;
		pte += 1 << PTE_PFN_SHIFT;
	}
}

/*
 * Make the tables. The image header claims all of the image's block, so that
 * what is behind the image in it is RAM for certain. Called with paging off, so that addresses are physical;
 * returns how far above them the kernel was linked.
 */
unsigned long paging_build(void);
unsigned long paging_build(void)
{
	unsigned long pa = (unsigned long)_start;
	unsigned int level;

	/*
	 * It is this address now, and another one once paging is on: the compiler
	 * must not take it for a constant to be worked out again where it is used,
	 * as clang's link-time optimisation does.
	 */
	OPTIMIZER_HIDE_VAR(pa);
	if (!IS_ALIGNED(pa, KERNEL_ALIGN))
		die_early("the image must be loaded at a multiple of 2 MiB\n");

	/* The linear map fills the whole of the image's block; else most of it stays empty. */
	for (level = IS_ENABLED(CONFIG_LINEAR_MAP); level < MAX_LEVELS; level++)
		clear_table(early_tables[level]);
	for (level = 1; level < MAX_LEVELS; level++)
		early_tables[level][table_index(KERNEL_LINK_ADDR, level)] =
			make_pte((unsigned long)early_tables[level - 1], PTE_V);

	/* Each part is padded to whole pages; the pages of the fixmap stay free. */
	map_part(_start, _rodata_start, PROT_TEXT);
	map_part(_rodata_start, _data_start, PROT_READ);
	map_part(_data_start, fixmap_pages, PROT_DATA);
	map_part(fixmap_pages + FIXMAP_PAGES * PAGE_SIZE, boot_stack_guard, PROT_DATA);
	map_part(boot_stack_guard + PAGE_SIZE, _end, PROT_DATA);
	if (IS_ENABLED(CONFIG_LINEAR_MAP)) {
		unsigned long first = (unsigned long)(_end - _start) >> PAGE_SHIFT;

		fill(&early_tables[0][first], make_pte((unsigned long)_end, PROT_DATA),
		     1 << PTE_PFN_SHIFT, PTRS_PER_TABLE - first);
		for (level = 0; level < FIXMAP_PAGES; level++)
			early_tables[0][table_index((unsigned long)fixmap_pages, 0) + level] = 0;
		early_tables[0][table_index((unsigned long)boot_stack_guard, 0)] = 0;
	}

#ifdef CONFIG_KERNEL_UPPER_HALF
	va_pa_offset = KERNEL_LINK_ADDR - pa;
#endif
	return KERNEL_LINK_ADDR - pa;
}

/* --- from here on in the kernel's address space --------------------------- */

#define PA_TO_VA(pa) ((unsigned long)(pa) + va_pa_offset)

/* Sv39 gives each half 38 bits; the kernel keeps to them in every format. */
static bool reachable(unsigned long va)
{
	return (long)va >> 38 == (IS_ENABLED(CONFIG_KERNEL_UPPER_HALF) ? -1L : 0L) &&
	       !(IS_ENABLED(CONFIG_VMALLOC) && va >= VMALLOC_START);
}

/*
 * A change of tables in memory is seen by this hart's translations from here
 * on (Privileged Architecture, 10.2.1); other harts are not running yet.
 */
static void flush_translations(void)
{
	__asm__ __volatile__("sfence.vma" : : : "memory");
}

static __maybe_unused void flush_page(unsigned long va)
{
	__asm__ __volatile__("sfence.vma %0" : : "r"(va) : "memory");
}

static bool same_block(unsigned long va, unsigned int level)
{
	return va >> LEVEL_SHIFT(level) == (unsigned long)_start >> LEVEL_SHIFT(level);
}

void __iomem *fixmap_io(enum fixmap_slot slot, phys_addr_t pa, size_t size)
{
	phys_addr_t first = ALIGN_DOWN(pa, PAGE_SIZE);
	unsigned long page = ((unsigned long)(fixmap_pages - _start) >> PAGE_SHIFT) + slot;

	if (pa % PAGE_SIZE + size > PAGE_SIZE)
		return NULL;
	if (first + PAGE_SIZE > virt_to_phys(_start) && first < virt_to_phys(_end))
		return NULL;
	early_tables[0][page] = make_pte(first, PROT_DATA);
	flush_translations();
	return fixmap_address(slot, pa);
}

/* What map_readonly_early() mapped, in whole blocks of 2 MiB. */
static unsigned long readonly_start, readonly_end;

/* The level-1 table for the gibibyte of @va, or NULL if there are no more. */
static pte_t *block_table(unsigned long va)
{
	static unsigned int spares_used;
	pte_t *slot = &early_tables[2][table_index(va, 2)], *table;
	unsigned long at;

	if (*slot && !(*slot & PTE_LEAF))
		return phys_to_virt(*slot >> PTE_PFN_SHIFT << PAGE_SHIFT);
	if (spares_used == SPARE_TABLES)
		return NULL;
	table = early_tables[MAX_LEVELS + spares_used++];
	clear_table(table);
	/* In the place of a leaf, what that one was for stays mapped. */
	if (*slot)
		for (at = readonly_start; at < readonly_end; at += LEVEL_SIZE(1))
			if (at >> LEVEL_SHIFT(2) == va >> LEVEL_SHIFT(2))
				table[table_index(at, 1)] = make_pte(at - va_pa_offset, PROT_READ);
	*slot = make_pte(virt_to_phys(table), PTE_V);
	return table;
}

int map_readonly_early(phys_addr_t pa, size_t size)
{
	unsigned long va = PA_TO_VA(pa), end = va + size;
	unsigned int level;

	readonly_start = ALIGN_DOWN(va, LEVEL_SIZE(1));
	readonly_end = ALIGN(end, LEVEL_SIZE(1));
	for (; va < end; va = ALIGN_DOWN(va, LEVEL_SIZE(level)) + LEVEL_SIZE(level)) {
		pte_t *table, *slot;

		if (!reachable(va))
			return -ERANGE;
		/* The smallest leaf for which there is a table. */
		level = same_block(va, 1) ? 0 : same_block(va, 2) ? 1 : 2;
		table = early_tables[level];
		if (level == 2 && va_pa_offset % LEVEL_SIZE(2)) {
			level = 1;
			table = block_table(va);
			if (!table)
				return -ERANGE;
		}
		slot = &table[table_index(va, level)];
		if (!*slot)
			*slot = make_pte(ALIGN_DOWN(va, LEVEL_SIZE(level)) - va_pa_offset,
					 PROT_READ);
	}
	flush_translations();
	return 0;
}

const char *paging_format(void)
{
	switch (csr_read(satp) >> SATP_MODE_SHIFT) {
	case SATP_MODE_SV57:
		return "Sv57";
	case SATP_MODE_SV48:
		return "Sv48";
	default:
		return "Sv39";
	}
}

#ifdef CONFIG_LINEAR_MAP

/* Map the whole 2 MiB blocks in [@va, @end), which lies within one gibibyte. */
static u64 map_blocks(unsigned long va, unsigned long end)
{
	unsigned long at = ALIGN(va, LEVEL_SIZE(1));
	const pte_t block = LEVEL_SIZE(1) >> PAGE_SHIFT << PTE_PFN_SHIFT;
	pte_t pte = make_pte(at - va_pa_offset, PROT_DATA);
	pte_t *table = block_table(va);
	long blocks = (long)(ALIGN_DOWN(end, LEVEL_SIZE(1)) - at) >> LEVEL_SHIFT(1);

	if (!table) {
		pr_warn("linear map: no table for 0x%lx-0x%lx\n", va, end - 1);
		return 0;
	}
	if (blocks <= 0)
		return 0;
	fill(&table[table_index(at, 1)], pte, block, blocks);
	return ALIGN_DOWN(end, LEVEL_SIZE(1)) - at;
}

/* Map [@va, @end), which lies within the image's gibibyte. The image's block is mapped. */
static u64 map_around_image(unsigned long va, unsigned long end)
{
	unsigned long block = (unsigned long)_start, next = block + KERNEL_ALIGN;
	u64 mapped = 0;

	if (va < block)
		mapped += map_blocks(va, min(end, block));
	if (end > next)
		mapped += map_blocks(max(va, next), end);
	return mapped;
}

u64 linear_map_add(phys_addr_t *start, phys_addr_t *end)
{
	unsigned long va = PA_TO_VA(*start), stop = PA_TO_VA(*end - 1) + 1, next, whole;
	unsigned long first = ALIGN(va, LEVEL_SIZE(1)), last = ALIGN_DOWN(stop, LEVEL_SIZE(1));
	bool aligned = va_pa_offset % LEVEL_SIZE(2) == 0;
	u64 mapped = 0;
	bool inside = false;

	if (!reachable(va) || !reachable(stop - 1) || stop < va) {
		pr_err("linear map: 0x%llx-0x%llx is out of the kernel's reach\n", *start,
		       *end - 1);
		if (IS_ENABLED(CONFIG_PAGE_ALLOC))
			*end = *start;
		return 0;
	}
	for (; va < stop; va = next) {
		next = min(ALIGN_DOWN(va, LEVEL_SIZE(2)) + LEVEL_SIZE(2), stop);
		/* Whole gibibytes up to the image's, or behind it */
		whole = ALIGN_DOWN((unsigned long)_start, LEVEL_SIZE(2));
		whole = (min(stop, va < whole ? whole : stop) - va) >> LEVEL_SHIFT(2);
		if (same_block(va, 2)) {
			mapped += map_around_image(va, next);
			inside = true;
		} else if (aligned && whole && IS_ALIGNED(va, LEVEL_SIZE(2))) {
			fill(&early_tables[2][table_index(va, 2)],
			     make_pte(va - va_pa_offset, PROT_DATA),
			     LEVEL_SIZE(2) >> PAGE_SHIFT << PTE_PFN_SHIFT, whole);
			next = va + whole * LEVEL_SIZE(2);
			mapped += next - va;
			inside = true;
		} else {
			u64 bytes = map_blocks(va, next);

			/* Only a part at one of the ends may be without a table. */
			if (bytes)
				inside = true;
			else if (inside)
				last = min(last, va);
			else
				first = max(first, next);
			mapped += bytes;
		}
	}
	flush_translations();
	if (IS_ENABLED(CONFIG_PAGE_ALLOC)) {
		*start = first - va_pa_offset;
		*end = max(first, last) - va_pa_offset;
	}
	return mapped;
}

#endif

#ifdef CONFIG_VMALLOC

/* The level-0 entry of @va, or NULL; tables that are missing are made of what @alloc gives. */
static pte_t *vmalloc_slot(unsigned long va, void *(*alloc)(void))
{
	pte_t *table = early_tables[2];
	unsigned int level;

	for (level = 2; level > 0; level--) {
		pte_t *slot = &table[table_index(va, level)];

		if (!*slot) {
			pte_t *new = alloc ? alloc() : NULL;

			if (!new)
				return NULL;
			clear_table(new);
			*slot = make_pte(virt_to_phys(new), PTE_V);
		}
		table = phys_to_virt(*slot >> PTE_PFN_SHIFT << PAGE_SHIFT);
	}
	return &table[table_index(va, 0)];
}

int kernel_map_page(unsigned long va, phys_addr_t pa, void *(*table_alloc)(void))
{
	pte_t *slot = vmalloc_slot(va, table_alloc);

	if (!slot)
		return -ENOMEM;
	*slot = make_pte(pa, PROT_DATA);
	/* A hart may remember that there was nothing (Privileged Architecture, 10.2.1). */
	flush_page(va);
	return 0;
}

phys_addr_t kernel_unmap_page(unsigned long va)
{
	pte_t *slot = vmalloc_slot(va, NULL);
	phys_addr_t pa = *slot >> PTE_PFN_SHIFT << PAGE_SHIFT;

	*slot = 0;
	return pa;
}

void kernel_flush(unsigned long start, unsigned long end)
{
#ifdef CONFIG_SMP
	sbi_remote_sfence_vma(start, end - start);
#else
	for (; start < end; start += PAGE_SIZE)
		flush_page(start);
#endif
}

#endif
