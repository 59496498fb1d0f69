/* SPDX-License-Identifier: MIT */
/* Sizes that the linker script and the code share. */
#ifndef ASM_LAYOUT_H
#define ASM_LAYOUT_H

/* Enough for the report of a fault, on a stack of its own. */
#define TRAP_STACK_SIZE 4096

/* One page for each slot of enum fixmap_slot. */
#ifdef CONFIG_SIFIVE_PLIC
#define FIXMAP_PAGES 5
#else
#define FIXMAP_PAGES 2
#endif

#endif
