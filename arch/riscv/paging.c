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
#include <ahoy/init.h>
#include <asm/csr.h>
#include <asm/die.h>
#include <asm/layout.h>
#include <asm/paging.h>

typedef u64 pte_t;

/* Page-table entries (Privileged Architecture, 10.3.1) */
#define PTE_V	      BIT(0)
#define PTE_R	      BIT(1)
#define PTE_W	      BIT(2)
#define PTE_X	      BIT(3)
#define PTE_G	      BIT(5)
#define PTE_A	      BIT(6)
#define PTE_D	      BIT(7)
#define PTE_PFN_SHIFT 10
#define PTE_LEAF      (PTE_R | PTE_W | PTE_X)

#define PTRS_PER_TABLE 512

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

#define LEVEL_SHIFT(level) (PAGE_SHIFT + 9 * (level))
#define LEVEL_SIZE(level)  (1UL << LEVEL_SHIFT(level))

/* Gibibytes at the edges of RAM get a table of their own, from these. */
#define SPARE_TABLES (IS_ENABLED(CONFIG_LINEAR_MAP) ? 2 : 0)

pte_t early_tables[MAX_LEVELS + SPARE_TABLES][PTRS_PER_TABLE] __aligned(PAGE_SIZE)
	__section(".noinit_pages");

#ifdef CONFIG_KERNEL_UPPER_HALF
unsigned long va_pa_offset;
#endif

extern char boot_stack_guard[];

BUILD_BUG_ON(FIXMAP_PAGES != FIXMAP_SLOTS);

static __always_inline unsigned int table_index(unsigned long va, unsigned int level)
{
	return (va >> LEVEL_SHIFT(level)) % PTRS_PER_TABLE;
}

static __always_inline pte_t make_pte(phys_addr_t pa, pte_t bits)
{
	return (pa >> PAGE_SHIFT << PTE_PFN_SHIFT) | bits;
}

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

/* Map the image's pages [@start, @end) in the level-0 table. */
static __always_inline void map_part(const char *start, const char *end, pte_t prot)
{
	unsigned long pages = (unsigned long)(end - start) >> PAGE_SHIFT;
	pte_t *slot = &early_tables[0][(unsigned long)(start - _start) >> PAGE_SHIFT];
	pte_t pte = make_pte((phys_addr_t)(unsigned long)start, prot);

	for (; pages; pages--) {
		*slot++ = pte;
		pte += 1 << PTE_PFN_SHIFT;
	}
}

/*
 * Make the tables. Called with paging off, so that addresses are physical;
 * returns how far above them the kernel was linked.
 */
unsigned long paging_build(void);
unsigned long paging_build(void)
{
	unsigned long pa = (unsigned long)_start;
	unsigned int level;

	if (!IS_ALIGNED(pa, KERNEL_ALIGN))
		die_early("the image must be loaded at a multiple of 2 MiB\n");

	for (level = 0; level < MAX_LEVELS; level++)
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

#ifdef CONFIG_KERNEL_UPPER_HALF
	va_pa_offset = KERNEL_LINK_ADDR - pa;
#endif
	return KERNEL_LINK_ADDR - pa;
}
