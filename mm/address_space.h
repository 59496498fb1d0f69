/* SPDX-License-Identifier: MIT */
/*
 * Inside address spaces and memory objects.
 *
 * Locks, in the order in which they are taken:
 *   space->lock           what is mapped
 *   object->mappings_lock by whom, and where
 *   space->tables_lock    the page tables
 *   object->lock          the object's pages
 * A page table is changed by who has its lock; one that changes or truncates
 * what is mapped need not have the space's.
 *
 * A leaf's own bit says whose the page is. Set: the space's, which shares it
 * perhaps with clones; each leaf is one of the page's users. Clear: the object's,
 * or the page of zeroes; nobody counts such leaves, since the object's mappings
 * are all there is to find them by.
 */
#ifndef MM_ADDRESS_SPACE_H
#define MM_ADDRESS_SPACE_H

#include "page_index.h"
#include <ahoy/address_space.h>
#include <ahoy/list.h>
#include <ahoy/mutex.h>
#include <ahoy/page_alloc.h>
#include <ahoy/rbtree.h>
#include <asm/tlb_model.h>

struct address_space {
	u32 holds; /* the creator's, and one of each thread in it */

	struct mutex lock;
	struct rb_tree mappings;

	struct mutex tables_lock;
	struct user_tables tables;
};

struct mapping {
	struct address_space *space;

	/* Under the space's lock */
	struct rb_node node;
	unsigned int flags; /* VM_READ, VM_WRITE, VM_EXEC, VM_SHARED */
	struct memory_object *object;

	/* Changed under the space's lock and the object's mappings_lock */
	unsigned long start, end;
	u64 offset; /* of start, in the object */
	struct list_head link;
};

struct memory_object {
	u32 holds; /* mappings' included */
	int (*fill)(void *owner, u64 offset, void *page);
	void *owner;
	bool fixed;	/* its contents and size do not change */
	phys_addr_t pa; /* of a fixed one: where its first in_place bytes are, whole pages */
	u64 in_place;
	bool code_fenced; /* all harts see these as code: they do not change any more */

	struct mutex mappings_lock;
	struct list_head mappings;

	struct mutex lock;
	u64 size;	 /* changed under mappings_lock as well */
	u32 truncations; /* how often it lost pages */
	struct page_index pages;
};

/* --- space_tables.c -------------------------------------------------------------- */

/* A zeroed or undefined page for a page table; NULL without memory. */
void *table_alloc(void);

/* Take the tables of @space, and give them back; the inline ones are for faults. */
void tables_lock(struct address_space *space);
void tables_unlock(struct address_space *space);

static __always_inline void tables_lock_inline(struct address_space *space)
{
	mutex_lock(&space->tables_lock);
	tlb_model_begin(&space->tables);
}

static __always_inline void tables_unlock_inline(struct address_space *space)
{
	tlb_model_end(&space->tables);
	mutex_unlock(&space->tables_lock);
}

/* After taking something away in the range: have it forgotten. Tables locked. */
void tables_fence(struct address_space *space, unsigned long start, unsigned long end);

/* All threads of @space run what is written as code by now, on whichever harts. Context: any. */
void space_fence_code(struct address_space *space);

/*
 * Take out all leaves in the range, on the bounds of which is no block, and free
 * the tables on the way to them that serve nothing outside of [@floor, @ceiling);
 * if these are NO_TABLES, none. Tables locked.
 */
#define NO_TABLES ~0UL, 0
void tables_zap(struct address_space *space, unsigned long start, unsigned long end,
		unsigned long floor, unsigned long ceiling);

/* The same where no hart has the tables loaded, and none will have. */
void tables_drop(struct address_space *space, unsigned long start, unsigned long end,
		 unsigned long floor, unsigned long ceiling);

/* Divide the block that @va is inside of, if there is one. Return: 0, -ENOMEM. Tables locked. */
int tables_split(struct address_space *space, unsigned long va);

/* The root goes, which leads to nothing any more. */
void tables_free(struct address_space *space);

/* --- own_page.c ------------------------------------------------------------------- */

/* A page with one user. Return: NULL without memory. */
static __always_inline struct page *own_page_alloc(void)
{
	struct page *page = page_alloc(0);

	if (likely(page))
		page->users = 1;
	return page;
}

/* A block, in the same way. */
struct page *own_block_alloc(void);

/* More users of the page or block that @pa is in; one less; whether there is only one. */
void own_page_get(phys_addr_t pa, u32 users);
void own_page_put(phys_addr_t pa);
bool own_page_is_single(phys_addr_t pa);

/* --- memory_object.c -------------------------------------------------------------- */

/*
 * Where the page at @offset is. Return: 0, -EAGAIN if it is nowhere yet,
 * -ENXIO beyond the end. It stays there until all leaves have gone; the caller
 * has the lock of the tables to which it is about to add one.
 */
int memory_object_find(struct memory_object *object, u64 offset, phys_addr_t *pa);

/* Have it somewhere. Return: 0, then try again; -ENXIO, -ENOMEM, or fill's. No lock held. */
int memory_object_fill(struct memory_object *object, u64 offset);

/* --- address_space.c -------------------------------------------------------------- */

/* The mapping of @addr, or the first one above; NULL. Space locked. */
struct mapping *mapping_at_or_above(struct address_space *space, unsigned long addr);

#endif
