/* SPDX-License-Identifier: MIT */
/* In place of the kernel's: physical addresses are the host's. */
#ifndef ASM_PAGE_H
#define ASM_PAGE_H

#include <ahoy/types.h>

#define PAGE_SHIFT 12
#define PAGE_SIZE  (1 << PAGE_SHIFT)

static inline void *phys_to_virt(phys_addr_t pa)
{
	return (void *)(uintptr_t)pa;
}

static inline phys_addr_t virt_to_phys(const volatile void *va)
{
	return (uintptr_t)va;
}

#endif
