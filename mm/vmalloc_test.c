// SPDX-License-Identifier: MIT
#include <ahoy/ktest.h>
#include <ahoy/page_alloc.h>
#include <ahoy/vmalloc.h>
#include <asm/page.h>

#define AREAS 64

static bool holds(const unsigned long *p, size_t size, unsigned long value)
{
	for (size_t i = 0; i < size / sizeof(*p); i += 64)
		if (p[i] != value + i)
			return false;
	return true;
}

KTEST(vmalloc, random)
{
	static struct {
		unsigned long *p;
		size_t size;
	} areas[AREAS];
	size_t used;
	unsigned int i;

	vfree(vmalloc(PAGE_SIZE));
	used = page_alloc_counts().used;
	for (i = 0; i < 5000; i++) {
		unsigned int at = ktest_random(AREAS);
		typeof(&areas[0]) area = &areas[at];

		if (area->p) {
			KTEST_EXPECT(holds(area->p, area->size, at));
			vfree(area->p);
			area->p = NULL;
			continue;
		}
		area->size = 1 + ktest_random(8 * PAGE_SIZE);
		area->p = vmalloc(area->size);
		KTEST_ASSERT(area->p);
		for (size_t j = 0; j < area->size / sizeof(long); j += 64)
			area->p[j] = at + j;
	}
	for (i = 0; i < AREAS; i++)
		vfree(areas[i].p);
	/* Tables stay, one for 2 MiB; leaked areas would be thousands. */
	KTEST_EXPECT(page_alloc_counts().used <= used + 100);
}

KTEST(vmalloc, refusals)
{
	struct page *page = page_alloc(0);
	size_t used = page_alloc_counts().used;

	KTEST_EXPECT(!vmalloc(0));
	KTEST_EXPECT(!vmalloc(VMALLOC_END - VMALLOC_START));
	KTEST_EXPECT(!vmalloc(~0UL));
	vfree(NULL);
	KTEST_EXPECT(page_alloc_counts().used == used);
	/* RAM that the kernel hands out is no device. */
	KTEST_ASSERT(page);
	KTEST_EXPECT(!ioremap(page_to_phys(page), 8));
	page_free(page, 0);
}
