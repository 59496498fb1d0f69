// SPDX-License-Identifier: MIT
/* Memory for musl's malloc(): pages, which nobody else has, and which are always there. */
#include "musl_emu.h"
#include <ahoy/compiler.h>
#include <ahoy/errno.h>
#include <ahoy/page_alloc.h>
#include <ahoy/spinlock.h>
#include <ahoy/string.h>
#include <asm/page.h>

#define MAP_FIXED     0x10
#define MAP_ANONYMOUS 0x20
#define PROT_WRITE    2

/* The order of a block of @size bytes; above PAGE_ORDER_MAX if there is none. */
static unsigned int order_of(size_t size)
{
	unsigned int order = 0;

	while (order <= PAGE_ORDER_MAX && ((size_t)PAGE_SIZE << order) < size)
		order++;
	return order;
}

/* Clear memory of @size bytes, in whole pages. Return: NULL if there is none. */
static void *get_pages(size_t size)
{
	unsigned int order = order_of(size);
	struct page *page = order <= PAGE_ORDER_MAX ? page_alloc(order) : NULL;

	return page ? memset(page_to_virt(page), 0, (size_t)PAGE_SIZE << order) : NULL;
}

MUSL_CALL(222, mmap)
{
	void *start;

	if (!arg[1])
		return -EINVAL;
	if (!(arg[3] & MAP_ANONYMOUS) || arg[3] & MAP_FIXED)
		return -ENOSYS;
	start = get_pages((size_t)arg[1]);
	return start ? (long)start : -ENOMEM;
}

/* All of what one mmap() returned. */
MUSL_CALL(215, munmap)
{
	struct page *page = virt_to_page((const void *)arg[0]);

	if (!IS_ALIGNED((unsigned long)arg[0], PAGE_SIZE) || !page || !arg[1] ||
	    order_of((size_t)arg[1]) > PAGE_ORDER_MAX)
		return -EINVAL;
	page_free(page, order_of((size_t)arg[1]));
	return 0;
}

/* Memory is there to be written, whatever was asked for; it cannot be made less. */
MUSL_CALL(226, mprotect)
{
	return arg[2] & PROT_WRITE ? 0 : -ENOSYS;
}

/* The break moves inside a block that the first call takes. */
#define BREAK_SIZE (4 * (unsigned long)PAGE_SIZE)

MUSL_CALL(214, brk)
{
	static struct spinlock lock;
	static unsigned long start, now;
	unsigned long flags = spin_lock(&lock), result;

	if (!start)
		start = now = (unsigned long)get_pages(BREAK_SIZE);
	if (start && (unsigned long)arg[0] - start <= BREAK_SIZE)
		now = (unsigned long)arg[0];
	result = now;
	spin_unlock(&lock, flags);
	return result ? (long)result : -ENOMEM;
}
