/* SPDX-License-Identifier: MIT */
/*
 * What a heap calls its functions: with CONFIG_HEAP_DEBUG the public names are
 * those of the checks in front of it. Included last.
 */
#ifndef MM_HEAP_H
#define MM_HEAP_H

#include <ahoy/slab.h>

#ifdef CONFIG_HEAP_DEBUG
void *raw_kmalloc(size_t size);
void raw_kfree(const void *p);
size_t raw_ksize(const void *p);
int raw_kmem_cache_init(struct kmem_cache *cache, const char *name, size_t size, size_t align);
void *raw_kmem_cache_alloc(struct kmem_cache *cache);
void raw_kmem_cache_free(struct kmem_cache *cache, void *object);

#ifndef HEAP_CHECKS
#define kmalloc		 raw_kmalloc
#define kfree		 raw_kfree
#define ksize		 raw_ksize
#define kmem_cache_init	 raw_kmem_cache_init
#define kmem_cache_alloc raw_kmem_cache_alloc
#define kmem_cache_free	 raw_kmem_cache_free
#endif
#endif
#endif
