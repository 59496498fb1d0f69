/* SPDX-License-Identifier: MIT */
/*
 * Kernel mappings: address ranges of their own, with a page behind each that
 * is not mapped, so that running over the end faults.
 */
#ifndef AHOY_VMALLOC_H
#define AHOY_VMALLOC_H

#include <ahoy/compiler.h>
#include <ahoy/types.h>
#include <asm/io.h>

/*
 * @size bytes of memory, a whole number of pages, contents undefined. They are
 * contiguous only in virtual memory. Return: NULL without memory or addresses.
 * Context: any but a trap handler's.
 */
void *vmalloc(size_t size) __must_check;

/* Give back what vmalloc() returned; NULL is nothing. */
void vfree(void *p);

struct page;

/*
 * Map @count pages, in the order of @pages, one behind the other. They stay the
 * caller's, who gives them back only after vunmap(). Return: the address of the
 * first, or NULL if @count is 0, or without memory or addresses. Context: as vmalloc().
 */
void *vmap(struct page *const *pages, size_t count) __must_check;

/* Undo a vmap(); NULL is nothing. */
static inline void vunmap(void *p)
{
	vfree(p);
}

/*
 * Map @size bytes of device registers at physical address @pa. Return: the
 * virtual address, or NULL without memory or addresses, or if it is memory
 * of the kernel: RAM that it hands out, or its image. Context: as vmalloc().
 */
void __iomem *ioremap(phys_addr_t pa, size_t size) __must_check;

/* Undo an ioremap(). */
void iounmap(volatile void __iomem *p);

#endif
