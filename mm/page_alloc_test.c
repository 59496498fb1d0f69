// SPDX-License-Identifier: MIT
#include <ahoy/compiler.h>
#include <ahoy/ktest.h>
#include <ahoy/page_alloc.h>
#include <asm/page.h>

#define BLOCKS	   64
#define PAGE_WORDS (PAGE_SIZE / sizeof(unsigned long))

/* Is @page at a multiple of its size, and all of it writable? */
static bool works(struct page *page, unsigned int order)
{
	unsigned long *word = page_to_virt(page), i, pages = 1UL << order;

	if (!IS_ALIGNED(page_to_phys(page), (phys_addr_t)PAGE_SIZE << order))
		return false;
	for (i = 0; i < pages; i++)
		word[i * PAGE_WORDS] = (unsigned long)page + i;
	for (i = 0; i < pages; i++)
		if (word[i * PAGE_WORDS] != (unsigned long)page + i)
			return false;
	return true;
}

KTEST(page_alloc, all_orders)
{
	size_t used = page_alloc_counts().used;
	unsigned int order;

	/* The largest may be too much for a small machine. */
	for (order = 0; order <= PAGE_ORDER_MAX; order++) {
		struct page *page = page_alloc(order);

		if (!page) {
			KTEST_EXPECT(order > 4);
			continue;
		}
		KTEST_EXPECT(page_alloc_counts().used == used + (1UL << order));
		KTEST_EXPECT(works(page, order));
		KTEST_EXPECT(virt_to_page(page_to_virt(page)) == page);
		page_free(page, order);
	}
	KTEST_EXPECT(page_alloc_counts().used == used);
	KTEST_EXPECT(!page_alloc(PAGE_ORDER_MAX + 1));
}

KTEST(page_alloc, random)
{
	static struct {
		struct page *page;
		unsigned int order;
	} blocks[BLOCKS];
	size_t used = page_alloc_counts().used;
	unsigned int i;

	for (i = 0; i < 20000; i++) {
		typeof(&blocks[0]) block = &blocks[ktest_random(BLOCKS)];

		if (block->page) {
			/* The address is still in it: nobody else has had the page. */
			KTEST_EXPECT(*(unsigned long *)page_to_virt(block->page) ==
				     (unsigned long)block->page);
			page_free(block->page, block->order);
			block->page = NULL;
			continue;
		}
		block->order = ktest_random(4);
		block->page = page_alloc(block->order);
		if (block->page)
			KTEST_EXPECT(works(block->page, block->order));
	}
	for (i = 0; i < BLOCKS; i++)
		if (blocks[i].page)
			page_free(blocks[i].page, blocks[i].order);
	KTEST_EXPECT(page_alloc_counts().used == used);
}

#define RANGES 64

/* What was handed out, as ranges that do not touch. */
static struct range {
	phys_addr_t start, end;
} ranges[RANGES];
static unsigned int range_count;

/* The range that @start is the end of, or @end the beginning; NULL: there is none. */
static struct range *neighbour(phys_addr_t start, phys_addr_t end)
{
	struct range *range;

	for (range = ranges; range < ranges + range_count; range++)
		if (range->end == start || range->start == end)
			return range;
	return NULL;
}

/* Return: whether there was room for it. */
static bool add_range(phys_addr_t start, phys_addr_t end)
{
	struct range *range;

	while ((range = neighbour(start, end))) {
		start = min(start, range->start);
		end = max(end, range->end);
		*range = ranges[--range_count];
	}
	if (range_count == RANGES)
		return false;
	ranges[range_count++] = (struct range){ start, end };
	return true;
}

/* For who knows what the machine has. */
static void tell_ranges(size_t used)
{
	unsigned int i;

	console_printf("# %zu pages in use\n", used);
	for (i = 0; i < range_count; i++)
		console_printf("# free: 0x%llx-0x%llx\n", ranges[i].start, ranges[i].end - 1);
}

/* Out of memory is an answer, and what was given back can be had again. */
KTEST(page_alloc, exhaustion)
{
	struct page_counts before = page_alloc_counts();
	struct page *list = NULL, *page;
	size_t count = 0;
	bool complete = true;

	range_count = 0;

	/* In large blocks first: a machine may have millions of pages. */
	for (unsigned int order = PAGE_ORDER_MAX + 1; order-- > 0;) {
		while ((page = page_alloc(order))) {
			page->next = list;
			list = page;
			count += 1UL << order;
			complete &=
				add_range(page_to_phys(page),
					  page_to_phys(page) + ((phys_addr_t)PAGE_SIZE << order));
		}
	}
	KTEST_EXPECT(count == before.total - before.used);
	if (complete)
		tell_ranges(before.used);
	while (list) {
		page = list;
		list = page->next;
		page_free(page, page->order);
	}
	KTEST_EXPECT(page_alloc_counts().used == before.used);
}
