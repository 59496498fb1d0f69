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

/*
 * Map @size bytes of device registers at physical address @pa. Return: the
 * virtual address, or NULL without memory or addresses, or if it is RAM that
 * the kernel has. Context: as vmalloc().
 */
void __iomem *ioremap(phys_addr_t pa, size_t size) __must_check;

/* Undo an ioremap(). */
void iounmap(volatile void __iomem *p);

#endif
