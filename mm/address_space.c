// SPDX-License-Identifier: MIT
/*
 * What is mapped in an address space: mappings in a tree by address, which do
 * not overlap. Neighbours that continue each other are made one.
 *
 * What may fail for want of memory comes first: descriptors that will be needed
 * are got, and blocks on the bounds of the range are divided, before anything
 * else changes.
 */
#include "address_space.h"
#include <ahoy/errno.h>
#include <ahoy/init.h>
#include <ahoy/page_alloc.h>
#include <ahoy/panic.h>
#include <ahoy/slab.h>
#include <ahoy/smp.h>
#include <ahoy/string.h>
#include <ahoy/thread.h>
#include <asm/current.h>
#include <asm/irqflags.h>

/* What of the flags stays with the mapping. */
#define VM_ACCESS (VM_READ | VM_WRITE | VM_EXEC)
#define VM_KEPT	  (VM_ACCESS | VM_SHARED | VM_NO_WRITE)

/* --- the tree ----------------------------------------------------------------------- */

static struct mapping *mapping_of(struct rb_node *node)
{
	return node ? rb_entry(node, struct mapping, node) : NULL;
}

struct mapping *mapping_at_or_above(struct address_space *space, unsigned long addr)
{
	struct rb_node *node = space->mappings.root;
	struct mapping *found = NULL;

	lockdep_assert_held(&space->lock);
	while (node) {
		struct mapping *mapping = mapping_of(node);

		if (addr < mapping->end) {
			found = mapping;
			node = node->left;
		} else {
			node = node->right;
		}
	}
	return found;
}

/* The last mapping that begins below @addr. */
static struct mapping *mapping_below(struct address_space *space, unsigned long addr)
{
	struct rb_node *node = space->mappings.root;
	struct mapping *found = NULL;

	while (node) {
		struct mapping *mapping = mapping_of(node);

		if (mapping->start < addr) {
			found = mapping;
			node = node->right;
		} else {
			node = node->left;
		}
	}
	return found;
}

static struct mapping *mapping_next(struct mapping *mapping)
{
	return mapping_of(rb_next(&mapping->node));
}

static void tree_insert(struct address_space *space, struct mapping *mapping)
{
	struct rb_node **link = &space->mappings.root, *parent = NULL;

	while (*link) {
		parent = *link;
		link = mapping->start < mapping_of(parent)->start ? &parent->left : &parent->right;
	}
	rb_insert(&space->mappings, &mapping->node, parent, link);
}

/* --- mappings and their objects ------------------------------------------------------ */

/* Who truncates the object must find the mapping as it is, or not yet, or no more. */
static void object_lock(struct memory_object *object)
{
	if (object)
		mutex_lock(&object->mappings_lock);
}

static void object_unlock(struct memory_object *object)
{
	if (object)
		mutex_unlock(&object->mappings_lock);
}

/* Add @mapping, which is filled in, to its space and its object. */
static void attach(struct mapping *mapping)
{
	struct memory_object *object = mapping->object;

	tree_insert(mapping->space, mapping);
	if (!object)
		return;
	memory_object_get(object);
	object_lock(object);
	list_add_tail(&mapping->link, &object->mappings);
	object_unlock(object);
}

/* Take it out of both, and free it. No leaf may be left of it, or another mapping has them. */
static void detach(struct mapping *mapping)
{
	struct memory_object *object = mapping->object;

	rb_erase(&mapping->space->mappings, &mapping->node);
	if (object) {
		object_lock(object);
		list_del(&mapping->link);
		object_unlock(object);
		memory_object_put(object);
	}
	kfree(mapping);
}

/* Does a mapping reach over @addr? */
static struct mapping *mapping_across(struct address_space *space, unsigned long addr)
{
	struct mapping *mapping = mapping_at_or_above(space, addr);

	return mapping && mapping->start < addr ? mapping : NULL;
}

/* Let @low end at @addr, inside of it, and @high go on there. */
static void split_mapping(struct mapping *low, unsigned long addr, struct mapping *high)
{
	*high = *low;
	high->start = addr;
	high->offset += addr - low->start;
	object_lock(low->object);
	low->end = addr;
	if (low->object) {
		memory_object_get(low->object);
		list_add(&high->link, &low->link);
	}
	object_unlock(low->object);
	tree_insert(low->space, high);
}

static bool continues(const struct mapping *low, const struct mapping *high)
{
	return low->end == high->start && low->flags == high->flags &&
	       low->object == high->object &&
	       (!low->object || low->offset + (low->end - low->start) == high->offset);
}

/* Make @mapping and the one below one, if that can be. Return: what has its end then. */
static struct mapping *merge_below(struct mapping *mapping)
{
	struct mapping *low = mapping_of(rb_prev(&mapping->node));

	if (!low || !continues(low, mapping))
		return mapping;
	object_lock(low->object);
	low->end = mapping->end;
	object_unlock(low->object);
	detach(mapping);
	return low;
}

/* Of all that lie in or touch the range. */
static void merge_range(struct address_space *space, unsigned long start, unsigned long end)
{
	struct mapping *mapping = mapping_at_or_above(space, start);

	while (mapping && mapping->start <= end)
		mapping = mapping_next(merge_below(mapping));
}

/* --- ranges --------------------------------------------------------------------------- */

/* Is it a range of user memory? */
static bool valid_range(unsigned long addr, size_t size)
{
	return size && IS_ALIGNED(addr | size, PAGE_SIZE) && addr >= PAGE_SIZE && addr < user_end &&
	       size <= user_end - addr;
}

/* Let blocks end at both ends of the range. Return: 0, -ENOMEM. */
static int split_blocks(struct address_space *space, unsigned long start, unsigned long end)
{
	int err;

	tables_lock(space);
	err = tables_split(space, start);
	if (!err && end < user_end)
		err = tables_split(space, end);
	tables_unlock(space);
	return err;
}

/* Let blocks and mappings end at both ends of the range. Return: 0, -ENOMEM. */
static int split_range(struct address_space *space, unsigned long start, unsigned long end)
{
	struct mapping *low = mapping_across(space, start), *behind_low = NULL;
	struct mapping *high = mapping_across(space, end), *behind_high = NULL;
	int err = split_blocks(space, start, end);

	if (!err && low)
		behind_low = kmalloc(sizeof(*behind_low));
	if (!err && high)
		behind_high = kmalloc(sizeof(*behind_high));
	if (err || (low && !behind_low) || (high && !behind_high)) {
		kfree(behind_low);
		kfree(behind_high);
		return -ENOMEM;
	}
	if (low)
		split_mapping(low, start, behind_low);
	/* That may have been the same one: then the end is in the part behind. */
	if (high)
		split_mapping(mapping_across(space, end), end, behind_high);
	return 0;
}

/*
 * Take out the leaves of the range, which mappings end with, and the tables that
 * nobody else needs: each is there for some mapping.
 */
static void clear_range(struct address_space *space, unsigned long start, unsigned long end)
{
	struct mapping *next = mapping_at_or_above(space, end);
	struct mapping *prev = mapping_below(space, start);

	tables_lock(space);
	tables_zap(space, start, end, prev ? prev->end : 0, next ? next->start : user_end);
	tables_unlock(space);
}

/* Unmap all in the range. Return: 0, -ENOMEM. Space locked. */
static int remove_range(struct address_space *space, unsigned long start, unsigned long end)
{
	struct mapping *mapping = mapping_at_or_above(space, start);
	int err;

	if (!mapping || mapping->start >= end)
		return 0;
	err = split_range(space, start, end);
	if (err)
		return err;
	mapping = mapping_at_or_above(space, start);
	/* Leaves first: who truncates an object looks for them by its mappings. */
	clear_range(space, start, end);
	while (mapping && mapping->start < end) {
		struct mapping *next = mapping_next(mapping);

		detach(mapping);
		mapping = next;
	}
	return 0;
}

/* Find room for @size bytes, from @hint on if there is. Return: 0, -ENOMEM. */
static int find_room(struct address_space *space, unsigned long hint, size_t size,
		     unsigned long *addr)
{
	unsigned long align = PAGE_SIZE, at;
	struct mapping *mapping;

	/* Blocks want to be aligned as their memory is. */
	if (IS_ENABLED(CONFIG_HUGE_PAGES) && size >= USER_BLOCK_SIZE)
		align = USER_BLOCK_SIZE;
	if (hint >= user_end)
		hint = 0;
	at = ALIGN(max_t(unsigned long, hint, PAGE_SIZE), align);
	for (mapping = mapping_at_or_above(space, at); mapping; mapping = mapping_next(mapping)) {
		if (mapping->start > at && mapping->start - at >= size)
			break;
		at = ALIGN(mapping->end, align);
	}
	if (!mapping && (at > user_end || user_end - at < size))
		return hint > PAGE_SIZE ? find_room(space, 0, size, addr) : -ENOMEM;
	*addr = at;
	return 0;
}

/* --- operations ------------------------------------------------------------------------ */

static int make_room(struct address_space *space, unsigned long *addr, size_t size,
		     unsigned int flags)
{
	struct mapping *mapping;

	if (flags & VM_ANYWHERE)
		return find_room(space, *addr, size, addr);
	mapping = mapping_at_or_above(space, *addr);
	if (!mapping || mapping->start >= *addr + size)
		return 0;
	return flags & VM_REPLACE ? remove_range(space, *addr, *addr + size) : -EEXIST;
}

int address_space_map(struct address_space *space, unsigned long *addr, size_t size,
		      struct memory_object *object, u64 offset, unsigned int flags)
{
	unsigned long at = flags & VM_ANYWHERE ? ALIGN_DOWN(*addr, PAGE_SIZE) : *addr;
	struct mapping *mapping;
	int err;

	/* Anywhere, the hint need not be such an address. */
	if (!valid_range(flags & VM_ANYWHERE ? PAGE_SIZE : at, size))
		return flags & VM_ANYWHERE && size && IS_ALIGNED(size, PAGE_SIZE) ? -ENOMEM
										  : -EINVAL;
	if (flags & ~(VM_KEPT | VM_REPLACE | VM_ANYWHERE) || (flags & VM_SHARED && !object) ||
	    !IS_ALIGNED(offset, PAGE_SIZE) || offset > MEMORY_OBJECT_MAX)
		return -EINVAL;
	if (flags & VM_WRITE)
		flags |= VM_READ;
	mapping = kmalloc(sizeof(*mapping));
	if (!mapping)
		return -ENOMEM;
	mutex_lock(&space->lock);
	err = make_room(space, &at, size, flags);
	if (!err) {
		*mapping = (struct mapping){
			.space = space,
			.start = at,
			.end = at + size,
			.object = object,
			.offset = object ? offset : 0,
			.flags = flags & VM_KEPT,
		};
		attach(mapping);
		merge_range(space, at, at + size);
	}
	mutex_unlock(&space->lock);
	if (err)
		kfree(mapping);
	else
		*addr = at;
	return err;
}

int address_space_unmap(struct address_space *space, unsigned long addr, size_t size)
{
	int err;

	if (!valid_range(addr, size))
		return -EINVAL;
	mutex_lock(&space->lock);
	err = remove_range(space, addr, addr + size);
	mutex_unlock(&space->lock);
	return err;
}

/* Is something mapped at all addresses of the range? */
static bool is_covered(struct address_space *space, unsigned long start, unsigned long end)
{
	struct mapping *mapping = mapping_at_or_above(space, start);

	while (mapping && mapping->start <= start && mapping->end < end) {
		start = mapping->end;
		mapping = mapping_next(mapping);
	}
	return mapping && mapping->start <= start;
}

/* Is there a mapping in the range that may not be written to, whoever wants it? */
static bool has_no_write(struct address_space *space, unsigned long start, unsigned long end)
{
	struct mapping *mapping = mapping_at_or_above(space, start);

	for (; mapping && mapping->start < end; mapping = mapping_next(mapping))
		if (mapping->flags & VM_NO_WRITE)
			return true;
	return false;
}

/* Leaves get what they may have without a fault, and keep the right to write only if it stays. */
static void protect_leaves(struct address_space *space, unsigned long start, unsigned long end,
			   unsigned int access)
{
	tables_lock(space);
	if (user_leaves_limit(&space->tables, start, end, access))
		tables_fence(space, start, end);
	tables_unlock(space);
	if (access & VM_EXEC)
		space_fence_code(space);
}

int address_space_protect(struct address_space *space, unsigned long addr, size_t size,
			  unsigned int access)
{
	unsigned long end = addr + size;
	struct mapping *mapping;
	int err;

	if (!valid_range(addr, size) || access & ~VM_ACCESS)
		return -EINVAL;
	if (access & VM_WRITE)
		access |= VM_READ;
	mutex_lock(&space->lock);
	err = is_covered(space, addr, end) ? 0 : -ENOMEM;
	if (!err && access & VM_WRITE && has_no_write(space, addr, end))
		err = -EACCES;
	if (!err)
		err = split_range(space, addr, end);
	if (!err) {
		for (mapping = mapping_at_or_above(space, addr); mapping && mapping->start < end;
		     mapping = mapping_next(mapping))
			mapping->flags = (mapping->flags & (VM_SHARED | VM_NO_WRITE)) | access;
		protect_leaves(space, addr, end, access);
		merge_range(space, addr, end);
	}
	mutex_unlock(&space->lock);
	return err;
}

/*
 * Make the tables that pages need to move by @delta, so that nothing can fail
 * when they do. Blocks are divided. Return: 0, -ENOMEM.
 */
static int make_way(struct address_space *space, unsigned long start, unsigned long end,
		    unsigned long delta)
{
	struct user_leaf leaf = { .va = start };
	int err = 0;

	tables_lock(space);
	while (err >= 0 && user_leaf_next(&space->tables, &leaf, end)) {
		if (leaf.block) {
			err = tables_split(space, leaf.va + PAGE_SIZE);
			continue;
		}
		if (leaf.own) {
			struct user_leaf probe = { .va = leaf.va + delta };

			err = user_leaf_insert(&space->tables, &probe, table_alloc);
			if (err >= 0)
				user_leaf_erase(&space->tables, probe.va);
		}
		leaf.va += PAGE_SIZE;
	}
	tables_unlock(space);
	return min(err, 0);
}

/* Let @mapping and its own pages be @delta further up. What is an object's is found again there. */
static void move_mapping(struct mapping *mapping, unsigned long delta)
{
	struct address_space *space = mapping->space;
	struct user_leaf leaf = { .va = mapping->start };
	bool fence = false;

	rb_erase(&space->mappings, &mapping->node);
	object_lock(mapping->object);
	tables_lock(space);
	for (; user_leaf_next(&space->tables, &leaf, mapping->end); leaf.va += PAGE_SIZE) {
		struct user_leaf moved = leaf;

		leaf.access = 0;
		fence |= user_leaf_change(&space->tables, &leaf);
		moved.va += delta;
		moved.slot = NULL;
		if (moved.own && user_leaf_insert(&space->tables, &moved, table_alloc))
			panic("address space: no table where one was made");
	}
	if (fence)
		tables_fence(space, mapping->start, mapping->end);
	for (leaf.va = mapping->start; user_leaf_next(&space->tables, &leaf, mapping->end);
	     leaf.va += PAGE_SIZE)
		user_leaf_erase(&space->tables, leaf.va);
	mapping->start += delta;
	mapping->end += delta;
	tables_unlock(space);
	object_unlock(mapping->object);
	tree_insert(space, mapping);
}

/* Space locked. */
static int move_range(struct address_space *space, unsigned long from, unsigned long to,
		      size_t size)
{
	struct mapping *mapping = mapping_at_or_above(space, to);
	int err;

	if (mapping && mapping->start < to + size)
		return -EEXIST;
	if (!is_covered(space, from, from + size))
		return -EFAULT;
	err = split_range(space, from, from + size);
	if (!err)
		err = make_way(space, from, from + size, to - from);
	if (err) {
		clear_range(space, to, to + size);
		merge_range(space, from, from + size);
		return err;
	}
	while ((mapping = mapping_at_or_above(space, from)) && mapping->start < from + size)
		move_mapping(mapping, to - from);
	clear_range(space, from, from + size);
	merge_range(space, to, to + size);
	return 0;
}

int address_space_move(struct address_space *space, unsigned long from, unsigned long to,
		       size_t size)
{
	int err;

	if (!valid_range(from, size) || !valid_range(to, size) ||
	    (from < to + size && to < from + size))
		return -EINVAL;
	mutex_lock(&space->lock);
	err = move_range(space, from, to, size);
	mutex_unlock(&space->lock);
	return err;
}

/* Space locked. */
static int extend_mapping(struct address_space *space, unsigned long end, size_t more)
{
	struct mapping *mapping = mapping_across(space, end), *next;

	/* One that goes on there has no room, one that ended before is none of this range. */
	if (mapping)
		return -EEXIST;
	mapping = mapping_at_or_above(space, end - 1);
	if (!mapping || mapping->end != end)
		return -EFAULT;
	next = mapping_next(mapping);
	if (next && next->start - end < more)
		return -EEXIST;
	if (mapping->object && mapping->offset + (end - mapping->start) + more > MEMORY_OBJECT_MAX)
		return -EINVAL;
	object_lock(mapping->object);
	mapping->end = end + more;
	object_unlock(mapping->object);
	merge_range(space, end, end + more);
	return 0;
}

int address_space_extend(struct address_space *space, unsigned long end, size_t more)
{
	int err;

	if (!valid_range(end, more))
		return -EINVAL;
	mutex_lock(&space->lock);
	err = extend_mapping(space, end, more);
	mutex_unlock(&space->lock);
	return err;
}

int address_space_forget(struct address_space *space, unsigned long addr, size_t size)
{
	int err;

	if (!valid_range(addr, size))
		return -EINVAL;
	mutex_lock(&space->lock);
	err = is_covered(space, addr, addr + size) ? split_blocks(space, addr, addr + size)
						   : -ENOMEM;
	if (!err) {
		tables_lock(space);
		tables_zap(space, addr, addr + size, NO_TABLES);
		tables_unlock(space);
	}
	mutex_unlock(&space->lock);
	return err;
}

bool address_space_find(struct address_space *space, unsigned long *start, unsigned long *end,
			unsigned int *flags)
{
	struct mapping *mapping;

	mutex_lock(&space->lock);
	mapping = mapping_at_or_above(space, *start);
	if (mapping) {
		*start = mapping->start;
		*end = mapping->end;
		*flags = mapping->flags;
	}
	mutex_unlock(&space->lock);
	return mapping;
}

/* --- spaces ------------------------------------------------------------------------------ */

struct address_space *address_space_create(void)
{
	struct address_space *space = kzalloc(sizeof(*space));
	void *root = table_alloc();

	if (!space || !root) {
		kfree(space);
		if (root)
			page_free(virt_to_page(root), 0);
		return NULL;
	}
	space->holds = 1;
	user_tables_init(&space->tables, root);
	return space;
}

static void space_free(struct address_space *space)
{
	struct mapping *mapping = mapping_of(rb_first(&space->mappings)), *next;

	/* Leaves first: who truncates an object looks for them by its mappings. */
	tables_lock(space);
	for (; mapping; mapping = next) {
		next = mapping_next(mapping);
		tables_drop(space, mapping->start, mapping->end, 0, next ? next->start : user_end);
	}
	tables_unlock(space);
	while (space->mappings.root)
		detach(mapping_of(space->mappings.root));
	tables_free(space);
	kfree(space);
}

static void space_put(struct address_space *space)
{
	if (__atomic_fetch_sub(&space->holds, 1, __ATOMIC_ACQ_REL) == 1)
		space_free(space);
}

void address_space_hold(struct address_space *space)
{
	__atomic_fetch_add(&space->holds, 1, __ATOMIC_RELAXED);
}

void address_space_destroy(struct address_space *space)
{
	space_put(space);
}

static void hold_own(phys_addr_t pa)
{
	own_page_get(pa, 1);
}

/*
 * Let @child share the pages that @mapping has of its own. Neither may write to
 * them from then on without a fault. What belongs to objects is found again
 * when it is accessed. Return: as user_leaves_share(). Both spaces' tables locked.
 */
static int share_pages(struct address_space *space, struct address_space *child,
		       const struct mapping *mapping)
{
	return user_leaves_share(&space->tables, &child->tables, mapping->start, mapping->end,
				 table_alloc, hold_own);
}

static int clone_mapping(struct address_space *child, const struct mapping *mapping)
{
	struct mapping *copy = kmalloc(sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	*copy = *mapping;
	copy->space = child;
	attach(copy);
	return 0;
}

/* Space locked. */
static int clone_mappings(struct address_space *space, struct address_space *child)
{
	struct rb_node *node;
	bool fence = false;
	int err = 0;

	for (node = rb_first(&space->mappings); node && !err; node = rb_next(node))
		err = clone_mapping(child, mapping_of(node));
	if (err)
		return err;
	/* An object that is truncated meanwhile finds the child's mappings behind the space's. */
	tables_lock(space);
	tables_lock(child);
	for (node = rb_first(&space->mappings); node && err >= 0; node = rb_next(node)) {
		err = share_pages(space, child, mapping_of(node));
		fence |= err;
	}
	/* Until here other threads may have written to what they shared; from here on they fault. */
	if (fence)
		tables_fence(space, 0, user_end);
	tables_unlock(child);
	tables_unlock(space);
	return min(err, 0);
}

struct address_space *address_space_clone(struct address_space *space)
{
	struct address_space *child = address_space_create();
	int err;

	if (!child)
		return NULL;
	mutex_lock(&space->lock);
	err = clone_mappings(space, child);
	mutex_unlock(&space->lock);
	if (!err)
		return child;
	/* With it goes what it shares: then the first fault finds a page with one user. */
	address_space_destroy(child);
	return NULL;
}

/* --- threads ------------------------------------------------------------------------------ */

void address_space_load(struct address_space *space)
{
	user_tables_load(space ? &space->tables : NULL, this_hart());
}

void address_space_enter(struct address_space *space)
{
	struct thread *self = thread_current();
	struct address_space *before = self->space;
	unsigned long flags;

	if (space == before)
		return;
	if (space)
		address_space_hold(space);
	flags = local_irq_save();
	self->space = space;
	address_space_load(space);
	local_irq_restore(flags);
	if (before)
		space_put(before);
}

static void user_memory_init(void)
{
	if (user_paging_init(table_alloc))
		panic("no memory for the kernel's page tables");
}
INIT(mm, user_memory_init);
