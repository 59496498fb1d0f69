/* SPDX-License-Identifier: MIT */
/* Where the kernel lies in virtual memory, and how far that is from physical memory. */
#ifndef ASM_PAGE_H
#define ASM_PAGE_H

#define PAGE_SHIFT 12
#define PAGE_SIZE  (1 << PAGE_SHIFT)

/* The image is loaded at a multiple of this (Linux's RISC-V boot protocol). */
#define KERNEL_ALIGN  0x200000
#define KERNEL_OFFSET 0x200000

#ifdef CONFIG_OF
#define PHYS_RAM_BASE 0x80000000
#else
#define PHYS_RAM_BASE (CONFIG_PLATFORM_RAM_BASE & -KERNEL_ALIGN)
#endif

#ifdef CONFIG_KERNEL_UPPER_HALF
/*
 * The start of the kernel's part of Sv39; the larger formats sign-extend to
 * the same addresses, so that one layout serves all of them.
 */
#define PAGE_OFFSET 0xffffffc000000000
#else
#define PAGE_OFFSET 0
#endif

/*
 * The last gibibyte of the kernel's half of Sv39, for mappings made at run
 * time. Physical memory that the linear map would put there is not used.
 */
#define VMALLOC_START (PAGE_OFFSET + 0x3fc0000000)
#define VMALLOC_END   (VMALLOC_START + 0x3fe00000)

#define KERNEL_LINK_ADDR (PAGE_OFFSET + PHYS_RAM_BASE + KERNEL_OFFSET)

#ifndef __ASSEMBLY__

#include <ahoy/types.h>

extern char _start[], _etext[], _rodata_start[], _rodata_end[], _data_start[], _end[];

#ifdef CONFIG_KERNEL_UPPER_HALF
/* Virtual minus physical address of the image and the linear map. */
extern unsigned long va_pa_offset;
#else
#define va_pa_offset 0UL
#endif

/* @va: an address in the image or the linear map. */
static inline phys_addr_t virt_to_phys(const volatile void *va)
{
	return (phys_addr_t)((unsigned long)va - va_pa_offset);
}

/* @pa: an address that the linear map covers, or the kernel's own. */
static inline void *phys_to_virt(phys_addr_t pa)
{
	return (void *)(unsigned long)(pa + va_pa_offset);
}

#endif
#endif
