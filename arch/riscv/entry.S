/* SPDX-License-Identifier: MIT */
/*
 * The trap entry. sscratch holds the top of the trap stack, so that a fault is
 * reported even where the stack is what failed; while a report is on its way
 * it holds zero, by which a fault inside the report is known.
 */
#include <asm/csr.h>
#include <asm/ptrace.h>

	.section .text.trap_entry, "ax"
	.balign	4
	.globl	trap_entry
	.type	trap_entry, @function
trap_entry:
	csrrw	sp, sscratch, sp
	beqz	sp, nested
	addi	sp, sp, -PT_SIZE
	sd	x1, PT_X(1)(sp)
	.irp	n, 3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	sd	x\n, PT_X(\n)(sp)
	.endr
	csrrw	t0, sscratch, zero
	csrr	t1, sepc
	csrr	t2, sstatus
	csrr	t3, stval
	csrr	t4, scause
	sd	t0, PT_X(2)(sp)
	sd	t1, PT_EPC(sp)
	sd	t2, PT_STATUS(sp)
	sd	t3, PT_TVAL(sp)
	sd	t4, PT_CAUSE(sp)
	mv	a0, sp
	/* The frame chain of the trapped code goes on behind this one. */
	tail	trap_report
	.size	trap_entry, . - trap_entry

	/*
	 * A fault while one is being reported. What is on the trap stack may be
	 * the reason, so it starts anew from the top; a third one only halts.
	 */
nested:
	lla	sp, trap_stack_top
	lla	t0, halt
	csrw	stvec, t0
	tail	trap_nested

	.balign	4
halt:	wfi
	j	halt
