/* SPDX-License-Identifier: MIT */
/* The floating-point registers, to and from a struct fpu_state at a0. */

	.macro each op
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	\op	f\n, 8 * \n(a0)
	.endr
	.endm

	.section .text.fpu_save, "ax"
	.balign	4
	.globl	fpu_save
	.type	fpu_save, @function
fpu_save:
	each	fsd
	frcsr	t0
	sw	t0, 256(a0)
	ret
	.size	fpu_save, . - fpu_save

	.section .text.fpu_restore, "ax"
	.balign	4
	.globl	fpu_restore
	.type	fpu_restore, @function
fpu_restore:
	each	fld
	lw	t0, 256(a0)
	fscsr	t0
	ret
	.size	fpu_restore, . - fpu_restore
