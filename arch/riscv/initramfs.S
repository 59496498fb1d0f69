/* SPDX-License-Identifier: MIT */
/*
 * The archive that the first files come from, in read-only memory. The linker
 * script puts it where the files in it are whole pages.
 */
	.section .initramfs, "a"
	.balign	4
	.globl	__initramfs_start, __initramfs_end
__initramfs_start:
	.incbin	"usr/initramfs.cpio"
__initramfs_end:
