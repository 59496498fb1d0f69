// SPDX-License-Identifier: MIT
/*
 * Areas of kernel addresses, in a tree by address. The search for room goes on
 * behind the last area that was placed, or before the lowest one that was freed
 * since, and starts over once at the end.
 */
#include <ahoy/errno.h>
#include <ahoy/page_alloc.h>
#include <ahoy/rbtree.h>
#include <ahoy/slab.h>
#include <ahoy/spinlock.h>
#include <ahoy/vmalloc.h>
#include <asm/paging.h>

struct area {
	struct rb_node node;
	unsigned long start, end; /* without the guard page behind it */
	bool owns_pages;
};

static struct rb_tree areas;
static struct area *latest; /* where the search goes on */
static struct spinlock lock;

static struct area *area_of(struct rb_node *node)
{
	return node ? rb_entry(node, struct area, node) : NULL;
}

/* Is there room for @size bytes and a guard page behind @prev (NULL: at the start)? */
static bool gap_behind(struct area *prev, unsigned long size, unsigned long *start)
{
	struct rb_node *node = prev ? rb_next(&prev->node) : rb_first(&areas);
	unsigned long end = node ? area_of(node)->start : VMALLOC_END;

	*start = prev ? prev->end + PAGE_SIZE : VMALLOC_START + PAGE_SIZE;
	return end > *start && end - *start >= size + PAGE_SIZE;
}

/* Put @area, whose size is @size, where there is room. Lock held. */
static int place(struct area *area, unsigned long size)
{
	struct area *prev = latest;
	struct rb_node **link;
	bool wrapped = false;

	lockdep_assert_held(&lock);
	while (!gap_behind(prev, size, &area->start)) {
		prev = area_of(prev ? rb_next(&prev->node) : rb_first(&areas));
		if (!prev) {
			if (wrapped)
				return -ENOMEM;
			wrapped = true;
		}
	}
	area->end = area->start + size;
	/* The neighbours in order are prev and what follows: one of them has room below. */
	if (!prev) {
		struct rb_node *first = rb_first(&areas);

		link = first ? &first->left : &areas.root;
		rb_insert(&areas, &area->node, first, link);
	} else if (!prev->node.right) {
		rb_insert(&areas, &area->node, &prev->node, &prev->node.right);
	} else {
		struct rb_node *next = rb_next(&prev->node);

		rb_insert(&areas, &area->node, next, &next->left);
	}
	latest = area;
	return 0;
}

static struct area *area_alloc(size_t size)
{
	struct area *area = kzalloc(sizeof(*area));
	unsigned long flags;
	int err;

	if (!area)
		return NULL;
	flags = spin_lock(&lock);
	err = place(area, size);
	spin_unlock(&lock, flags);
	if (err) {
		kfree(area);
		return NULL;
	}
	return area;
}

/* Unmap [start, @end) of @area, and forget it. */
static void area_free(struct area *area, unsigned long end)
{
	struct page *pages = NULL, *page;
	unsigned long va, flags;

	for (va = area->start; va < end; va += PAGE_SIZE) {
		phys_addr_t pa = kernel_unmap_page(va);

		if (area->owns_pages) {
			page = phys_to_page(pa);
			page->next = pages;
			pages = page;
		}
	}
	/* Nobody may have a page while a hart still reaches it by the old address. */
	kernel_flush(area->start, end);
	while (pages) {
		page = pages;
		pages = page->next;
		page_free(page, 0);
	}
	flags = spin_lock(&lock);
	if (latest && latest->start >= area->start)
		latest = area_of(rb_prev(&area->node));
	rb_erase(&areas, &area->node);
	spin_unlock(&lock, flags);
	kfree(area);
}

/* For page tables, which stay when what they map goes. */
static void *map_table_alloc(void)
{
	struct page *page = page_alloc(0);

	return page ? page_to_virt(page) : NULL;
}

/* Map the page at @va to @pa. Tables that are missing must not be made twice. */
static int map_page(unsigned long va, phys_addr_t pa)
{
	unsigned long flags = spin_lock(&lock);
	int err = kernel_map_page(va, pa, map_table_alloc);

	spin_unlock(&lock, flags);
	return err;
}

static struct area *find(unsigned long start)
{
	unsigned long flags = spin_lock(&lock);
	struct rb_node *node = areas.root;

	while (node && area_of(node)->start != start)
		node = start < area_of(node)->start ? node->left : node->right;
	spin_unlock(&lock, flags);
	return area_of(node);
}

void *vmalloc(size_t size)
{
	struct area *area;
	unsigned long va;

	if (size - 1 >= VMALLOC_END - VMALLOC_START)
		return NULL;
	area = area_alloc(ALIGN(size, PAGE_SIZE));
	if (!area)
		return NULL;
	area->owns_pages = true;
	for (va = area->start; va < area->end; va += PAGE_SIZE) {
		struct page *page = page_alloc(0);

		if (!page || map_page(va, page_to_phys(page))) {
			if (page)
				page_free(page, 0);
			area_free(area, va);
			return NULL;
		}
	}
	return (void *)area->start;
}

void vfree(void *p)
{
	struct area *area;

	if (!p)
		return;
	area = find((unsigned long)p);
	area_free(area, area->end);
}

void *vmap(struct page *const *pages, size_t count)
{
	struct area *area;
	size_t i;

	if (count - 1 >= (VMALLOC_END - VMALLOC_START) / PAGE_SIZE)
		return NULL;
	area = area_alloc(count * PAGE_SIZE);
	if (!area)
		return NULL;
	for (i = 0; i < count; i++) {
		unsigned long va = area->start + i * PAGE_SIZE;

		if (map_page(va, page_to_phys(pages[i]))) {
			area_free(area, va);
			return NULL;
		}
	}
	return (void *)area->start;
}

/* The kernel's own memory is no device; its text must not be writable by another address. */
static bool is_ours(phys_addr_t first, phys_addr_t last)
{
	phys_addr_t at;

	if (first < virt_to_phys(_end) && last > virt_to_phys(_start))
		return true;
	for (at = first; at < last; at += PAGE_SIZE)
		if (phys_to_page(at))
			return true;
	return false;
}

void __iomem *ioremap(phys_addr_t pa, size_t size)
{
	phys_addr_t first = ALIGN_DOWN(pa, PAGE_SIZE), last = ALIGN(pa + size, PAGE_SIZE), at;
	struct area *area;

	if (size == 0 || last <= first || last - first >= VMALLOC_END - VMALLOC_START)
		return NULL;
	if (is_ours(first, last))
		return NULL;
	area = area_alloc(last - first);
	if (!area)
		return NULL;
	for (at = first; at < last; at += PAGE_SIZE) {
		unsigned long va = area->start + (at - first);

		if (map_page(va, at)) {
			area_free(area, va);
			return NULL;
		}
	}
	return (void __iomem __force *)(area->start + (pa - first));
}

void iounmap(volatile void __iomem *p)
{
	struct area *area = find(ALIGN_DOWN((unsigned long)p, PAGE_SIZE));

	area_free(area, area->end);
}
