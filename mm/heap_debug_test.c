// SPDX-License-Identifier: MIT
#include <ahoy/compiler.h>
#include <ahoy/ktest.h>
#include <ahoy/page_alloc.h>
#include <ahoy/slab.h>
#include <asm/page.h>

KTEST(heap_debug, counts)
{
	size_t before = heap_objects();
	void *p = kmalloc(24), *q = kzalloc(3000);

	KTEST_ASSERT(p && q);
	KTEST_EXPECT(heap_objects() == before + 2);
	heap_report();
	kfree(p);
	kfree(q);
	KTEST_EXPECT(heap_objects() == before);
}

/* Nobody relies on what was there before. */
KTEST(heap_debug, contents)
{
	u8 *p = kmalloc(40);

	KTEST_ASSERT(p);
	KTEST_EXPECT(ksize(p) == 40);
	KTEST_EXPECT(p[0] == 0x5a && p[39] == 0x5a);
	kfree(p);
}

/* A large object's pages may have been somebody else's since another one had them. */
KTEST(heap_debug, pages_between)
{
	struct page *blocks[16], *mine = NULL;
	char *p = kmalloc(20000);
	unsigned int i;

	KTEST_ASSERT(p);
	kfree(p);
	/* Its block, and its neighbours, so that it stays one when it is given back. */
	for (i = 0; i < ARRAY_SIZE(blocks); i++) {
		blocks[i] = page_alloc(3);
		if (blocks[i] && ALIGN_DOWN((unsigned long)p, PAGE_SIZE) ==
					 (unsigned long)page_to_virt(blocks[i]))
			mine = blocks[i];
	}
	KTEST_EXPECT(mine);
	if (mine) {
		p[100] = 1;
		page_free(mine, 3);
		p = kmalloc(20000);
		KTEST_EXPECT(p);
		kfree(p);
	}
	for (i = 0; i < ARRAY_SIZE(blocks); i++)
		if (blocks[i] && blocks[i] != mine)
			page_free(blocks[i], 3);
}
