/* SPDX-License-Identifier: MIT */
/*
 * The kernel's mappings: made before the first C function in virtual memory,
 * extended by what the device tree says. With CONFIG_PAGING_BARE all of this
 * is nothing.
 */
#ifndef ASM_PAGING_H
#define ASM_PAGING_H

#include <ahoy/compiler.h>
#include <ahoy/errno.h>
#include <ahoy/types.h>
#include <asm/io.h>
#include <asm/page.h>

/* Pages of the image's address range whose RAM is given up for devices. */
enum fixmap_slot {
	FIXMAP_UART,
	FIXMAP_TEST,
#ifdef CONFIG_SIFIVE_PLIC
	FIXMAP_PLIC_PRIORITY,
	FIXMAP_PLIC_ENABLE,
	FIXMAP_PLIC_CONTEXT,
#endif
	FIXMAP_SLOTS,
};

#ifdef CONFIG_MMU

/* Aligned, else the compiler takes registers behind it for bytes and splits accesses. */
extern char fixmap_pages[] __aligned(PAGE_SIZE);

/* The virtual address at which fixmap_io() maps @pa in @slot. */
static __always_inline void __iomem *fixmap_address(enum fixmap_slot slot, phys_addr_t pa)
{
	return (void __iomem __force *)(fixmap_pages + slot * PAGE_SIZE + pa % PAGE_SIZE);
}

/*
 * Map the page of a device register block. @slot: its place, which loses what
 * it mapped before; @pa: physical address; @size: bytes, which must not cross
 * a page. Return: the virtual address, or NULL if the block crosses a page or
 * lies within the kernel's image. Context: boot.
 */
void __iomem *fixmap_io(enum fixmap_slot slot, phys_addr_t pa, size_t size);

/*
 * Make the device tree readable at phys_to_virt(@pa). @size: bytes from @pa.
 * Return: 0, or -ERANGE if the addresses are out of reach of the kernel's
 * half. Context: boot.
 */
int map_readonly_early(phys_addr_t pa, size_t size);

/*
 * Map [*@start, *@end) of RAM read-write into the linear map, with the largest
 * leaves. Blocks of 2 MiB that the range covers only in part are left out, but
 * for the kernel's own. With a page
 * allocator, *@start and *@end become the bounds of what can be reached. Return: the number of bytes newly mapped. Context: boot.
 */
u64 linear_map_add(phys_addr_t *start, phys_addr_t *end);

/*
 * Map the page at @va, in VMALLOC_START to VMALLOC_END, to physical address
 * @pa, for reading and writing. @table_alloc gives a page in the linear map for
 * a table, or NULL. Return: 0, or -ENOMEM if it did not. Context: any but a
 * trap handler's; the caller sees to it that nobody else maps this page.
 */
int kernel_map_page(unsigned long va, phys_addr_t pa, void *(*table_alloc)(void)) __must_check;

/*
 * Undo it; harts may reach the page until kernel_flush(). Return: its physical
 * address. Context: as kernel_map_page().
 */
phys_addr_t kernel_unmap_page(unsigned long va);

/* Have all harts forget what was mapped in [@start, @end). Context: any. */
void kernel_flush(unsigned long start, unsigned long end);

/* The name of the page-table format in use: "Sv39", "Sv48" or "Sv57". */
const char *paging_format(void);

#else

static __always_inline void __iomem *fixmap_address(enum fixmap_slot slot, phys_addr_t pa)
{
	return (void __iomem __force *)(unsigned long)pa;
}

static __always_inline void __iomem *fixmap_io(enum fixmap_slot slot, phys_addr_t pa, size_t size)
{
	return fixmap_address(slot, pa);
}

static inline int map_readonly_early(phys_addr_t pa, size_t size)
{
	return 0;
}

static inline u64 linear_map_add(phys_addr_t *start, phys_addr_t *end)
{
	return 0;
}

static inline const char *paging_format(void)
{
	return "Bare";
}

#endif
#endif
