/* SPDX-License-Identifier: MIT */
/*
 * The header that Linux's boot protocol for RISC-V puts before the image, for
 * boot loaders that want to know how much memory it needs
 * (Documentation/arch/riscv/boot-image-header.rst there). Its first word is
 * code: a jump over the header.
 */
#include <asm/page.h>

	.section .head.header, "ax"
	.option	norvc
	.option	norelax
	j	_entry
	.word	0
	.dword	KERNEL_OFFSET		/* where from the start of RAM */
	.dword	_image_size		/* in memory, bss included */
	.dword	0			/* flags: little endian */
	.word	0x2			/* version 0.2 */
	.word	0
	.dword	0
	.ascii	"RISCV\0\0\0"
	.ascii	"RSC\x05"
	.word	0
