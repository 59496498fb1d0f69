// SPDX-License-Identifier: MIT
/* The tables that the hart walks now: what they allow. */
#include <ahoy/ktest.h>
#include <asm/csr.h>
#include <asm/layout.h>
#include <asm/page.h>
#include <asm/paging_check.h>
#include <asm/pte.h>

struct walk {
	phys_addr_t text, text_end; /* the kernel's, physical */
	unsigned long wanted;
	struct paging_findings found;
};

/* satp (10.1.11): how many levels its mode has; 8 to 10 are Sv39 to Sv57. */
static unsigned int levels(void)
{
	return (unsigned int)(csr_read(satp) >> 60) - 5;
}

static void look_at(struct walk *walk, unsigned long va, unsigned int level, pte_t pte)
{
	phys_addr_t first = pte_pa(pte), last = first + LEVEL_SIZE(level) - 1;

	walk->found.leaves++;
	walk->found.executable += (pte & PTE_X) != 0;
	walk->found.both += (pte & PTE_W) && (pte & PTE_X);
	if (pte & PTE_W && first < walk->text_end && last >= walk->text)
		walk->found.aliases++;
	if (walk->wanted - va < LEVEL_SIZE(level))
		walk->found.wanted += (pte & (PTE_R | PTE_W | PTE_X)) == (PTE_R | PTE_W);
}

static void walk_table(struct walk *walk, const pte_t *table, unsigned long va, unsigned int level)
{
	unsigned int i;

	for (i = 0; i < PTRS_PER_TABLE; i++) {
		unsigned long at = va + ((unsigned long)i << LEVEL_SHIFT(level));

		/* Addresses are sign-extended. */
		if (level + 1 == levels() && i >= PTRS_PER_TABLE / 2)
			at |= ~0UL << (LEVEL_SHIFT(level) + 9);
		if (!(table[i] & PTE_V))
			continue;
		if (table[i] & PTE_LEAF)
			look_at(walk, at, level, table[i]);
		else
			walk_table(walk, pte_table(table[i]), at, level - 1);
	}
}

struct paging_findings paging_check(const void *wanted)
{
	phys_addr_t root = (csr_read(satp) & GENMASK(43, 0)) << PAGE_SHIFT;
	struct walk walk = {
		.text = virt_to_phys(_start),
		.text_end = virt_to_phys(_rodata_end),
		.wanted = (unsigned long)wanted,
	};

	walk_table(&walk, phys_to_virt(root), 0, levels() - 1);
	return walk.found;
}

/* No page can be written and executed; text and constants cannot be written by any address. */
KTEST(paging, write_xor_execute)
{
	static int variable;
	struct paging_findings found = paging_check(&variable);

	KTEST_EXPECT(found.leaves > 3 && found.executable > 0);
	KTEST_EXPECT(found.both == 0);
	KTEST_EXPECT(found.aliases == 0);
	KTEST_EXPECT(found.wanted == 1);
}
