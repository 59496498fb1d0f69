// SPDX-License-Identifier: MIT
#include <ahoy/compiler.h>
#include <ahoy/ktest.h>
#include <ahoy/page_alloc.h>
#include <ahoy/slab.h>
#include <ahoy/string.h>

#define OBJECTS 256

static bool holds(const u8 *p, u8 value, size_t size)
{
	while (size--)
		if (*p++ != value)
			return false;
	return true;
}

static size_t random_size(void)
{
	return 1 + ktest_random(ktest_random(8) ? 200 : 10000);
}

KTEST(heap, random)
{
	static struct {
		u8 *p;
		size_t size;
	} objects[OBJECTS];
	unsigned int i;

	for (i = 0; i < 20000; i++) {
		unsigned int at = ktest_random(OBJECTS);
		typeof(&objects[0]) object = &objects[at];

		if (object->p) {
			KTEST_EXPECT(holds(object->p, (u8)at, object->size));
			kfree(object->p);
			object->p = NULL;
			continue;
		}
		object->size = random_size();
		object->p = kmalloc(object->size);
		KTEST_ASSERT(object->p);
		KTEST_EXPECT(IS_ALIGNED((unsigned long)object->p, 16));
		KTEST_EXPECT(ksize(object->p) >= object->size);
		memset(object->p, (u8)at, object->size);
	}
	for (i = 0; i < OBJECTS; i++)
		kfree(objects[i].p);
}

KTEST(heap, sizes)
{
	u8 *p = kmalloc(100);

	KTEST_ASSERT(p);
	memset(p, 7, 100);
	p = krealloc(p, 3000);
	KTEST_ASSERT(p);
	KTEST_EXPECT(holds(p, 7, 100));
	p = krealloc(p, 20);
	KTEST_ASSERT(p);
	KTEST_EXPECT(holds(p, 7, 20));
	kfree(p);
	p = kcalloc(10, 30);
	KTEST_ASSERT(p);
	KTEST_EXPECT(holds(p, 0, 300));
	kfree(p);
	kfree(NULL);
	KTEST_EXPECT(!kmalloc(0));
	KTEST_EXPECT(!kmalloc(KMALLOC_MAX + 1));
	KTEST_EXPECT(!kcalloc(~0UL / 2, 3));
}

KTEST(heap, cache)
{
	static struct kmem_cache cache;
	void *objects[40];
	unsigned int i;

	KTEST_ASSERT(kmem_cache_init(&cache, "test", 300, 64) == 0);
	KTEST_EXPECT(kmem_cache_init(&(struct kmem_cache){}, "bad", 8, 24) < 0);
	for (i = 0; i < ARRAY_SIZE(objects); i++) {
		objects[i] = kmem_cache_alloc(&cache);
		KTEST_ASSERT(objects[i]);
		KTEST_EXPECT(IS_ALIGNED((unsigned long)objects[i], 64));
		memset(objects[i], (int)i, 300);
	}
	KTEST_EXPECT(cache.in_use == ARRAY_SIZE(objects));
	for (i = 0; i < ARRAY_SIZE(objects); i++) {
		KTEST_EXPECT(holds(objects[i], (u8)i, 300));
		kmem_cache_free(&cache, objects[i]);
	}
	KTEST_EXPECT(cache.in_use == 0);
	kmem_cache_shrink(&cache);
}
