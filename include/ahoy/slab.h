/* SPDX-License-Identifier: MIT */
/*
 * The kernel heap: objects of any size, and caches of objects of one size.
 * Addresses are in the linear map and aligned to 16 bytes.
 */
#ifndef AHOY_SLAB_H
#define AHOY_SLAB_H

#include <ahoy/compiler.h>
#include <ahoy/core.h> /* kmalloc() and its kin */
#include <ahoy/spinlock.h>
#include <ahoy/types.h>

/* How many bytes can be used at @p, which one of these returned: at least what was asked for. */
size_t ksize(const void *p);

struct page;

/* A cache of objects of one size. Its fields are the heap's own. */
struct kmem_cache {
	struct spinlock lock;
	void *free;	      /* freed objects of the active slab, each leads to the next */
	struct page *active;  /* the slab that objects come from */
	char *base;	      /* where it is */
	struct page *partial; /* other slabs with free objects */
	const char *name;
	u16 size; /* of an object, as carved */
	u16 align;
	u16 per_slab;  /* objects */
	size_t in_use; /* objects */
#ifdef CONFIG_HEAP_DEBUG
	u16 guard;	 /* bytes before an object */
	u16 object_size; /* as asked for */
#endif
};

/*
 * Make @cache one of objects of @size bytes (1 to a page), aligned to @align
 * (a power of two up to a page; 0: 16). @name is for reports and must stay.
 * Return: 0, or -EINVAL. Context: before its first use, by one thread.
 */
int kmem_cache_init(struct kmem_cache *cache, const char *name, size_t size, size_t align);

/* An object, contents undefined. Return: NULL if there is no memory. */
void *kmem_cache_alloc(struct kmem_cache *cache) __must_check;

/* Give an object back to the cache that it came from. */
void kmem_cache_free(struct kmem_cache *cache, void *object);

/* Give back what memory @cache keeps for its next objects. */
void kmem_cache_shrink(struct kmem_cache *cache);

#ifdef CONFIG_HEAP_DEBUG
/* @p, which may be NULL, was allocated on behalf of @caller. */
void heap_set_caller(void *p, const void *caller);

/* Tell the log who has how many objects. Context: any thread. */
void heap_report(void);

/* How many objects are in use. Context: any. */
size_t heap_objects(void);
#else
static inline void heap_set_caller(void *p, const void *caller)
{
}

static inline void heap_report(void)
{
}

static inline size_t heap_objects(void)
{
	return 0;
}
#endif

#endif
