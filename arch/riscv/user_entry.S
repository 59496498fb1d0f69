/* SPDX-License-Identifier: MIT */
/*
 * Traps of programs. While one runs, sscratch holds the complement of its frame's
 * address: the only value there that is positive and not zero.
 *
 * A system call takes its arguments where the C function that does it expects
 * them. What C functions keep is saved only where somebody wants to see it.
 */
#include <asm/csr.h>
#include <asm/user.h>

#define CAUSE_ECALL_U	       8
#define CAUSE_FETCH_PAGE_FAULT 12
#define CORE_FULL_REGS	       -4096

	/* What C functions keep */
	.macro kept op
	.irp	n, 8,9,18,19,20,21,22,23,24,25,26,27
	\op	x\n, USER_X(\n)(sp)
	.endr
	.endm

	/* All else but sp, t0 to t2 and the arguments */
	.macro other op
	.irp	n, 1,3,4,28,29,30,31
	\op	x\n, USER_X(\n)(sp)
	.endr
	.endm

	.macro arguments op
	.irp	n, 10,11,12,13,14,15,16,17
	\op	x\n, USER_X(\n)(sp)
	.endr
	.endm

	.section .text.user_trap_entry, "ax"
	.balign	4
	.globl	user_trap_entry
	.type	user_trap_entry, @function
user_trap_entry:
	not	sp, sp
	other	sd
	arguments sd
	sd	t0, USER_X(5)(sp)
	sd	t1, USER_X(6)(sp)
	sd	t2, USER_X(7)(sp)
	.option	push
	.option	norelax
	lla	gp, __global_pointer$
	.option	pop
	ld	tp, USER_THREAD(sp)
	ld	t0, USER_TRAP_STACK(sp)
	csrrw	t0, sscratch, t0
	csrr	t1, sstatus
	csrr	t2, scause
	csrr	t3, sepc
	sd	t0, USER_X(2)(sp)
	sd	t1, USER_STATUS(sp)
	addi	t4, t2, -CAUSE_ECALL_U
	bnez	t4, exception
	addi	t3, t3, 4
	sd	t3, USER_PC(sp)
	csrsi	sstatus, SSTATUS_SIE
	call	personality_syscall
	li	t0, CORE_FULL_REGS
	beq	a0, t0, all_registers
	sd	a0, USER_X(10)(sp)
	.globl	user_return
user_return:
	csrci	sstatus, SSTATUS_SIE
	lw	t0, THREAD_WORK(tp)
	bnez	t0, work
	ld	t0, USER_PC(sp)
	ld	t1, USER_STATUS(sp)
	csrw	sepc, t0
	csrw	sstatus, t1
	not	t2, sp
	csrrw	t2, sscratch, t2
	sd	t2, USER_TRAP_STACK(sp)
	other	ld
	arguments ld
	ld	t0, USER_X(5)(sp)
	ld	t1, USER_X(6)(sp)
	ld	t2, USER_X(7)(sp)
	ld	sp, USER_X(2)(sp)
	sret
	.size	user_trap_entry, . - user_trap_entry

all_registers:
	kept	sd
	mv	a0, sp
	call	personality_syscall_regs
	kept	ld
	j	user_return

	/* To be done before the program goes on, which may be more by then. */
work:
	kept	sd
	mv	a0, sp
	call	user_work
	kept	ld
	j	user_return

exception:
	sd	t3, USER_PC(sp)
	bltz	t2, interrupt
	csrr	a0, stval
	csrsi	sstatus, SSTATUS_SIE
	sd	a0, USER_TVAL(sp)
	sd	t2, USER_CAUSE(sp)
	addi	t0, t2, -CAUSE_FETCH_PAGE_FAULT
	sltiu	t0, t0, 4
	mv	a1, t2
	li	a2, 0
	beqz	t0, unresolved
	call	user_page_fault
	beqz	a0, user_return
	mv	a2, a0
unresolved:
	kept	sd
	mv	a0, sp
	mv	a1, a2
	call	user_trap
	kept	ld
	j	user_return

interrupt:
	mv	a0, t2
	call	do_irq
	j	user_return

	/* Where a thread begins that runs a program. a0: who ran before. */
	.section .text.user_thread_begin, "ax"
	.balign	4
	.globl	user_thread_begin
	.type	user_thread_begin, @function
user_thread_begin:
	call	sched_thread_starts
	kept	ld
	j	user_return
	.size	user_thread_begin, . - user_thread_begin

	.section .text.user_enter, "ax"
	.balign	4
	.globl	user_enter
	.type	user_enter, @function
user_enter:
	mv	sp, a0
	kept	ld
	j	user_return
	.size	user_enter, . - user_enter
