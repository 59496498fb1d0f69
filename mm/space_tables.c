// SPDX-License-Identifier: MIT
/* The page tables of an address space, as a whole. */
#include "address_space.h"
#include <ahoy/page_alloc.h>
#include <ahoy/smp.h>
#include <ahoy/thread.h>
#include <asm/current.h>
#include <asm/irqflags.h>

void *table_alloc(void)
{
	struct page *page = page_alloc(0);

	return page ? page_to_virt(page) : NULL;
}

void tables_lock(struct address_space *space)
{
	tables_lock_inline(space);
}

void tables_unlock(struct address_space *space)
{
	tables_unlock_inline(space);
}

void tables_fence(struct address_space *space, unsigned long start, unsigned long end)
{
	unsigned long flags = local_irq_save();
	u64 harts;

	lockdep_assert_held(&space->tables_lock);
	harts = user_tables_fence(&space->tables, start, end, this_hart());

	local_irq_restore(flags);
	if (harts)
		smp_fence(harts, start, end - start);
}

void space_fence_code(struct address_space *space)
{
	unsigned long flags = local_irq_save();
	u64 harts = user_tables_fence_code(&space->tables, this_hart());

	local_irq_restore(flags);
	if (harts)
		smp_fence_code(harts);
}

void user_code_fence(void)
{
	struct address_space *space = thread_current()->space;

	if (space)
		space_fence_code(space);
}

static void free_tables(void *list)
{
	while (list) {
		void *table = list;

		list = *(void **)table;
		page_free(virt_to_page(table), 0);
	}
}

/*
 * In two steps: a page may be given back only when no hart reaches it any more.
 * In between, the leaves permit nothing, but still say where the pages are.
 */
void tables_zap(struct address_space *space, unsigned long start, unsigned long end,
		unsigned long floor, unsigned long ceiling)
{
	void *list;

	lockdep_assert_held(&space->tables_lock);
	if (user_leaves_limit(&space->tables, start, end, 0))
		tables_fence(space, start, end);
	list = user_tables_drop(&space->tables, start, end, floor, ceiling, own_page_put);
	if (!list)
		return;
	/* An address alone says nothing of the way to its leaf (Privileged Architecture, 10.2.1). */
	tables_fence(space, 0, user_end);
	free_tables(list);
}

void tables_drop(struct address_space *space, unsigned long start, unsigned long end,
		 unsigned long floor, unsigned long ceiling)
{
	lockdep_assert_held(&space->tables_lock);
	/* Harts that remember any of it do so under numbers that nobody gets before they forget. */
	free_tables(user_tables_drop(&space->tables, start, end, floor, ceiling, own_page_put));
}

int tables_split(struct address_space *space, unsigned long va)
{
	struct user_leaf leaf;
	int err;

	lockdep_assert_held(&space->tables_lock);
	if (!IS_ENABLED(CONFIG_HUGE_PAGES) || IS_ALIGNED(va, USER_BLOCK_SIZE) ||
	    !user_leaf_find(&space->tables, va, &leaf) || leaf.va == va)
		return 0;
	err = user_leaf_split(&space->tables, va, table_alloc);
	if (err)
		return err;
	tables_fence(space, 0, user_end);
	if (leaf.own)
		own_page_get(leaf.pa, (1U << USER_BLOCK_ORDER) - 1);
	return 0;
}

void tables_free(struct address_space *space)
{
	tlb_model_gone(&space->tables);
	page_free(virt_to_page(space->tables.root), 0);
}
