/* SPDX-License-Identifier: MIT */
#include <asm/page.h>

	/* Whole pages, since programs see all of them. */
	.section .rodata.vdso, "a"
	.balign	PAGE_SIZE
	.globl	vdso_start
vdso_start:
	.incbin	"arch/riscv/vdso/vdso.so"
	.globl	vdso_end
vdso_end:
	.balign	PAGE_SIZE
