// SPDX-License-Identifier: MIT
#include <ahoy/ktest.h>
#include <ahoy/slab.h>

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
