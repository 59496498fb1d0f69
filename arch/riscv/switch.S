/* SPDX-License-Identifier: MIT */
#include <asm/switch.h>

	.section .text.switch_to, "ax"
	.balign	4
	.globl	switch_to
	.type	switch_to, @function
switch_to:
	sd	ra, SWITCH_RA(a0)
	sd	sp, SWITCH_SP(a0)
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11
	sd	s\n, SWITCH_S(\n)(a0)
	.endr
#ifdef CONFIG_USERSPACE
	sd	gp, SWITCH_GP(a0)
	ld	gp, SWITCH_GP(a1)
#endif
	ld	ra, SWITCH_RA(a1)
	ld	sp, SWITCH_SP(a1)
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11
	ld	s\n, SWITCH_S(\n)(a1)
	.endr
	mv	tp, a1
	ret
	.size	switch_to, . - switch_to
