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
#include <ahoy/fail_alloc.h>
#include <ahoy/page_alloc.h>
#include <ahoy/panic.h>
#include <ahoy/printk.h>
#include <ahoy/section.h>
#include <ahoy/smp.h>
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
static struct region *growing; /* where single pages come from, while none are free */
static struct page *free_blocks[ORDERS];
static unsigned int nonempty; /* bit n: there are free blocks of order n */
static size_t total;	      /* pages */
static size_t used;	      /* in blocks that were handed out, or are in caches */
static struct spinlock lock;  /* of all of it, but for what does not change after boot */

static size_t frame_of(const struct page *page)
{
	const struct region *region = &regions[page->region];

	return region->start + (size_t)(page - region->map);
}

/* --- mistakes of those who have pages -------------------------------------------- */

#ifdef CONFIG_PAGE_POISONING

#define POISON 0xaaaaaaaaaaaaaaaaUL

static void poison(struct page *page, unsigned int order)
{
	unsigned long *word = page_to_virt(page);
	size_t i;

	for (i = 0; i < ((size_t)PAGE_SIZE << order) / sizeof(*word); i++)
		word[i] = POISON;
}

/* Nobody has written to the free block at @page. */
static void check_free(struct page *page, unsigned int order)
{
	const unsigned long *word = page_to_virt(page);
	size_t i;

	for (i = 0; i < ((size_t)PAGE_SIZE << order) / sizeof(*word); i++)
		if (unlikely(word[i] != POISON))
			panic("page %p: %p was written after it was freed: 0x%lx",
			      page_to_virt(page), &word[i], word[i]);
}

/* @page is the first of a block of @order that somebody has; nobody has it from here on. */
static void check_used(struct page *page, unsigned int order)
{
	if (page->state != PAGE_USED && page->state != PAGE_SLAB)
		panic("page %p: freed, and nobody has it", page_to_virt(page));
	if (page->state == PAGE_USED && page->order != order)
		panic("page %p: freed as a block of order %u, and has %u", page_to_virt(page),
		      order, page->order);
	poison(page, order);
}

#else

static __always_inline void poison(struct page *page, unsigned int order)
{
}

static __always_inline void check_free(struct page *page, unsigned int order)
{
}

static __always_inline void check_used(struct page *page, unsigned int order)
{
}

#endif

/* --- free lists ------------------------------------------------------------- */

static __always_inline void push(struct page *page, unsigned int order)
{
	struct page *head = free_blocks[order];

	nonempty |= 1U << order;
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
	if (!free_blocks[order])
		nonempty &= ~(1U << order);
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
		struct page *page;
		unsigned int order = 0;

		/* The largest aligned block that ends at or before @frame */
		while (order < PAGE_ORDER_MAX && IS_ALIGNED(region->frontier, 2UL << order) &&
		       region->frontier + (2UL << order) <= frame)
			order++;
		page = new_page(region, region->frontier);
		poison(page, order);
		push(page, order);
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
		if (order == 0)
			growing = region;
		if (frame != region->frontier)
			advance(region, frame);
		region->frontier = frame + (1UL << order);
		return new_page(region, frame);
	}
	return NULL;
}

static struct page *block_alloc(unsigned int order)
{
	struct page *page;
	unsigned int found = order;

	if (!(nonempty >> order))
		return from_frontier(order);
	while (!(nonempty >> found & 1))
		found++;
	page = free_blocks[found];
	take_out(page, found);
	check_free(page, found);
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
		/* Who has it may write to its state, but nobody else makes it free. */
		if (READ_ONCE(buddy->state) != PAGE_FREE || buddy->order != order)
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

/* A block, with the lock. Return: its first page, or NULL. */
static struct page *locked_alloc(unsigned int order)
{
	struct page *page = block_alloc(order);

	if (page) {
		page->state = PAGE_USED;
		page->order = (u8)order;
		used += 1UL << order;
	}
	return page;
}

static void locked_free(struct page *page, unsigned int order)
{
	used -= 1UL << order;
	block_free(page, order);
}

/* --- single pages ------------------------------------------------------------- */

/*
 * Single pages come and go most. Each hart keeps those that it freed last, since
 * merging a page into a block and cutting one off again is most of the work, and
 * so that harts do not wait for each other. Other harts come for them when there
 * is nothing else.
 */
#define CACHED_PAGES 16

static struct page_cache {
	struct spinlock lock;
	unsigned int count;
	struct page *list;
} caches[NR_HARTS];

/* Give all that is in caches back. Return: whether there was anything. */
static noinline bool drain_caches(void)
{
	bool found = false;
	unsigned int i;

	for (i = 0; i < NR_HARTS; i++) {
		unsigned long flags = spin_lock(&caches[i].lock);
		struct page *page = caches[i].list, *next;

		caches[i].list = NULL;
		caches[i].count = 0;
		spin_unlock(&caches[i].lock, flags);
		for (; page; page = next) {
			next = page->next;
			flags = spin_lock(&lock);
			locked_free(page, 0);
			spin_unlock(&lock, flags);
			found = true;
		}
	}
	return found;
}

static noinline struct page *alloc_block(unsigned int order)
{
	struct page *page;
	unsigned long flags;

	if (order > PAGE_ORDER_MAX)
		return NULL;
	do {
		flags = spin_lock(&lock);
		page = locked_alloc(order);
		spin_unlock(&lock, flags);
	} while (!page && drain_caches());
	return page;
}

/*
 * A page that nobody has had, while none are free: so it is until memory has been
 * used once, and all through start-up. Lock held. Return: NULL if it is not so.
 */
static __always_inline struct page *alloc_untouched(void)
{
	struct region *region = growing;
	struct page *page;

	if (nonempty || !region || region->frontier == region->end)
		return NULL;
	page = new_page(region, region->frontier++);
	page->state = PAGE_USED;
	page->order = 0;
	used++;
	return page;
}

/*
 * Where programs run, whoever needs a page will need more: this hart keeps some.
 * Interrupts masked, lock held.
 */
#define KEPT_UNTOUCHED 3

static __always_inline void keep_untouched(void)
{
	struct page_cache *cache = &caches[this_hart()];
	struct page *page;

	spin_lock_masked(&cache->lock);
	while (cache->count < KEPT_UNTOUCHED && (page = alloc_untouched())) {
		poison(page, 0);
		page->state = PAGE_INSIDE;
		page->next = cache->list;
		cache->list = page;
		cache->count++;
	}
	spin_unlock_masked(&cache->lock);
}

static noinline struct page *alloc_slow(unsigned int order)
{
	struct page *page = NULL;

	if (order == 0) {
		unsigned long flags = spin_lock(&lock);

		page = alloc_untouched();
		if (IS_ENABLED(CONFIG_USERSPACE) && likely(page))
			keep_untouched();
		spin_unlock(&lock, flags);
	}
	return likely(page) ? page : alloc_block(order);
}

struct page *page_alloc(unsigned int order)
{
	if (alloc_must_fail())
		return NULL;
	if (likely(order == 0)) {
		unsigned long flags = local_irq_save();
		struct page_cache *cache = &caches[this_hart()];
		struct page *page;

		spin_lock_masked(&cache->lock);
		page = cache->list;
		if (likely(page)) {
			cache->list = page->next;
			cache->count--;
			WRITE_ONCE(page->state, PAGE_USED);
			page->order = 0;
		}
		spin_unlock(&cache->lock, flags);
		if (likely(page)) {
			check_free(page, 0);
			return page;
		}
	}
	return alloc_slow(order);
}

void page_free(struct page *page, unsigned int order)
{
	unsigned long flags;

	check_used(page, order);
	flags = local_irq_save();
	if (likely(order == 0)) {
		struct page_cache *cache = &caches[this_hart()];
		bool keep;

		spin_lock_masked(&cache->lock);
		keep = cache->count < CACHED_PAGES;
		if (likely(keep)) {
			WRITE_ONCE(page->state, PAGE_INSIDE);
			page->next = cache->list;
			cache->list = page;
			cache->count++;
		}
		spin_unlock_masked(&cache->lock);
		if (likely(keep)) {
			local_irq_restore(flags);
			return;
		}
	}
	spin_lock_masked(&lock);
	locked_free(page, order);
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
	if (!region_count)
		growing = region;
	region_count++;
	total += last - region->frontier;
}

struct page_counts page_alloc_counts(void)
{
	struct page_counts counts = { .total = total, .used = used };
	unsigned int i;

	for (i = 0; i < NR_HARTS; i++)
		counts.used -= READ_ONCE(caches[i].count);
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
