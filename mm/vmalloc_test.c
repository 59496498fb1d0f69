// SPDX-License-Identifier: MIT
#include <ahoy/compiler.h>
#include <ahoy/ktest.h>
#include <ahoy/page_alloc.h>
#include <ahoy/vmalloc.h>
#include <asm/layout.h>
#include <asm/page.h>
#include <asm/paging_check.h>

#define AREAS	   64
#define PAGE_WORDS (PAGE_SIZE / sizeof(unsigned long))

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
	/* Text would be writable there. */
	KTEST_EXPECT(!ioremap(virt_to_phys(_start), 8));
	KTEST_EXPECT(!ioremap(virt_to_phys(_start) - 8, PAGE_SIZE));
	KTEST_EXPECT(!ioremap(virt_to_phys(_end) - 1, 1));
}

/* Pages from anywhere lie one behind the other, and are the same memory. */
KTEST(vmalloc, given_pages)
{
	struct page *pages[9];
	size_t used = page_alloc_counts().used, i;
	unsigned long *p;

	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		struct page **place = &pages[(i * 4 + 8) % ARRAY_SIZE(pages)];

		*place = page_alloc(0);
		KTEST_ASSERT(*place);
	}
	/* One of them twice. */
	page_free(pages[8], 0);
	pages[8] = pages[3];
	p = vmap(pages, ARRAY_SIZE(pages));
	KTEST_ASSERT(p);
	for (i = 0; i < 8; i++)
		p[i * PAGE_WORDS] = ~i;
	for (i = 0; i < 8; i++)
		KTEST_EXPECT(*(unsigned long *)page_to_virt(pages[i]) == ~i);
	KTEST_EXPECT(p[8 * PAGE_WORDS] == ~3UL);
	vunmap(p);
	/* They are the caller's still. */
	for (i = 0; i < 8; i++) {
		KTEST_EXPECT(*(unsigned long *)page_to_virt(pages[i]) == ~i);
		page_free(pages[i], 0);
	}
	/* A table or two more, where addresses went on. */
	KTEST_EXPECT(page_alloc_counts().used <= used + 2);
	KTEST_EXPECT(!vmap(pages, 0));
	KTEST_EXPECT(!vmap(pages, ~0UL));
	vunmap(NULL);
}

/* Mappings that are made at run time can be seen in the tables, and go. */
KTEST(vmalloc, tables)
{
	char *p = vmalloc(3 * PAGE_SIZE);
	struct paging_findings found;

	KTEST_ASSERT(p);
	found = paging_check(p + PAGE_SIZE);
	KTEST_EXPECT(found.both == 0 && found.aliases == 0 && found.wanted == 1);
	/* Behind it is a page that is not mapped. */
	KTEST_EXPECT(paging_check(p + 3 * PAGE_SIZE).wanted == 0);
	vfree(p);
	KTEST_EXPECT(paging_check(p + PAGE_SIZE).wanted == 0);
}

/* Device registers can be mapped, the kernel's text cannot. */
KTEST(vmalloc, devices)
{
	void __iomem *p = ioremap(0x1000, PAGE_SIZE);
	struct paging_findings found = paging_check((void __force *)p);

	KTEST_ASSERT(p);
	KTEST_EXPECT(!ioremap(virt_to_phys(_start), PAGE_SIZE));
	KTEST_EXPECT(found.both == 0 && found.aliases == 0 && found.wanted == 1);
	iounmap(p);
}
