// SPDX-License-Identifier: MIT
/* Mistakes with pages, on request. */
#include <ahoy/crash.h>
#include <ahoy/page_alloc.h>

static void crash_page_twice(void)
{
	struct page *page = page_alloc(0);

	page_free(page, 0);
	page_free(page, 0);
}
CRASH_WAY(page_twice, "page-twice", crash_page_twice);

static void crash_page_order(void)
{
	struct page *page = page_alloc(2);

	page_free(page, 1);
}
CRASH_WAY(page_order, "page-order", crash_page_order);

static void crash_page_after(void)
{
	struct page *page = page_alloc(0);

	page_free(page, 0);
	((volatile char *)page_to_virt(page))[100] = 1;
	/* It is the first that is handed out again. */
	page = page_alloc(0);
	(void)page;
}
CRASH_WAY(page_after, "page-after", crash_page_after);
