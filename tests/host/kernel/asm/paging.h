/* SPDX-License-Identifier: MIT */
/* In place of the kernel's: physical addresses are the host's. */
#ifndef ASM_PAGING_H
#define ASM_PAGING_H

#include <ahoy/types.h>
#include <asm/page.h>

/* What is beyond the tree's memory cannot be mapped, or can and is not there. */
int map_readonly_early(phys_addr_t pa, size_t size);

#endif
