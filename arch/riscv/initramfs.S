/* SPDX-License-Identifier: MIT */
/*
 * The archive that the first files come from, in read-only pages of its own:
 * programs have them mapped.
 */
#include <asm/page.h>

	.section .initramfs, "a"
	.balign	PAGE_SIZE
	.globl	__initramfs_start, __initramfs_end
__initramfs_start:
	.incbin	"usr/initramfs.cpio"
__initramfs_end:
