// SPDX-License-Identifier: MIT
/*
 * The kernel heap on slabs: a slab is one page of objects of one size. Freed
 * objects form a list inside the slab, by offsets; objects that were never
 * handed out lie behind the slab's own frontier and are not touched before.
 * What is larger than half a page has pages of its own.
 */
#include <ahoy/compiler.h>
#include <ahoy/errno.h>
#include <ahoy/page_alloc.h>
#include <ahoy/slab.h>
#include <ahoy/spinlock.h>
#include <asm/page.h>

#define MIN_ALIGN 16
/* Ends the list of freed objects; no offset, since those are multiples of 16. */
#define NO_OBJECT 1

/* --- slabs ------------------------------------------------------------------- */

static __always_inline bool is_full(const struct page *slab)
{
	return slab->first_free == NO_OBJECT && slab->uncarved == 0;
}

static __always_inline void add_partial(struct kmem_cache *cache, struct page *slab)
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

static noinline struct page *new_slab(struct kmem_cache *cache)
{
	struct page *slab = page_alloc(0);

	if (!slab)
		return NULL;
	slab->state = PAGE_SLAB;
	slab->cache = cache;
	slab->first_free = NO_OBJECT;
	slab->objects = 0;
	/* Its first object goes out at once, so that this fits in a byte. */
	slab->uncarved = cache->per_slab - 1;
	add_partial(cache, slab);
	return slab;
}

static __always_inline void *object_alloc(struct kmem_cache *cache)
{
	struct page *slab = cache->partial;
	unsigned long offset;
	char *object;

	if (likely(slab)) {
		if (slab->first_free == NO_OBJECT) {
			slab->uncarved--;
			offset = (unsigned long)slab->uncarved * cache->size;
			object = (char *)page_to_virt(slab) + offset;
		} else {
			object = (char *)page_to_virt(slab) + slab->first_free;
			slab->first_free = *(u16 *)object;
		}
	} else {
		slab = new_slab(cache);
		if (!slab)
			return NULL;
		offset = (unsigned long)slab->uncarved * cache->size;
		object = (char *)page_to_virt(slab) + offset;
	}
	slab->objects++;
	if (is_full(slab))
		drop_partial(cache, slab);
	cache->in_use++;
	return object;
}

void *kmem_cache_alloc(struct kmem_cache *cache)
{
	unsigned long flags = spin_lock(&cache->lock);
	void *object = object_alloc(cache);

	spin_unlock(&cache->lock, flags);
	return object;
}

static __always_inline void slab_free(struct page *slab, void *object)
{
	struct kmem_cache *cache = slab->cache;
	unsigned long flags = spin_lock(&cache->lock);

	if (is_full(slab))
		add_partial(cache, slab);
	*(u16 *)object = slab->first_free;
	slab->first_free = (unsigned long)object % PAGE_SIZE;
	slab->objects--;
	cache->in_use--;
	/* The last slab stays, so that one object that comes and goes costs no page. */
	if (slab->objects == 0 && (slab->next || slab->prev)) {
		drop_partial(cache, slab);
		page_free(slab, 0);
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
	struct page *slab, *next;

	for (slab = cache->partial; slab; slab = next) {
		next = slab->next;
		if (slab->objects == 0) {
			drop_partial(cache, slab);
			page_free(slab, 0);
		}
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
