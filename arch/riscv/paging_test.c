// SPDX-License-Identifier: MIT
/* The tables that the hart walks now: what they allow. */
#include <ahoy/ktest.h>
#include <ahoy/vmalloc.h>
#include <asm/csr.h>
#include <asm/layout.h>
#include <asm/page.h>
#include <asm/pte.h>

struct walk {
	phys_addr_t text, text_end; /* the kernel's, physical */
	unsigned long leaves, executable, both, aliases;
	unsigned long known; /* leaves that map an address which is looked for */
	unsigned long wanted;
};

/* satp (10.1.11): how many levels its mode has; 8 to 10 are Sv39 to Sv57. */
static unsigned int levels(void)
{
	return (unsigned int)(csr_read(satp) >> 60) - 5;
}

static void look_at(struct walk *walk, unsigned long va, unsigned int level, pte_t pte)
{
	phys_addr_t first = pte_pa(pte), last = first + LEVEL_SIZE(level) - 1;

	walk->leaves++;
	walk->executable += (pte & PTE_X) != 0;
	walk->both += (pte & PTE_W) && (pte & PTE_X);
	if (pte & PTE_W && first < walk->text_end && last >= walk->text)
		walk->aliases++;
	if (walk->wanted - va < LEVEL_SIZE(level))
		walk->known += (pte & (PTE_R | PTE_W | PTE_X)) == (PTE_R | PTE_W);
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

static struct walk walk_all(const void *wanted)
{
	phys_addr_t root = (csr_read(satp) & GENMASK(43, 0)) << PAGE_SHIFT;
	struct walk walk = {
		.text = virt_to_phys(_start),
		.text_end = virt_to_phys(_rodata_end),
		.wanted = (unsigned long)wanted,
	};

	walk_table(&walk, phys_to_virt(root), 0, levels() - 1);
	return walk;
}

/* No page can be written and executed; text and constants cannot be written by any address. */
KTEST(paging, write_xor_execute)
{
	static int variable;
	struct walk walk = walk_all(&variable);

	KTEST_EXPECT(walk.leaves > 3 && walk.executable > 0);
	KTEST_EXPECT(walk.both == 0);
	KTEST_EXPECT(walk.aliases == 0);
	KTEST_EXPECT(walk.known == 1);
}

#ifdef CONFIG_VMALLOC
/* The same while there are mappings that are made at run time; they are seen, and go. */
KTEST(paging, run_time_mappings)
{
	char *p = vmalloc(3 * PAGE_SIZE);
	struct walk walk;

	KTEST_ASSERT(p);
	walk = walk_all(p + PAGE_SIZE);
	KTEST_EXPECT(walk.both == 0 && walk.aliases == 0 && walk.known == 1);
	/* Behind it is a page that is not mapped. */
	walk = walk_all(p + 3 * PAGE_SIZE);
	KTEST_EXPECT(walk.known == 0);
	vfree(p);
	walk = walk_all(p + PAGE_SIZE);
	KTEST_EXPECT(walk.known == 0);
}

/* Device registers can be mapped, the kernel's text cannot. */
KTEST(paging, device_mappings)
{
	char *p = (char __force *)ioremap(0x1000, PAGE_SIZE);
	struct walk walk = walk_all(p);

	KTEST_ASSERT(p);
	KTEST_EXPECT(!ioremap(virt_to_phys(_start), PAGE_SIZE));
	KTEST_EXPECT(walk.both == 0 && walk.aliases == 0 && walk.known == 1);
	iounmap((void __iomem __force *)p);
}
#endif
