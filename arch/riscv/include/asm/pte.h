/* SPDX-License-Identifier: MIT */
/* Page tables: the entries, and which of them an address leads through. */
#ifndef ASM_PTE_H
#define ASM_PTE_H

#include <ahoy/compiler.h>
#include <ahoy/types.h>
#include <asm/page.h>

typedef u64 pte_t;

/* Page-table entries (Privileged Architecture, 10.3.1) */
#define PTE_V	      BIT(0)
#define PTE_R	      BIT(1)
#define PTE_W	      BIT(2)
#define PTE_X	      BIT(3)
#define PTE_U	      BIT(4)
#define PTE_G	      BIT(5)
#define PTE_A	      BIT(6)
#define PTE_D	      BIT(7)
#define PTE_PFN_SHIFT 10
#define PTE_PFN	      GENMASK(53, PTE_PFN_SHIFT)
#define PTE_LEAF      (PTE_R | PTE_W | PTE_X)

#define PTRS_PER_TABLE 512

#define LEVEL_SHIFT(level) (PAGE_SHIFT + 9 * (level))
#define LEVEL_SIZE(level)  (1UL << LEVEL_SHIFT(level))

static __always_inline unsigned int table_index(unsigned long va, unsigned int level)
{
	return (va >> LEVEL_SHIFT(level)) % PTRS_PER_TABLE;
}

static __always_inline pte_t make_pte(phys_addr_t pa, pte_t bits)
{
	return (pa >> PAGE_SHIFT << PTE_PFN_SHIFT) | bits;
}

static __always_inline phys_addr_t pte_pa(pte_t pte)
{
	/* The upper ten bits are extensions' (Svnapot, Svpbmt) or reserved. */
	return (pte & PTE_PFN) >> PTE_PFN_SHIFT << PAGE_SHIFT;
}

/* The table that an entry which is no leaf leads to. */
static __always_inline pte_t *pte_table(pte_t pte)
{
	return phys_to_virt(pte_pa(pte));
}

#endif
