// SPDX-License-Identifier: MIT
/*
 * The kernel heap as a list of holes, by address: an object takes the first
 * hole that it fits into, and a hole grows together with its neighbours. Little
 * code and little memory, and the more holes there are, the longer it takes.
 */
#include <ahoy/compiler.h>
#include <ahoy/errno.h>
#include <ahoy/fail_alloc.h>
#include <ahoy/page_alloc.h>
#include <ahoy/slab.h>
#include <ahoy/spinlock.h>
#include <asm/page.h>

#include "heap.h"

#define UNIT	    16
#define ARENA_ORDER 2
/* What is larger has pages of its own. */
#define LARGEST (PAGE_SIZE / 2)

/* In front of each object; @size is that of the object. */
struct object {
	size_t size;
	size_t unused; /* keeps what follows aligned */
};

struct hole {
	size_t size; /* with this head */
	struct hole *next;
};

BUILD_BUG_ON(sizeof(struct object) != UNIT || sizeof(struct hole) != UNIT);

static struct hole *holes;
static struct spinlock lock;

static __always_inline char *end_of(struct hole *hole)
{
	return (char *)hole + hole->size;
}

/* Make [@start, @start + @size) a hole. Lock held. */
static void add_hole(void *start, size_t size)
{
	struct hole *hole = start, *prev = NULL, *next = holes;

	lockdep_assert_held(&lock);
	while (next && next < hole) {
		prev = next;
		next = next->next;
	}
	*hole = (struct hole){ .size = size, .next = next };
	if (next && end_of(hole) == (char *)next) {
		hole->size += next->size;
		hole->next = next->next;
	}
	if (prev && end_of(prev) == (char *)hole) {
		prev->size += hole->size;
		prev->next = hole->next;
	} else if (prev) {
		prev->next = hole;
	} else {
		holes = hole;
	}
}

/* Cut an object out of the first hole with room for it. @size: a multiple of UNIT. */
static void *take(size_t size, size_t align)
{
	struct hole **link, *hole;

	for (link = &holes; (hole = *link); link = &hole->next) {
		char *p = (char *)ALIGN((unsigned long)(hole + 1), align), *end = end_of(hole);
		size_t before = (size_t)(p - (char *)(hole + 1)), after;
		struct object *object = (struct object *)(void *)p - 1;
		struct hole *next = hole->next;

		if (p > end || (size_t)(end - p) < size)
			continue;
		after = (size_t)(end - p) - size;
		if (after) {
			struct hole *rest = (struct hole *)(void *)(p + size);

			*rest = (struct hole){ .size = after, .next = next };
			next = rest;
		}
		if (before) {
			hole->size = before;
			hole->next = next;
		} else {
			*link = next;
		}
		object->size = size;
		return p;
	}
	return NULL;
}

/* Pages for more objects. Lock held. Return: whether there were any. */
static bool grow(void)
{
	struct page *page = page_alloc(ARENA_ORDER);
	unsigned int i;

	if (!page)
		return false;
	for (i = 0; i < 1U << ARENA_ORDER; i++)
		page[i].state = PAGE_SLAB;
	add_hole(page_to_virt(page), (size_t)PAGE_SIZE << ARENA_ORDER);
	return true;
}

/* Lock held. */
static void *alloc(size_t size, size_t align)
{
	void *p;

	lockdep_assert_held(&lock);
	size = ALIGN(size, UNIT);
	p = take(size, align);
	if (!p && grow())
		p = take(size, align);
	return p;
}

static void *locked_alloc(size_t size, size_t align)
{
	unsigned long flags;
	void *p;

	if (alloc_must_fail())
		return NULL;
	flags = spin_lock(&lock);
	p = alloc(size, align);
	spin_unlock(&lock, flags);
	return p;
}

void *kmalloc(size_t size)
{
	unsigned int order = 0;
	struct page *page;

	/* Zero wraps around to more than any size. */
	if (size - 1 < LARGEST)
		return locked_alloc(size, UNIT);
	if (size - 1 >= KMALLOC_MAX)
		return NULL;
	while (((size_t)PAGE_SIZE << order) < size)
		order++;
	page = page_alloc(order);
	return page ? page_to_virt(page) : NULL;
}

size_t ksize(const void *p)
{
	const struct page *page = virt_to_page(p);

	return page->state == PAGE_SLAB ? ((const struct object *)p)[-1].size
					: (size_t)PAGE_SIZE << page->order;
}

void kfree(const void *p)
{
	struct object *object;
	struct page *page;
	unsigned long flags;

	if (!p)
		return;
	object = (struct object *)(void *)p - 1;
	page = virt_to_page(p);
	if (page->state != PAGE_SLAB) {
		page_free(page, page->order);
		return;
	}
	flags = spin_lock(&lock);
	add_hole(object, sizeof(*object) + object->size);
	spin_unlock(&lock, flags);
}

int kmem_cache_init(struct kmem_cache *cache, const char *name, size_t size, size_t align)
{
	size_t step = align ? align : UNIT;

	if (size == 0 || size > PAGE_SIZE || step > PAGE_SIZE || step & (step - 1))
		return -EINVAL;
	*cache = (struct kmem_cache){
		.name = name,
		.size = ALIGN(size, UNIT),
		.align = max_t(size_t, step, UNIT),
	};
	return 0;
}

void *kmem_cache_alloc(struct kmem_cache *cache)
{
	void *object = locked_alloc(cache->size, cache->align);

	if (object)
		__atomic_add_fetch(&cache->in_use, 1, __ATOMIC_RELAXED);
	return object;
}

void kmem_cache_free(struct kmem_cache *cache, void *object)
{
	struct object *head = (struct object *)object - 1;
	unsigned long flags = spin_lock(&lock);

	__atomic_sub_fetch(&cache->in_use, 1, __ATOMIC_RELAXED);
	add_hole(head, sizeof(*head) + head->size);
	spin_unlock(&lock, flags);
}

/* What is free belongs to all. */
void kmem_cache_shrink(struct kmem_cache *cache)
{
}
