// SPDX-License-Identifier: MIT
#include <ahoy/errno.h>
#include <ahoy/fault.h>
#include <ahoy/string.h>
#include <asm/csr.h>
#include <asm/pte.h>
#include <asm/tlb_model.h>
#include <asm/user_paging.h>

BUILD_BUG_ON(VMALLOC_START >> LEVEL_SHIFT(2) != (VMALLOC_END - 1) >> LEVEL_SHIFT(2));

/* No address is in it. */
#define NO_TABLE ~0UL

unsigned long user_end;

static pte_t *kernel_root;
static unsigned int root_level; /* 2: Sv39, 3: Sv48, 4: Sv57 */

/* --- entries ------------------------------------------------------------------ */

static void leaf_of(struct user_leaf *leaf, pte_t pte, unsigned long va, unsigned int level)
{
	*leaf = (struct user_leaf){
		.va = ALIGN_DOWN(va, LEVEL_SIZE(level)),
		.pa = pte_pa(pte),
		.block = level > 0,
		.own = pte & PTE_OWN,
	};
	if (pte & PTE_V)
		leaf->access = (pte & PTE_LEAF) >> ACCESS_SHIFT;
}

/* May a hart remember more of @old than it finds in @new? */
static bool takes_away(pte_t old, pte_t new)
{
	if (!(old & PTE_V))
		return false;
	return (old ^ new) & (PTE_PFN | PTE_IS_LEAF) || old & ~new &(PTE_V | PTE_LEAF);
}

/*
 * One store: walkers on other harts find the old entry or the new one. The
 * fence that makes them find the new one is user_tables_fence().
 */
static bool set_pte(struct user_tables *tables, unsigned long va, unsigned int level, pte_t *slot,
		    pte_t new)
{
	bool taken = takes_away(*slot, new);

	if (taken)
		tlb_model_changed(tables, ALIGN_DOWN(va, LEVEL_SIZE(level)), LEVEL_SIZE(level));
	WRITE_ONCE(*slot, new);
	return taken;
}

/* --- tables -------------------------------------------------------------------- */

/*
 * The last entry on the way to @va, which is a leaf or empty; its level in
 * *@level. The table of pages that was found last is found at once.
 */
static pte_t *find_slot(struct user_tables *tables, unsigned long va, unsigned int *level)
{
	pte_t *table = tables->root, *slot;

	*level = 0;
	if (va >> LEVEL_SHIFT(1) == tables->latest)
		return &tables->latest_table[table_index(va, 0)];
	for (*level = root_level; *level; --*level) {
		slot = &table[table_index(va, *level)];
		if (!*slot || *slot & PTE_IS_LEAF)
			return slot;
		table = pte_table(*slot);
	}
	tables->latest = va >> LEVEL_SHIFT(1);
	tables->latest_table = table;
	return &table[table_index(va, 0)];
}

/*
 * The entry of @level on the way to @va, where @slot, of level @at, is the last
 * one that there is; tables that are missing are made. Return: NULL without memory.
 */
static pte_t *make_slot(pte_t *slot, unsigned int at, unsigned long va, unsigned int level,
			void *(*table_alloc)(void))
{
	while (at > level) {
		pte_t *table = table_alloc();

		if (!table)
			return NULL;
		memset(table, 0, PAGE_SIZE);
		/* Cleared before a walker gets there */
		__atomic_store_n(slot, make_pte(virt_to_phys(table), PTE_V), __ATOMIC_RELEASE);
		slot = &table[table_index(va, --at)];
	}
	return slot;
}

/* How many of the @n entries at @slot are empty before the first one that is not. */
static unsigned long count_empty(const pte_t *slot, unsigned long n)
{
	const pte_t *start = slot, *stop = slot + n;

	/* Tables are large, and most of them is empty. */
	while (stop - slot >= 8 &&
	       !(slot[0] | slot[1] | slot[2] | slot[3] | slot[4] | slot[5] | slot[6] | slot[7]))
		slot += 8;
	while (slot < stop && !*slot)
		slot++;
	return (unsigned long)(slot - start);
}

/* Entries of one table in a row, of which the first is a leaf. */
struct run {
	pte_t *slot;
	unsigned long va; /* of the first; the end of the run before */
	unsigned long n;  /* one, or all that are left of a table of pages */
	unsigned int level;
};

/* The first run from @run->va on; it ends before @end. Return: whether there is one. */
static bool find_run(struct user_tables *tables, struct run *run, unsigned long end)
{
	unsigned long va = run->va;

	while (va < end) {
		pte_t *slot = find_slot(tables, va, &run->level);
		unsigned long size = LEVEL_SIZE(run->level), left, empty;

		va = ALIGN_DOWN(va, size);
		left = min_t(unsigned long, PTRS_PER_TABLE - table_index(va, run->level),
			     (end - va + size - 1) / size);
		/* Past what is empty; then by the way that leads on from there. */
		empty = count_empty(slot, left);
		slot += empty;
		va += empty * size;
		if (empty == left || !(*slot & PTE_IS_LEAF))
			continue;
		run->slot = slot;
		run->va = va;
		run->n = run->level ? 1 : left - empty;
		return true;
	}
	return false;
}

static __always_inline void end_run(struct run *run)
{
	run->va += run->n * LEVEL_SIZE(run->level);
}

bool user_leaf_find(struct user_tables *tables, unsigned long va, struct user_leaf *leaf)
{
	unsigned int level;
	pte_t *slot = find_slot(tables, va, &level);

	*leaf = (struct user_leaf){ .va = va };
	if (*slot)
		leaf_of(leaf, *slot, va, level);
	leaf->slot = slot;
	leaf->level = level;
	return *slot;
}

bool user_leaf_next(struct user_tables *tables, struct user_leaf *leaf, unsigned long end)
{
	struct run run = { .va = leaf->va };

	if (!find_run(tables, &run, end))
		return false;
	leaf_of(leaf, *run.slot, run.va, run.level);
	leaf->slot = run.slot;
	leaf->level = run.level;
	return true;
}

int user_leaf_insert(struct user_tables *tables, const struct user_leaf *leaf,
		     void *(*table_alloc)(void))
{
	unsigned int level = leaf->level;
	pte_t *slot = leaf->slot;

	if (!slot)
		slot = find_slot(tables, leaf->va, &level);
	if (level < leaf->block)
		return -EEXIST;
	if (level > leaf->block) {
		slot = make_slot(slot, level, leaf->va, leaf->block, table_alloc);
		if (!slot)
			return -ENOMEM;
	}
	/* Whoever finds the entry finds the page as it was prepared before. */
	__atomic_store_n(slot, leaf_pte(leaf->pa, leaf->access, leaf->own), __ATOMIC_RELEASE);
	return level > leaf->block;
}

void user_leaf_insert_run(struct user_tables *tables, const struct user_leaf *leaf, unsigned long n)
{
	unsigned int level;
	pte_t *slot = find_slot(tables, leaf->va, &level),
	      pte = leaf_pte(leaf->pa, leaf->access, leaf->own);

	if (level)
		return;
	n = min_t(unsigned long, n, PTRS_PER_TABLE - table_index(leaf->va, 0));
	/* Nothing is taken away, so that only the order of the pages' contents before it counts. */
	__atomic_thread_fence(__ATOMIC_RELEASE);
	for (; n; n--, slot++, pte += 1UL << PTE_PFN_SHIFT)
		if (!*slot)
			WRITE_ONCE(*slot, pte);
}

bool user_leaf_change(struct user_tables *tables, const struct user_leaf *leaf)
{
	__atomic_thread_fence(__ATOMIC_RELEASE);
	return set_pte(tables, leaf->va, leaf->level, leaf->slot,
		       leaf_pte(leaf->pa, leaf->access, leaf->own));
}

void user_leaf_erase(struct user_tables *tables, unsigned long va)
{
	unsigned int level;
	pte_t *slot = find_slot(tables, va, &level);

	set_pte(tables, va, level, slot, 0);
}

int user_leaf_split(struct user_tables *tables, unsigned long va, void *(*table_alloc)(void))
{
	unsigned int level, i;
	pte_t *slot = find_slot(tables, va, &level), *table, pte = *slot;

	table = table_alloc();
	if (!table)
		return -ENOMEM;
	for (i = 0; i < PTRS_PER_TABLE; i++)
		table[i] = pte + ((pte_t)i << PTE_PFN_SHIFT);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	set_pte(tables, va, 1, slot, make_pte(virt_to_phys(table), PTE_V));
	return 0;
}

/* --- ranges -------------------------------------------------------------------- */

bool user_leaves_limit(struct user_tables *tables, unsigned long start, unsigned long end,
		       unsigned int access)
{
	pte_t bits = leaf_pte(0, access & ~VM_WRITE, false) & (PTE_V | PTE_LEAF);
	pte_t kept = ~(PTE_V | PTE_LEAF | PTE_D) | (access & VM_WRITE ? PTE_W | PTE_D : 0);
	struct run run = { .va = start };
	bool taken = false;

	for (; find_run(tables, &run, end); end_run(&run)) {
		pte_t *slot = run.slot, *stop = slot + run.n;
		unsigned long va = run.va;

		for (; slot < stop; slot++, va += PAGE_SIZE)
			if (*slot)
				taken |=
					set_pte(tables, va, run.level, slot, (*slot & kept) | bits);
	}
	return taken;
}

int user_leaves_share(struct user_tables *from, struct user_tables *to, unsigned long start,
		      unsigned long end, void *(*table_alloc)(void), void (*hold)(phys_addr_t pa))
{
	struct run run = { .va = start };
	bool taken = false;

	for (; find_run(from, &run, end); end_run(&run)) {
		pte_t *slot = run.slot, *stop = slot + run.n, *copy = NULL;
		unsigned long va = run.va;
		unsigned int at;

		for (; slot < stop; slot++, va += PAGE_SIZE) {
			pte_t pte = *slot & ~(PTE_W | PTE_D);

			if (!(pte & PTE_OWN))
				continue;
			if (!copy) {
				copy = make_slot(find_slot(to, va, &at), at, va, run.level,
						 table_alloc);
				if (!copy)
					return -ENOMEM;
				copy -= slot - run.slot;
			}
			hold(pte_pa(pte));
			copy[slot - run.slot] = pte;
			taken |= set_pte(from, va, run.level, slot, pte);
		}
	}
	return taken;
}

/* What user_tables_drop() is to do. */
struct drop {
	struct user_tables *tables;
	unsigned long start, end;
	unsigned long floor, ceiling;
	void (*put)(phys_addr_t pa);
	void *list;
};

/* In @table, which begins at @base and has entries of @level. */
static void drop(struct drop *range, pte_t *table, unsigned int level, unsigned long base)
{
	unsigned long size = LEVEL_SIZE(level), first = max(range->start, base);
	unsigned long last = min(range->end - 1, base + LEVEL_SIZE(level + 1) - 1);
	pte_t *slot = table + table_index(first, level),
	      *stop = table + table_index(last, level) + 1;

	for (; (slot += count_empty(slot, (unsigned long)(stop - slot))) < stop; slot++) {
		unsigned long at = base + (unsigned long)(slot - table) * size;
		pte_t pte = *slot, *child = pte_table(pte);

		if (pte & PTE_IS_LEAF) {
			set_pte(range->tables, at, level, slot, 0);
			if (pte & PTE_OWN)
				range->put(pte_pa(pte));
			continue;
		}
		drop(range, child, level - 1, at);
		if (at < range->floor || at + size > range->ceiling)
			continue;
		set_pte(range->tables, at, level, slot, 0);
		range->tables->latest = NO_TABLE;
		/* Walkers may still be in it: to them the link, aligned to a page, is invalid. */
		*(void **)child = range->list;
		range->list = child;
	}
}

void *user_tables_drop(struct user_tables *tables, unsigned long start, unsigned long end,
		       unsigned long floor, unsigned long ceiling, void (*put)(phys_addr_t pa))
{
	struct drop range = { tables, start, end, floor, ceiling, put, NULL };

	drop(&range, tables->root, root_level, 0);
	return range.list;
}

void user_tables_init(struct user_tables *tables, void *page)
{
	unsigned int first = table_index(PAGE_OFFSET, root_level);

	*tables = (struct user_tables){ .root = page, .latest = NO_TABLE, .stale_code = ~0UL };
	memset(tables->root, 0, first * sizeof(pte_t));
	memcpy(tables->root + first, kernel_root + first, (PTRS_PER_TABLE - first) * sizeof(pte_t));
}

/*
 * The kernel's half of the root must not change any more, since every space has
 * a copy. Under the larger formats it is one entry; with Sv39 the table of the
 * mappings made at run time may still be missing.
 */
int user_paging_init(void *(*table_alloc)(void))
{
	unsigned long satp = csr_read(satp);
	pte_t *slot, *table;

	root_level = (unsigned int)(satp >> SATP_MODE_SHIFT) - SATP_MODE_SV39 + 2;
	kernel_root = phys_to_virt((phys_addr_t)(satp & SATP_PPN) << PAGE_SHIFT);
	user_end = LEVEL_SIZE(root_level + 1) / 2;
	user_asids_init();
	slot = &kernel_root[table_index(VMALLOC_START, root_level)];
	if (!IS_ENABLED(CONFIG_VMALLOC) || *slot)
		return 0;
	table = table_alloc();
	if (!table)
		return -ENOMEM;
	memset(table, 0, PAGE_SIZE);
	*slot = make_pte(virt_to_phys(table), PTE_V);
	return 0;
}
