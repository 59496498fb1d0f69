// SPDX-License-Identifier: MIT
/* Mistakes with the heap, on request. */
#include <ahoy/crash.h>
#include <ahoy/slab.h>

/* The compiler must not know better. */
static volatile char *take(size_t size)
{
	volatile char *volatile p = kmalloc(size);

	return p;
}

static void give(volatile char *p)
{
	kfree((const void *)p);
}

static void crash_heap_behind(void)
{
	volatile char *p = take(100);

	p[100] = 1;
	give(p);
}
CRASH_WAY(heap_behind, "heap-behind", crash_heap_behind);

static void crash_heap_before(void)
{
	volatile char *p = take(100);

	p[-1] = 1;
	give(p);
}
CRASH_WAY(heap_before, "heap-before", crash_heap_before);

static void crash_heap_twice(void)
{
	volatile char *p = take(100);

	give(p);
	give(p);
}
CRASH_WAY(heap_twice, "heap-twice", crash_heap_twice);

static void crash_heap_after(void)
{
	volatile char *p = take(100);

	give(p);
	p[10] = 1;
	give(take(100));
}
CRASH_WAY(heap_after, "heap-after", crash_heap_after);

static void crash_heap_stray(void)
{
	volatile char *p = take(1000);

	give(p + 512);
}
CRASH_WAY(heap_stray, "heap-stray", crash_heap_stray);
