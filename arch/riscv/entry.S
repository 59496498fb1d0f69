/* SPDX-License-Identifier: MIT */
/*
 * The trap entry. sscratch holds the top of the trap stack, so that a fault is
 * reported even where the stack is what failed; while a report is on its way
 * it holds zero, by which a fault inside the report is known. Where there are
 * programs, what is negative is one's frame; instead of the trap stack's top there
 * is its complement or, where there is only one hart and so one trap stack, a one.
 *
 * Interrupts run on the stack that they come upon: they are expected, and so
 * is room for them. They save what C functions do not keep, and return.
 */
#include <asm/csr.h>
#include <asm/ptrace.h>

	/* From what sscratch held to the trap stack, and back to the stack that was interrupted */
	.macro	to_trap_stack
#if defined(CONFIG_USERSPACE) && defined(CONFIG_SMP)
	not	sp, sp
#elif defined(CONFIG_USERSPACE)
	lla	sp, trap_stack_top
#endif
	.endm

	.macro	leave_trap_stack
#if defined(CONFIG_USERSPACE) && !defined(CONFIG_SMP)
	csrrwi	sp, sscratch, 1
#else
	to_trap_stack
	csrrw	sp, sscratch, sp
#endif
	.endm

	.section .text.trap_entry, "ax"
	.balign	4
	.globl	trap_entry
	.type	trap_entry, @function
trap_entry:
	csrrw	sp, sscratch, sp
#ifdef CONFIG_USERSPACE
	bltz	sp, user_trap_entry
#endif
	beqz	sp, nested
	to_trap_stack
#ifdef CONFIG_IRQ
	sd	t0, -8(sp)
	csrr	t0, scause
	bltz	t0, interrupt
	ld	t0, -8(sp)
#endif
#ifdef CONFIG_ADDRESS_SPACES
	sd	t0, -8(sp)
	sd	t1, -16(sp)
	csrr	t0, sepc
	lla	t1, uaccess_start
	bltu	t0, t1, 1f
	lla	t1, uaccess_end
	bltu	t0, t1, user_access
1:	ld	t1, -16(sp)
	ld	t0, -8(sp)
#endif
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

#ifdef CONFIG_IRQ
interrupt:
	ld	t0, -8(sp)
	leave_trap_stack
	addi	sp, sp, -IRQ_FRAME_SIZE
	sd	ra, IRQ_RA(sp)
	sd	t0, IRQ_T(0)(sp)
	sd	t1, IRQ_T(1)(sp)
	sd	t2, IRQ_T(2)(sp)
	sd	t3, IRQ_T(3)(sp)
	sd	t4, IRQ_T(4)(sp)
	sd	t5, IRQ_T(5)(sp)
	sd	t6, IRQ_T(6)(sp)
	.irp	n, 0,1,2,3,4,5,6,7
	sd	a\n, IRQ_A(\n)(sp)
	.endr
	/* Other interrupts overwrite these, if the handler switches threads. */
	csrr	t0, sepc
#ifdef CONFIG_ADDRESS_SPACES
	/* It may have come upon an access to user memory, and lead to another thread. */
	li	t1, SSTATUS_SUM
	csrrc	t1, sstatus, t1
#else
	csrr	t1, sstatus
#endif
	sd	t0, IRQ_EPC(sp)
	sd	t1, IRQ_STATUS(sp)
	csrr	a0, scause
	call	do_irq
	.globl	interrupt_return
interrupt_return:
	ld	t0, IRQ_EPC(sp)
	ld	t1, IRQ_STATUS(sp)
	csrw	sepc, t0
	csrw	sstatus, t1
	ld	ra, IRQ_RA(sp)
	ld	t0, IRQ_T(0)(sp)
	ld	t1, IRQ_T(1)(sp)
	ld	t2, IRQ_T(2)(sp)
	ld	t3, IRQ_T(3)(sp)
	ld	t4, IRQ_T(4)(sp)
	ld	t5, IRQ_T(5)(sp)
	ld	t6, IRQ_T(6)(sp)
	.irp	n, 0,1,2,3,4,5,6,7
	ld	a\n, IRQ_A(\n)(sp)
	.endr
	addi	sp, sp, IRQ_FRAME_SIZE
	sret
#endif

#ifdef CONFIG_ADDRESS_SPACES
	/*
	 * A fault of an access to user memory. It is handled on the stack that it
	 * comes upon, since that may take sleep; and that one works: otherwise
	 * the fault would be another one.
	 */
user_access:
	ld	t1, -16(sp)
	ld	t0, -8(sp)
	leave_trap_stack
	addi	sp, sp, -PT_SIZE
	.irp	n, 1,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	sd	x\n, PT_X(\n)(sp)
	.endr
	addi	t0, sp, PT_SIZE
	csrr	t1, sepc
	li	t2, SSTATUS_SUM
	csrrc	t2, sstatus, t2
	csrr	t3, stval
	csrr	t4, scause
	sd	t0, PT_X(2)(sp)
	sd	t1, PT_EPC(sp)
	sd	t2, PT_STATUS(sp)
	sd	t3, PT_TVAL(sp)
	sd	t4, PT_CAUSE(sp)
	mv	a0, sp
	call	uaccess_fault
	ld	t1, PT_EPC(sp)
	ld	t2, PT_STATUS(sp)
	csrw	sepc, t1
	csrw	sstatus, t2
	/* All but those that C functions keep */
	.irp	n, 1,5,6,7,10,11,12,13,14,15,16,17,28,29,30,31
	ld	x\n, PT_X(\n)(sp)
	.endr
	addi	sp, sp, PT_SIZE
	sret
#endif

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

#ifdef CONFIG_USERSPACE
#include "user_entry.S"
#endif
