// SPDX-License-Identifier: MIT
/*
 * The page allocator: a buddy system over regions of RAM.
 *
 * A region is RAM without holes. Its first pages hold its descriptors; behind
 * them the frontier divides pages that have been handed out at least once, or
 * passed over for alignment, from those that nobody has touched. Free lists
 * hold only what lies below a frontier.
 *
 * Two blocks of one order are buddies if they make up an aligned block of the
 * next. The first page of each block below the frontier has a valid descriptor:
 * blocks get theirs when they are cut off from the frontier or from a larger
 * block, and the buddy of a block is always the first page of one.
 */
#include <ahoy/compiler.h>
#include <ahoy/page_alloc.h>
#include <ahoy/printk.h>
#include <ahoy/section.h>
#include <ahoy/spinlock.h>
#include <asm/page.h>

#define ORDERS	    (PAGE_ORDER_MAX + 1)
#define MAX_REGIONS 32

/* Page frame numbers. */
struct region {
	size_t start;	 /* of the descriptors, and of the region */
	size_t frontier; /* the first page never handed out */
	size_t end;
	struct page *map; /* the descriptor of start */
};

static struct region regions[MAX_REGIONS] __noinit;
static unsigned int region_count;
static struct page *free_blocks[ORDERS];
static struct page_counts counts;
static struct spinlock lock;

static size_t frame_of(const struct page *page)
{
	const struct region *region = &regions[page->region];

	return region->start + (size_t)(page - region->map);
}

/* --- free lists ------------------------------------------------------------- */

static __always_inline void push(struct page *page, unsigned int order)
{
	struct page *head = free_blocks[order];

	page->state = PAGE_FREE;
	page->order = order;
	page->prev = NULL;
	page->next = head;
	if (head)
		head->prev = page;
	free_blocks[order] = page;
}

static __always_inline void take_out(struct page *page, unsigned int order)
{
	if (page->prev)
		page->prev->next = page->next;
	else
		free_blocks[order] = page->next;
	if (page->next)
		page->next->prev = page->prev;
}

/* The descriptor of a page that the frontier has just passed. */
static __always_inline struct page *new_page(struct region *region, size_t frame)
{
	struct page *page = &region->map[frame - region->start];

	page->region = (u16)(region - regions);
	return page;
}

/* Let the frontier reach @frame; what it passes is free. */
static void advance(struct region *region, size_t frame)
{
	while (region->frontier < frame) {
		unsigned int order = 0;

		/* The largest aligned block that ends at or before @frame */
		while (order < PAGE_ORDER_MAX && IS_ALIGNED(region->frontier, 2UL << order) &&
		       region->frontier + (2UL << order) <= frame)
			order++;
		push(new_page(region, region->frontier), order);
		region->frontier += 1UL << order;
	}
}

static struct page *from_frontier(unsigned int order)
{
	struct region *region;

	for (region = regions; region < regions + region_count; region++) {
		size_t frame = ALIGN(region->frontier, 1UL << order);

		if (region->end < frame || region->end - frame < 1UL << order)
			continue;
		if (frame != region->frontier)
			advance(region, frame);
		region->frontier = frame + (1UL << order);
		return new_page(region, frame);
	}
	return NULL;
}

static struct page *block_alloc(unsigned int order)
{
	struct page *page = NULL;
	unsigned int found;

	for (found = order; found <= PAGE_ORDER_MAX; found++) {
		page = free_blocks[found];
		if (page)
			break;
	}
	if (!page)
		return from_frontier(order);
	take_out(page, found);
	while (found > order) {
		struct page *half = page + (1UL << --found);

		half->region = page->region;
		push(half, found);
	}
	return page;
}

static void block_free(struct page *page, unsigned int order)
{
	const struct region *region = &regions[page->region];
	size_t frame = frame_of(page);

	for (; order < PAGE_ORDER_MAX; order++) {
		size_t other = frame ^ (1UL << order);
		struct page *buddy;

		/* Below the region's start lie no descriptors, behind the frontier none that is valid. */
		if (other < region->start || other >= region->frontier)
			break;
		buddy = region->map + (other - region->start);
		if (buddy->state != PAGE_FREE || buddy->order != order)
			break;
		take_out(buddy, order);
		if (other < frame) {
			page->state = PAGE_INSIDE;
			page = buddy;
			frame = other;
		} else {
			buddy->state = PAGE_INSIDE;
		}
	}
	push(page, order);
}

/* --- single pages ------------------------------------------------------------- */

/*
 * Single pages come and go most. The last ones freed are kept apart, since
 * merging a page into a block and cutting one off again is most of the work.
 */
#define CACHED_PAGES 16

static struct {
	struct page *list;
	unsigned int count;
} cache;

static void drain_cache(void)
{
	struct page *page, *next;

	for (page = cache.list; page; page = next) {
		next = page->next;
		block_free(page, 0);
	}
	cache.list = NULL;
	cache.count = 0;
}

static __always_inline struct page *alloc_locked(unsigned int order)
{
	struct page *page = cache.list;

	if (likely(order == 0 && page)) {
		cache.list = page->next;
		cache.count--;
	} else {
		if (order > PAGE_ORDER_MAX)
			return NULL;
		page = block_alloc(order);
		if (!page) {
			if (!cache.count)
				return NULL;
			drain_cache();
			page = block_alloc(order);
			if (!page)
				return NULL;
		}
	}
	page->state = PAGE_USED;
	page->order = order;
	counts.used += 1UL << order;
	return page;
}

struct page *page_alloc(unsigned int order)
{
	unsigned long flags = spin_lock(&lock);
	struct page *page = alloc_locked(order);

	spin_unlock(&lock, flags);
	return page;
}

void page_free(struct page *page, unsigned int order)
{
	unsigned long flags = spin_lock(&lock);

	counts.used -= 1UL << order;
	if (likely(order == 0 && cache.count < CACHED_PAGES)) {
		page->state = PAGE_INSIDE;
		page->next = cache.list;
		cache.list = page;
		cache.count++;
	} else {
		block_free(page, order);
	}
	spin_unlock(&lock, flags);
}

/* --- regions ----------------------------------------------------------------- */

void page_alloc_add(phys_addr_t start, phys_addr_t end)
{
	size_t first = (start + PAGE_SIZE - 1) >> PAGE_SHIFT, last = end >> PAGE_SHIFT;
	struct region *region = &regions[region_count];
	size_t taken;

	if (start >= end || first >= last)
		return;
	/* The pages that hold descriptors have some, too, which keeps the arithmetic simple. */
	taken = ((last - first) * sizeof(struct page) + PAGE_SIZE - 1) >> PAGE_SHIFT;
	if (taken >= last - first)
		return;
	if (region_count == MAX_REGIONS) {
		pr_warn("pages: no room for 0x%llx-0x%llx, only %u regions are used\n", start,
			end - 1, MAX_REGIONS);
		return;
	}
	region->start = first;
	region->frontier = first + taken;
	region->end = last;
	region->map = phys_to_virt((phys_addr_t)first << PAGE_SHIFT);
	region_count++;
	counts.total += last - region->frontier;
}

struct page_counts page_alloc_counts(void)
{
	return counts;
}

phys_addr_t page_to_phys(const struct page *page)
{
	return (phys_addr_t)frame_of(page) << PAGE_SHIFT;
}

struct page *phys_to_page(phys_addr_t pa)
{
	size_t frame = pa >> PAGE_SHIFT;
	const struct region *region;

	for (region = regions; region < regions + region_count; region++)
		if (frame - region->start < region->end - region->start)
			return region->map + (frame - region->start);
	return NULL;
}

void *page_to_virt(const struct page *page)
{
	return phys_to_virt(page_to_phys(page));
}

struct page *virt_to_page(const void *va)
{
	return phys_to_page(virt_to_phys(va));
}
