/* SPDX-License-Identifier: MIT */
/*
 * Physical pages, in blocks of 2^order that are aligned to their size.
 *
 * Every page has a descriptor, struct page. Neither the pages nor the
 * descriptors of a region are touched before its frontier reaches them, so
 * that start-up costs the same for any amount of RAM.
 */
#ifndef AHOY_PAGE_ALLOC_H
#define AHOY_PAGE_ALLOC_H

#include <ahoy/compiler.h>
#include <ahoy/types.h>

/* The largest block: 4 MiB. */
#define PAGE_ORDER_MAX 10

enum page_state {
	PAGE_INSIDE, /* of a block, not its first page */
	PAGE_FREE,   /* the first page of a free block */
	PAGE_USED,   /* the first page of a block that somebody has */
	PAGE_SLAB,   /* the same, and the heap carves objects from it */
};

struct kmem_cache;

struct page {
	/* In a list of free blocks, or of slabs with room; else the owner's. */
	struct page *next, *prev;
	union {
		struct kmem_cache *cache; /* of a slab */
		u32 users;		  /* of user memory: leaves that map it */
	};
	u16 first_free; /* of a slab: offset of the first freed object */
	u16 objects;	/* of a slab: in use, unless it is its cache's active one */
	union {
		u8 order;    /* of the block that begins here */
		u8 uncarved; /* of a slab: objects that nobody has had yet */
	};
	u8 state;
	u16 region;
};

/*
 * Hand the RAM in [@start, @end) to the allocator: physical addresses that the
 * linear map covers and that nobody else uses. Parts of pages at the ends are
 * left out. Context: boot, before threads.
 */
void page_alloc_add(phys_addr_t start, phys_addr_t end);

/*
 * A block of 2^@order pages (0 to PAGE_ORDER_MAX), contents undefined.
 * Return: its first page, or NULL if there is no such block.
 * Context: any but a trap handler's.
 */
struct page *page_alloc(unsigned int order) __must_check;

/* Give back what page_alloc(@order) returned. Context: as page_alloc(). */
void page_free(struct page *page, unsigned int order);

/* How many pages the allocator manages, and how many of them are in use. */
struct page_counts {
	size_t total, used;
};
struct page_counts page_alloc_counts(void);

/* The physical address of a page, and the descriptor of an address's page; NULL: not managed. */
phys_addr_t page_to_phys(const struct page *page);
struct page *phys_to_page(phys_addr_t pa);

/* The same for addresses in the linear map. */
void *page_to_virt(const struct page *page);
struct page *virt_to_page(const void *va);

#endif
