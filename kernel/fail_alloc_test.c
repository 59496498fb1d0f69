// SPDX-License-Identifier: MIT
/* Each allocation of an operation fails in turn: it must say so, and undo the rest. */
#include <ahoy/compiler.h>
#include <ahoy/fail_alloc.h>
#include <ahoy/ktest.h>
#include <ahoy/page_alloc.h>
#include <ahoy/slab.h>
#include <ahoy/thread.h>
#include <ahoy/vmalloc.h>
#include <asm/page.h>

static bool do_pages(void)
{
	struct page *page = page_alloc(3);

	if (page)
		page_free(page, 3);
	return page;
}

static bool do_heap(void)
{
	void *small = kmalloc(50), *large, *grown;
	bool done;

	if (!small)
		return false;
	large = kzalloc(20000);
	grown = large ? krealloc(large, 40000) : NULL;
	done = grown;
	kfree(grown ? grown : large);
	kfree(small);
	return done;
}

static bool do_cache(void)
{
	struct kmem_cache cache;
	void *object;

	if (kmem_cache_init(&cache, "test", 200, 64))
		return false;
	object = kmem_cache_alloc(&cache);
	if (object)
		kmem_cache_free(&cache, object);
	kmem_cache_shrink(&cache);
	return object;
}

#ifdef CONFIG_VMALLOC
static bool do_vmalloc(void)
{
	void *p = vmalloc(5 * PAGE_SIZE);

	vfree(p);
	return p;
}

/* So many that a table for 2 MiB does not do. */
static struct page *given[PAGE_SIZE / sizeof(long) + 1];

static bool do_vmap(void)
{
	struct page *page = page_alloc(0);
	unsigned int i;
	void *p;

	for (i = 0; i < ARRAY_SIZE(given); i++)
		given[i] = page;
	p = page ? vmap(given, ARRAY_SIZE(given)) : NULL;
	vunmap(p);
	if (page)
		page_free(page, 0);
	return p;
}

static bool do_ioremap(void)
{
	void __iomem *p = ioremap(0x1000, 100);

	if (p)
		iounmap(p);
	return p;
}
#endif

#ifdef CONFIG_THREADS
static int answer(void *arg)
{
	return 42;
}

static bool do_thread(void)
{
	struct thread *thread;

	thread_free_spare_stacks();
	thread = thread_create("answer", answer, NULL, PRIORITY_DEFAULT);
	return thread && thread_join(thread) == 42;
}
#endif

static const struct {
	const char *name;
	bool (*fn)(void);
	unsigned int least; /* allocations */
} operations[] = {
	{ "pages", do_pages, 1 },     { "heap", do_heap, 3 },	    { "cache", do_cache, 1 },
#ifdef CONFIG_VMALLOC
	{ "vmalloc", do_vmalloc, 6 }, { "ioremap", do_ioremap, 1 }, { "vmap", do_vmap, 2 },
#endif
#ifdef CONFIG_THREADS
	{ "thread", do_thread, 2 },
#endif
};

static size_t in_use(void)
{
#ifdef CONFIG_THREADS
	thread_free_spare_stacks();
#endif
	return page_alloc_counts().used;
}

/* Do it with the @n-th allocation failing. Return: whether there were so many. */
static bool try(bool (*fn)(void), unsigned long n)
{
	size_t before, after;
	bool failed, done;

	in_use();
	before = heap_objects();
	fail_alloc_at(n);
	done = fn();
	failed = fail_alloc_end();
	KTEST_EXPECT(done == !failed);
	in_use();
	after = heap_objects();
	KTEST_EXPECT(after == before);
	return failed;
}

KTEST(fail_alloc, each)
{
	unsigned int i, round;

	for (i = 0; i < ARRAY_SIZE(operations); i++) {
		size_t before = 0, after;

		/* The first time tables and slabs are made that stay. */
		for (round = 0; round < 3; round++) {
			unsigned long n = 1;

			before = round == 1 ? in_use() : before;
			while (try(operations[i].fn, n) && n < 100)
				n++;
			KTEST_EXPECT(n > operations[i].least && n < 100);
		}
		after = in_use();
		/* A table more at the most, where addresses go on. */
		if (after > before + 1)
			console_printf("# %s: %zu pages lost\n", operations[i].name,
				       after - before);
		KTEST_EXPECT(after <= before + 1);
	}
}
