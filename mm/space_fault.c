// SPDX-License-Identifier: MIT
/* What an access to user memory needs: a page, a copy of one, or the right to what is there. */
#include "address_space.h"
#include <ahoy/errno.h>
#include <ahoy/page_alloc.h>
#include <ahoy/smp.h>
#include <ahoy/string.h>
#include <ahoy/thread.h>
#include <asm/current.h>
#include <asm/page.h>

/*
 * What is read where nothing was written: one page for all, which is copied
 * before it changes. It is there from its first use on. Return: its address, or
 * 0 without memory.
 */
static phys_addr_t zero_page(void)
{
	static phys_addr_t zeroes;
	phys_addr_t pa = __atomic_load_n(&zeroes, __ATOMIC_ACQUIRE), none = 0;
	struct page *page;

	if (pa)
		return pa;
	page = page_alloc(0);
	if (!page)
		return 0;
	memset(page_to_virt(page), 0, PAGE_SIZE);
	pa = page_to_phys(page);
	if (__atomic_compare_exchange_n(&zeroes, &none, pa, false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE))
		return pa;
	/* Another hart was faster. */
	page_free(page, 0);
	return none;
}

/* What a mapping permits without a fault that tells of the first write. */
static unsigned int quiet_access(const struct mapping *mapping)
{
	return mapping->flags & (VM_READ | VM_EXEC);
}

/* Is what @mapping shows at @va where it always was? For mappings of an object. */
static __always_inline bool is_in_place(const struct mapping *mapping, unsigned long va)
{
	return mapping->offset + (va - mapping->start) < mapping->object->in_place;
}

/*
 * The page of @leaf may be run from here on, by any thread of @space, and may have been
 * written by any hart. What lies in memory as it always was is seen by all after the first time.
 */
static void fence_leaf_code(struct address_space *space, const struct mapping *mapping,
			    const struct user_leaf *leaf)
{
	struct memory_object *object = mapping->object;
	bool in_place = object && !leaf->own && is_in_place(mapping, leaf->va);

	if (!(leaf->access & VM_EXEC) || (in_place && READ_ONCE(object->code_fenced)))
		return;
	if (in_place) {
		smp_fence_code_all();
		WRITE_ONCE(object->code_fenced, true);
	} else {
		space_fence_code(space);
	}
}

/* Put a leaf where there is none, and let this hart try again. */
static __always_inline int add_leaf(struct address_space *space, const struct mapping *mapping,
				    const struct user_leaf *leaf)
{
	int made;

	fence_leaf_code(space, mapping, leaf);
	made = user_leaf_insert(&space->tables, leaf, table_alloc);
	if (unlikely(made < 0))
		return made;
	user_fence_here(leaf->va, made);
	return 0;
}

/* --- copies ------------------------------------------------------------------------- */

/* Make @leaf one of a copy of the page at @from, or of zeroes if that is NULL. */
static __always_inline int make_copy(struct user_leaf *leaf, const void *from)
{
	struct page *page = own_page_alloc();

	if (unlikely(!page))
		return -ENOMEM;
	leaf->pa = page_to_phys(page);
	leaf->own = true;
	leaf->access |= VM_WRITE;
	if (from)
		memcpy(phys_to_virt(leaf->pa), from, PAGE_SIZE);
	else
		memset(phys_to_virt(leaf->pa), 0, PAGE_SIZE);
	return 0;
}

static int add_copy(struct address_space *space, const struct mapping *mapping,
		    struct user_leaf *leaf, const void *from)
{
	int err = make_copy(leaf, from);

	if (unlikely(err))
		return err;
	err = add_leaf(space, mapping, leaf);
	if (unlikely(err))
		own_page_put(leaf->pa);
	return err;
}

/* The first write to a page that others may read: put a copy in its place. */
static int copy_on_write(struct address_space *space, const struct mapping *mapping,
			 struct user_leaf *leaf)
{
	bool own = leaf->own;
	phys_addr_t before = leaf->pa;
	int err = make_copy(leaf, phys_to_virt(before));

	if (err)
		return err;
	fence_leaf_code(space, mapping, leaf);
	if (user_leaf_change(&space->tables, leaf))
		tables_fence(space, leaf->va, leaf->va + PAGE_SIZE);
	if (own)
		own_page_put(before);
	return 0;
}

/* --- blocks ------------------------------------------------------------------------- */

/* May a block be where @leaf is to go? Then it is one, with the mapping's offset in *@offset. */
static bool try_block(const struct mapping *mapping, struct user_leaf *leaf, u64 *offset)
{
	unsigned long start = ALIGN_DOWN(leaf->va, USER_BLOCK_SIZE);

	if (!IS_ENABLED(CONFIG_HUGE_PAGES) || start < mapping->start ||
	    mapping->end - start < USER_BLOCK_SIZE)
		return false;
	leaf->va = start;
	leaf->block = true;
	*offset = mapping->offset + (start - mapping->start);
	return true;
}

/* A block of zeroes of the space's own. Return: 0, or an error, after which a page will do. */
static int add_zero_block(struct address_space *space, const struct mapping *mapping,
			  struct user_leaf leaf)
{
	struct page *page;
	u64 offset;
	int err;

	if (!try_block(mapping, &leaf, &offset))
		return -EINVAL;
	page = own_block_alloc();
	if (!page)
		return -ENOMEM;
	memset(page_to_virt(page), 0, USER_BLOCK_SIZE);
	leaf.pa = page_to_phys(page);
	leaf.own = true;
	leaf.access = quiet_access(mapping) | (mapping->flags & VM_WRITE);
	err = add_leaf(space, mapping, &leaf);
	if (err)
		own_page_put(leaf.pa);
	return err;
}

/* A block of an object that lies in RAM as the mapping wants it. */
static int add_fixed_block(struct address_space *space, const struct mapping *mapping,
			   struct user_leaf leaf)
{
	struct memory_object *object = mapping->object;
	u64 offset;

	if (!object->fixed || !try_block(mapping, &leaf, &offset) ||
	    !IS_ALIGNED(object->pa + offset, USER_BLOCK_SIZE) ||
	    offset + USER_BLOCK_SIZE > object->in_place)
		return -EINVAL;
	leaf.pa = object->pa + offset;
	return add_leaf(space, mapping, &leaf);
}

/* Was there a block for @leaf? Else a page will do, to which some tables may lead by now. */
static __always_inline bool has_block(int err, struct user_leaf *leaf)
{
	if (err == -ENOMEM)
		leaf->slot = NULL;
	return !err;
}

/* So much around an access is mapped with it, where that takes nothing but the leaves. */
#define AROUND (16UL * PAGE_SIZE)

/*
 * Where the page at @leaf->va is one of an image as it lies in memory, so are its
 * neighbours, which who came here is likely to want next. Not for what will be
 * written, which is copied.
 */
static void add_around(struct address_space *space, const struct mapping *mapping,
		       const struct user_leaf *leaf)
{
	const struct memory_object *object = mapping->object;
	u64 behind = mapping->start + (object->in_place - mapping->offset);
	struct user_leaf first = *leaf;
	unsigned long end;

	if (mapping->flags & VM_WRITE || !is_in_place(mapping, leaf->va))
		return;
	first.va = max(ALIGN_DOWN(leaf->va, AROUND), mapping->start);
	first.pa -= leaf->va - first.va;
	end = min(ALIGN_DOWN(leaf->va, AROUND) + AROUND, mapping->end);
	if (end > behind)
		end = behind;
	if (end > first.va)
		user_leaf_insert_run(&space->tables, &first, (end - first.va) / PAGE_SIZE);
}

/* --- faults -------------------------------------------------------------------------- */

/* Nothing is there yet: the page of an object, or a copy of it. */
static int fault_object(struct address_space *space, const struct mapping *mapping,
			struct user_leaf *leaf, unsigned int access)
{
	bool shared = mapping->flags & VM_SHARED;
	int err;

	if (access == VM_WRITE && shared)
		leaf->access |= VM_WRITE;
	err = memory_object_find(mapping->object, mapping->offset + (leaf->va - mapping->start),
				 &leaf->pa);
	if (err)
		return err;
	if (access == VM_WRITE && !shared)
		return add_copy(space, mapping, leaf, phys_to_virt(leaf->pa));
	if (has_block(add_fixed_block(space, mapping, *leaf), leaf))
		return 0;
	err = add_leaf(space, mapping, leaf);
	if (!err && IS_ENABLED(CONFIG_USERSPACE))
		add_around(space, mapping, leaf);
	return err;
}

/* Nothing is there yet, where @leaf is to be. */
static __always_inline int fault_empty(struct address_space *space, const struct mapping *mapping,
				       struct user_leaf *leaf, unsigned int access)
{
	leaf->access = quiet_access(mapping);
	if (mapping->object)
		return fault_object(space, mapping, leaf, access);
	if (IS_ENABLED(CONFIG_HUGE_PAGES) && has_block(add_zero_block(space, mapping, *leaf), leaf))
		return 0;
	if (access == VM_WRITE)
		return add_copy(space, mapping, leaf, NULL);
	leaf->pa = zero_page();
	return leaf->pa ? add_leaf(space, mapping, leaf) : -ENOMEM;
}

/* Something is there, which does not permit a write. */
static int fault_write(struct address_space *space, const struct mapping *mapping, unsigned long va,
		       struct user_leaf *leaf)
{
	int err;

	if (mapping->flags & VM_SHARED || (leaf->own && own_page_is_single(leaf->pa))) {
		leaf->access |= VM_WRITE;
		user_leaf_change(&space->tables, leaf);
		user_fence_here(va, false);
		return 0;
	}
	if (leaf->block) {
		err = tables_split(space, leaf->va + PAGE_SIZE);
		if (err)
			return err;
		user_leaf_find(&space->tables, va, leaf);
	}
	return copy_on_write(space, mapping, leaf);
}

/* What programs do most: write for the first time to memory that is all zeroes. At @slot is nothing. */
static __always_inline int add_zeroes(u64 *slot, unsigned long va)
{
	struct page *page = own_page_alloc();
	phys_addr_t pa;

	if (unlikely(!page))
		return -ENOMEM;
	pa = page_to_phys(page);
	memset(phys_to_virt(pa), 0, PAGE_SIZE);
	user_page_insert(slot, pa, VM_READ | VM_WRITE);
	user_fence_here(va, false);
	return 0;
}

static __always_inline int fault_mapped(struct address_space *space, const struct mapping *mapping,
					unsigned long va, unsigned int access)
{
	struct user_leaf leaf;
	u64 *slot = NULL;
	int err = 0;

	tables_lock_inline(space);
	if (access == VM_WRITE && !mapping->object && !(mapping->flags & VM_EXEC))
		slot = user_page_empty(&space->tables, va);
	if (likely(slot))
		err = add_zeroes(slot, va);
	else if (!user_leaf_find(&space->tables, va, &leaf))
		err = fault_empty(space, mapping, &leaf, access);
	else if (leaf.access & access)
		/* The hart remembered less, or another thread was faster. */
		user_fence_here(va, true);
	else
		err = fault_write(space, mapping, va, &leaf);
	tables_unlock_inline(space);
	return err;
}

/* The page has to come from somebody who may take his time. Space locked; it is let go meanwhile. */
static noinline int fill(struct address_space *space, const struct mapping *mapping,
			 unsigned long va)
{
	struct memory_object *object = mapping->object;
	u64 offset = mapping->offset + (va - mapping->start);
	int err;

	memory_object_get(object);
	mutex_unlock(&space->lock);
	err = memory_object_fill(object, offset);
	memory_object_put(object);
	mutex_lock(&space->lock);
	return err;
}

int address_space_fault(struct address_space *space, unsigned long addr, unsigned int access)
{
	unsigned long va = ALIGN_DOWN(addr, (unsigned long)PAGE_SIZE);
	int err;

	mutex_lock(&space->lock);
	do {
		struct mapping *mapping = mapping_at_or_above(space, va);

		if (unlikely(!mapping || mapping->start > va)) {
			err = -EFAULT;
			break;
		}
		if (unlikely(!(mapping->flags & access))) {
			err = -EACCES;
			break;
		}
		err = fault_mapped(space, mapping, va, access);
		if (likely(err != -EAGAIN))
			break;
		/* What is mapped may be something else then. */
		err = fill(space, mapping, va);
	} while (!err);
	mutex_unlock(&space->lock);
	return err;
}

int user_fault(unsigned long addr, unsigned int access)
{
	struct address_space *space = thread_current()->space;

	return space ? address_space_fault(space, addr, access) : -EFAULT;
}
