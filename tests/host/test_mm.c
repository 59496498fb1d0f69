// SPDX-License-Identifier: MIT
/* The page allocator and the heap, against a plain account of who has what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sanitizer/asan_interface.h>

/* Below, the host's functions; the sources use lib/'s, under other names. */
static void *(*const host_memset)(void *, int, size_t) = memset;
static void *(*const host_memcpy)(void *, const void *, size_t) = memcpy;

#include "rename.h"

#include "../../mm/heap.c"
#include "../../mm/page_alloc.c"
#ifdef FIRST_FIT
#define HEAP	     "first_fit"
#define lock	     heap_lock
#define locked_alloc heap_locked_alloc
#include "../../mm/first_fit.c"
#undef locked_alloc
#undef lock
#else
#define HEAP "mm"
#include "../../mm/slab.c"
#endif

/* Physical addresses are the host's; what is not a region must not be touched. */
#define SPAN	(64UL << 20)
#define ALIGNED (4UL << 20)
#define PAGE	4096UL
#define PARTS	3

static const struct {
	size_t from, to; /* offsets in the arena, not all of them whole pages */
} parts[PARTS] = {
	{ 0x3000, 0x9000 },		/* small, in front of a hole */
	{ 0x15800, (9UL << 20) + 100 }, /* crooked */
	{ 12UL << 20, SPAN },
};

static uint8_t *arena;
static uint64_t seed = 1;

static uint64_t random_below(uint64_t bound)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (seed >> 33) % bound;
}

static int in_region(const void *p, size_t size)
{
	size_t at = (size_t)((const uint8_t *)p - arena);

	for (int i = 0; i < PARTS; i++)
		if (at >= parts[i].from && at + size <= parts[i].to)
			return 1;
	return 0;
}

/* What is not a region is poisoned: a touch is the sanitizer's to report. */
static int set_up(void **state)
{
	(void)state;
	arena = aligned_alloc(ALIGNED, SPAN);
	assert_non_null(arena);
	host_memset(arena, 0xa5, SPAN);
	__asan_poison_memory_region(arena, SPAN);
	host_memset(&regions, 0, sizeof(regions));
	region_count = 0;
	growing = NULL;
	host_memset(free_blocks, 0, sizeof(free_blocks));
	nonempty = 0;
	total = used = 0;
	host_memset(caches, 0, sizeof(caches));
#ifdef FIRST_FIT
	holes = NULL;
#else
	for (size_t i = 0; i < ARRAY_SIZE(classes); i++)
		classes[i].partial = classes[i].active = classes[i].free = NULL;
#endif
	for (int i = 0; i < PARTS; i++) {
		__asan_unpoison_memory_region(arena + parts[i].from, parts[i].to - parts[i].from);
		page_alloc_add((uintptr_t)arena + parts[i].from, (uintptr_t)arena + parts[i].to);
	}
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	__asan_unpoison_memory_region(arena, SPAN);
	free(arena);
	return 0;
}

/* --- pages -------------------------------------------------------------------- */

struct block {
	struct page *page;
	unsigned int order;
	uint64_t mark;
};

/* The first and last word of each page of a block. */
static void mark(const struct block *block)
{
	uint8_t *p = page_to_virt(block->page);

	for (size_t i = 0; i < PAGE << block->order; i += PAGE) {
		host_memcpy(p + i, &block->mark, 8);
		host_memcpy(p + i + PAGE - 8, &block->mark, 8);
	}
}

static void check_mark(const struct block *block)
{
	const uint8_t *p = page_to_virt(block->page);

	for (size_t i = 0; i < PAGE << block->order; i += PAGE) {
		assert_memory_equal(p + i, &block->mark, 8);
		assert_memory_equal(p + i + PAGE - 8, &block->mark, 8);
	}
}

static void test_pages(void **state)
{
	enum {
		BLOCKS = 3000
	};
	static struct block blocks[BLOCKS];
	size_t used = 0;
	unsigned int refused = 0;

	(void)state;
	host_memset(blocks, 0, sizeof(blocks));
	for (int i = 0; i < 300000; i++) {
		struct block *block = &blocks[random_below(BLOCKS)];

		if (block->page) {
			check_mark(block);
			page_free(block->page, block->order);
			used -= 1UL << block->order;
			block->page = NULL;
		} else {
			block->order = random_below(16) ? random_below(4) : random_below(12);
			block->page = page_alloc(block->order);
			if (!block->page) {
				refused++;
				continue;
			}
			block->mark = ((uint64_t)i << 32) | (uint64_t)(block - blocks);
			used += 1UL << block->order;
			assert_true(in_region(page_to_virt(block->page), PAGE << block->order));
			assert_int_equal(page_to_phys(block->page) % (PAGE << block->order), 0);
			assert_ptr_equal(phys_to_page(page_to_phys(block->page) + PAGE - 1),
					 block->page);
			mark(block);
		}
		assert_int_equal(page_alloc_counts().used, used);
	}
	assert_true(refused > 0);
	for (int i = 0; i < BLOCKS; i++)
		if (blocks[i].page)
			page_free(blocks[i].page, blocks[i].order);
	assert_int_equal(page_alloc_counts().used, 0);
}

/* When all is free again, it has grown together: as many of the largest blocks as at first. */
static unsigned int largest_blocks(void)
{
	struct page *pages[SPAN / ALIGNED];
	unsigned int count = 0;

	while ((pages[count] = page_alloc(PAGE_ORDER_MAX)))
		count++;
	for (unsigned int i = 0; i < count; i++)
		page_free(pages[i], PAGE_ORDER_MAX);
	return count;
}

static void test_merging(void **state)
{
	static struct page *pages[SPAN / PAGE];
	unsigned int before = largest_blocks();
	size_t count = 0;

	(void)state;
	assert_int_equal(before, (SPAN - (12UL << 20)) / ALIGNED - 1 + 1);
	while ((pages[count] = page_alloc(0)))
		count++;
	assert_int_equal(count, page_alloc_counts().total);
	assert_null(page_alloc(0));
	/* In a mixed order */
	for (size_t i = count; i > 1; i--) {
		size_t other = random_below(i);
		struct page *page = pages[other];

		pages[other] = pages[i - 1];
		pages[i - 1] = page;
	}
	for (size_t i = 0; i < count; i++)
		page_free(pages[i], 0);
	assert_int_equal(largest_blocks(), before);
}

static void test_refusals(void **state)
{
	(void)state;
	assert_null(page_alloc(PAGE_ORDER_MAX + 1));
	assert_null(page_alloc(100));
	assert_null(phys_to_page((uintptr_t)arena + (10UL << 20)));
	assert_null(phys_to_page(0));
	/* Nothing of these becomes a region. */
	struct page_counts before = page_alloc_counts();

	page_alloc_add(0x5000, 0x5000);
	page_alloc_add(0x6000, 0x5000);
	page_alloc_add(0x5001, 0x5fff);
	page_alloc_add(0x5000, 0x6000);
	assert_int_equal(page_alloc_counts().total, before.total);
}

/* Only what the frontier has reached is touched, however much there is. */
static void test_frontier(void **state)
{
	size_t touched = 0;
	struct page *page = page_alloc(0);

	(void)state;
	assert_non_null(page);
	for (int i = 0; i < PARTS; i++)
		for (size_t at = parts[i].from; at < parts[i].to; at++)
			touched += arena[at] != 0xa5;
	assert_true(touched <= 2 * sizeof(struct page));
	page_free(page, 0);
}

/* --- the heap -------------------------------------------------------------------- */

struct thing {
	uint8_t *p;
	size_t size;
	uint8_t mark;
};

static void check_object(const struct thing *object)
{
	for (size_t i = 0; i < object->size; i++)
		assert_int_equal(object->p[i], object->mark);
}

static size_t random_size(void)
{
	switch (random_below(8)) {
	case 0:
		return 1 + random_below(20000);
	case 1:
		return 1 + random_below(2100);
	default:
		return 1 + random_below(200);
	}
}

static void test_heap(void **state)
{
	enum {
		OBJECTS = 4000
	};
	static struct thing objects[OBJECTS];

	(void)state;
	host_memset(objects, 0, sizeof(objects));
	for (int i = 0; i < 200000; i++) {
		struct thing *object = &objects[random_below(OBJECTS)];

		if (!object->p) {
			object->size = random_size();
			object->p = random_below(2) ? kmalloc(object->size) : kzalloc(object->size);
		} else if (random_below(4)) {
			check_object(object);
			kfree(object->p);
			object->p = NULL;
			continue;
		} else {
			size_t size = random_size();
			uint8_t *p;

			check_object(object);
			p = krealloc(object->p, size);
			if (!p)
				continue;
			object->p = p;
			if (size < object->size)
				object->size = size;
			check_object(object);
			object->size = size;
		}
		if (!object->p)
			continue;
		assert_true(in_region(object->p, object->size));
		assert_int_equal((uintptr_t)object->p % 16, 0);
		assert_true(ksize(object->p) >= object->size);
		object->mark = (uint8_t)random_below(256);
		host_memset(object->p, object->mark, object->size);
	}
	for (int i = 0; i < OBJECTS; i++)
		kfree(objects[i].p);
#ifdef FIRST_FIT
	/* All holes have grown together, page by page. */
	for (const struct hole *hole = holes; hole; hole = hole->next)
		assert_int_equal(hole->size % PAGE, 0);
#else
	/* One slab a size stays for the next. */
	assert_true(page_alloc_counts().used <= 13);
#endif
}

static void test_heap_edges(void **state)
{
	uint8_t *p;

	(void)state;
	assert_null(kmalloc(0));
	assert_null(kmalloc(KMALLOC_MAX + 1));
	assert_null(kmalloc(SIZE_MAX));
	assert_null(kcalloc(SIZE_MAX / 2, 3));
	kfree(NULL);
	p = kmalloc(KMALLOC_MAX);
	assert_non_null(p);
	assert_int_equal((uintptr_t)p % KMALLOC_MAX, 0);
	kfree(p);
	for (size_t size = 16; size <= 4096; size *= 2) {
		p = kmalloc(size);
		assert_int_equal(ksize(p), size);
		kfree(p);
	}
	p = kcalloc(7, 9);
	for (int i = 0; i < 63; i++)
		assert_int_equal(p[i], 0);
	assert_null(krealloc(p, 0));
	assert_null(krealloc(p, SIZE_MAX));
	kfree(p);
}

static void test_cache(void **state)
{
	struct kmem_cache things;
	void *objects[1000];
	int failed;

	(void)state;
	assert_int_equal(kmem_cache_init(&things, "zero", 0, 0), -EINVAL);
	assert_int_equal(kmem_cache_init(&things, "large", PAGE + 1, 0), -EINVAL);
	assert_int_equal(kmem_cache_init(&things, "crooked", 8, 24), -EINVAL);
	for (size_t size = 1; size <= PAGE; size += 1 + size / 3) {
		failed = kmem_cache_init(&things, "some", size, size > 64 ? 64 : 0);
		assert_int_equal(failed, 0);
		for (int i = 0; i < 1000; i++) {
			objects[i] = kmem_cache_alloc(&things);
			assert_non_null(objects[i]);
			assert_int_equal((uintptr_t)objects[i] % (size > 64 ? 64 : 16), 0);
			host_memset(objects[i], i, size);
		}
		assert_int_equal(things.in_use, 1000);
		for (int i = 0; i < 1000; i++) {
			assert_int_equal(*(uint8_t *)objects[i], (uint8_t)i);
			assert_int_equal(((uint8_t *)objects[i])[size - 1], (uint8_t)i);
			kmem_cache_free(&things, objects[i]);
		}
		assert_int_equal(things.in_use, 0);
#ifndef FIRST_FIT
		assert_true(page_alloc_counts().used <= 1);
#endif
		kmem_cache_free(&things, kmem_cache_alloc(&things));
		kmem_cache_shrink(&things);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_pages, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_merging, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_refusals, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_frontier, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_heap, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_heap_edges, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_cache, set_up, tear_down),
	};

	return cmocka_run_group_tests_name(HEAP, tests, NULL, NULL);
}
