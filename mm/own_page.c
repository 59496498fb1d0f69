// SPDX-License-Identifier: MIT
/* Pages that belong to address spaces, not to an object: who uses them is counted. */
#include "address_space.h"
#include <ahoy/page_alloc.h>
#include <asm/page.h>

struct page *own_block_alloc(void)
{
	struct page *page = page_alloc(USER_BLOCK_ORDER), *inside;

	if (!page)
		return NULL;
	page->users = 1;
	/* When the block is divided, each of its pages leads here. */
	for (inside = page + 1; inside < page + (1UL << USER_BLOCK_ORDER); inside++) {
		inside->state = PAGE_INSIDE;
		inside->next = page;
	}
	return page;
}

static struct page *find(phys_addr_t pa)
{
	struct page *page = phys_to_page(pa);

	return page->state == PAGE_INSIDE ? page->next : page;
}

void own_page_get(phys_addr_t pa, u32 users)
{
	__atomic_fetch_add(&find(pa)->users, users, __ATOMIC_RELAXED);
}

void own_page_put(phys_addr_t pa)
{
	struct page *page = find(pa);

	if (__atomic_fetch_sub(&page->users, 1, __ATOMIC_ACQ_REL) == 1)
		page_free(page, page->order);
}

bool own_page_is_single(phys_addr_t pa)
{
	/* Nobody else can become a user then but by cloning the space that asks. */
	return __atomic_load_n(&find(pa)->users, __ATOMIC_ACQUIRE) == 1;
}
