// SPDX-License-Identifier: MIT
/*
 * The kernel heap on slabs: a slab is one page of objects of one size. Objects
 * come from one slab of their cache, the active one, until it has no more; its
 * freed objects form a list. Objects of other slabs are counted when they are
 * freed, and form a list by offsets inside the slab. Objects that were never
 * handed out lie behind the slab's own frontier and are not touched before.
 * What is larger than half a page has pages of its own.
 */
#include <ahoy/compiler.h>
#include <ahoy/errno.h>
#include <ahoy/fail_alloc.h>
#include <ahoy/page_alloc.h>
#include <ahoy/slab.h>
#include <ahoy/spinlock.h>
#include <ahoy/string.h>
#include <asm/page.h>

#include "heap.h"

#define MIN_ALIGN 16
/* Ends the list of freed objects; no offset, since those are multiples of 16. */
#define NO_OBJECT 1

/* --- slabs ------------------------------------------------------------------- */

/* Slabs that have free objects, but for the active one. */
static void add_partial(struct kmem_cache *cache, struct page *slab)
{
	slab->prev = NULL;
	slab->next = cache->partial;
	if (slab->next)
		slab->next->prev = slab;
	cache->partial = slab;
}

static void drop_partial(struct kmem_cache *cache, struct page *slab)
{
	if (slab->prev)
		slab->prev->next = slab->next;
	else
		cache->partial = slab->next;
	if (slab->next)
		slab->next->prev = slab->prev;
}

static struct page *new_slab(struct kmem_cache *cache)
{
	struct page *slab = page_alloc(0);

	if (!slab)
		return NULL;
	/* What was there must not look like an object that was freed. */
	if (IS_ENABLED(CONFIG_HEAP_DEBUG))
		memset(page_to_virt(slab), 0, PAGE_SIZE);
	WRITE_ONCE(slab->state, PAGE_SLAB);
	slab->cache = cache;
	slab->first_free = NO_OBJECT;
	slab->objects = 0;
	slab->uncarved = cache->per_slab;
	return slab;
}

/* Make @slab the active one: its list becomes one of addresses. Lock held. */
static void activate(struct kmem_cache *cache, struct page *slab)
{
	char *base = page_to_virt(slab);
	void **link = &cache->free;
	u16 offset;

	lockdep_assert_held(&cache->lock);
	for (offset = slab->first_free; offset != NO_OBJECT; offset = *(u16 *)(base + offset)) {
		*link = base + offset;
		/* Read before it is overwritten. */
		link = (void **)(base + offset);
	}
	*link = NULL;
	slab->first_free = NO_OBJECT;
	cache->active = slab;
	cache->base = base;
}

/* The active slab has no freed objects: take one that is new, or activate another slab. Lock held. */
static noinline void *object_alloc_slow(struct kmem_cache *cache)
{
	struct page *slab = cache->active;
	void *object;

	lockdep_assert_held(&cache->lock);
	if (!slab || !slab->uncarved) {
		slab = cache->partial;
		if (slab)
			drop_partial(cache, slab);
		else
			slab = new_slab(cache);
		if (!slab)
			return NULL;
		activate(cache, slab);
	}
	object = cache->free;
	if (object)
		cache->free = *(void **)object;
	else
		object = cache->base + (unsigned long)--slab->uncarved * cache->size;
	slab->objects++;
	cache->in_use++;
	return object;
}

void *kmem_cache_alloc(struct kmem_cache *cache)
{
	unsigned long flags;
	void *object;

	if (alloc_must_fail())
		return NULL;
	flags = spin_lock(&cache->lock);
	object = cache->free;
	if (likely(object)) {
		cache->free = *(void **)object;
		cache->active->objects++;
		cache->in_use++;
	} else {
		object = object_alloc_slow(cache);
	}
	spin_unlock(&cache->lock, flags);
	return object;
}

/* @object is in a slab that is not active. Lock held. */
static noinline void object_free_slow(struct kmem_cache *cache, struct page *slab, void *object)
{
	bool was_full = slab->first_free == NO_OBJECT && slab->uncarved == 0;

	lockdep_assert_held(&cache->lock);
	*(u16 *)object = slab->first_free;
	slab->first_free = (u16)((unsigned long)object % PAGE_SIZE);
	if (slab->objects == 0) {
		if (!was_full)
			drop_partial(cache, slab);
		page_free(slab, 0);
	} else if (was_full) {
		add_partial(cache, slab);
	}
}

static __always_inline void slab_free(struct page *slab, void *object)
{
	struct kmem_cache *cache = slab->cache;
	unsigned long flags = spin_lock(&cache->lock);

	slab->objects--;
	cache->in_use--;
	if (likely(slab == cache->active)) {
		*(void **)object = cache->free;
		cache->free = object;
	} else {
		object_free_slow(cache, slab, object);
	}
	spin_unlock(&cache->lock, flags);
}

void kmem_cache_free(struct kmem_cache *cache, void *object)
{
	(void)cache;
	slab_free(virt_to_page(object), object);
}

void kmem_cache_shrink(struct kmem_cache *cache)
{
	unsigned long flags = spin_lock(&cache->lock);
	struct page *slab = cache->active;

	/* Slabs without objects are not kept, but for the active one. */
	if (slab && slab->objects == 0) {
		cache->active = NULL;
		cache->free = NULL;
		page_free(slab, 0);
	}
	spin_unlock(&cache->lock, flags);
}

int kmem_cache_init(struct kmem_cache *cache, const char *name, size_t size, size_t align)
{
	size_t step = align ? align : MIN_ALIGN;

	if (size == 0 || size > PAGE_SIZE || step > PAGE_SIZE || step & (step - 1))
		return -EINVAL;
	step = ALIGN(size, max_t(size_t, step, MIN_ALIGN));
	*cache = (struct kmem_cache){
		.name = name,
		.size = step,
		.per_slab = PAGE_SIZE / step,
	};
	return 0;
}

/* --- sizes ------------------------------------------------------------------- */

/* A row: name, bytes. Sorted; up to half a page, since larger ones waste more than they save. */
#define CLASSES(row)                                                                               \
	row(16) row(32) row(48) row(64) row(96) row(128) row(192) row(256) row(384) row(512)       \
		row(768) row(1024) row(2048)

#define CACHE(bytes)                                                                               \
	{                                                                                          \
		.name = "kmalloc-" #bytes,                                                         \
		.size = (bytes),                                                                   \
		.per_slab = PAGE_SIZE / (bytes),                                                   \
	},
static struct kmem_cache classes[] = { CLASSES(CACHE) };

#define LARGEST 2048

/* The class of each size, in steps of 16 bytes: how many classes are too small for it. */
#define IS_TOO_SMALL(n)                                                                            \
	(16 < (n)) + (32 < (n)) + (48 < (n)) + (64 < (n)) + (96 < (n)) + (128 < (n)) +             \
		(192 < (n)) + (256 < (n)) + (384 < (n)) + (512 < (n)) + (768 < (n)) + (1024 < (n))
#define STEPS4(n)                                                                                  \
	IS_TOO_SMALL(n), IS_TOO_SMALL((n) + 16), IS_TOO_SMALL((n) + 32), IS_TOO_SMALL((n) + 48)
#define STEPS16(n) STEPS4(n), STEPS4((n) + 64), STEPS4((n) + 128), STEPS4((n) + 192)
static const u8 class_of_step[] = {
	STEPS16(16),   STEPS16(272),  STEPS16(528),  STEPS16(784),
	STEPS16(1040), STEPS16(1296), STEPS16(1552), STEPS16(1808),
};
BUILD_BUG_ON(ARRAY_SIZE(class_of_step) * MIN_ALIGN != LARGEST);

/* The order of the block that holds @size bytes. */
static unsigned int order_of(size_t size)
{
	unsigned int order = 0;

	while (((size_t)PAGE_SIZE << order) < size)
		order++;
	return order;
}

void *kmalloc(size_t size)
{
	struct page *page;

	/* Zero wraps around to more than any class. */
	if (likely(size - 1 < LARGEST))
		return kmem_cache_alloc(&classes[class_of_step[(size - 1) / MIN_ALIGN]]);
	if (size - 1 >= KMALLOC_MAX)
		return NULL;
	page = page_alloc(order_of(size));
	return page ? page_to_virt(page) : NULL;
}

size_t ksize(const void *p)
{
	const struct page *page = virt_to_page(p);

	return page->state == PAGE_SLAB ? page->cache->size : (size_t)PAGE_SIZE << page->order;
}

void kfree(const void *p)
{
	struct page *page;

	if (!p)
		return;
	page = virt_to_page(p);
	if (likely(page->state == PAGE_SLAB))
		slab_free(page, (void *)p);
	else
		page_free(page, page->order);
}
