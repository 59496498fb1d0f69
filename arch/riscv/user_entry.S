/* SPDX-License-Identifier: MIT */
/*
 * Traps of programs; a part of entry.S, since the branch to it does not reach far.
 * While a program runs, sscratch holds its frame's address.
 *
 * A system call takes its arguments where the C function that does it expects
 * them. What C functions keep is saved only where somebody wants to see it; so is
 * gp, which the kernel does not use where there are programs. The status is not
 * saved: programs change nothing in it but the state of the floating-point
 * registers, which is dirty as soon as they have them.
 */
#include <asm/csr.h>
#include <asm/user.h>

#define CAUSE_ECALL_U	       8
#define CAUSE_FETCH_PAGE_FAULT 12

	/* What C functions keep, and gp */
	.macro kept op
	.irp	n, 3,8,9,18,19,20,21,22,23,24,25,26,27
	\op	x\n, USER_X(\n)(sp)
	.endr
	.endm

	/* All else but sp and a0 */
	.macro other op
	.irp	n, 1,4,5,6,7,11,12,13,14,15,16,17,28,29,30,31
	\op	x\n, USER_X(\n)(sp)
	.endr
	.endm

	.globl	user_trap_entry
	.type	user_trap_entry, @function
user_trap_entry:
	other	sd
	ld	tp, USER_THREAD(sp)
#ifdef CONFIG_SMP
	ld	t0, USER_TRAP_STACK(sp)
	csrrw	t0, sscratch, t0
#else
	csrrwi	t0, sscratch, 1
#endif
	csrr	t2, scause
	csrr	t3, sepc
	sd	t0, USER_X(2)(sp)
	addi	t4, t2, -CAUSE_ECALL_U
	bnez	t4, exception
	addi	t3, t3, 4
	sd	t3, USER_PC(sp)
	csrsi	sstatus, SSTATUS_SIE
	call	personality_syscall
	csrci	sstatus, SSTATUS_SIE
	lw	t0, THREAD_WORK(tp)
	bnez	t0, call_and_work
restore:
	ld	t0, USER_PC(sp)
	ld	t1, USER_STATUS(sp)
	csrw	sepc, t0
	csrw	sstatus, t1
#ifdef CONFIG_SMP
	csrrw	t2, sscratch, sp
	sd	t2, USER_TRAP_STACK(sp)
#else
	csrw	sscratch, sp
#endif
	other	ld
	ld	sp, USER_X(2)(sp)
	sret

	.globl	user_return
user_return:
	csrci	sstatus, SSTATUS_SIE
	lw	t0, THREAD_WORK(tp)
	ld	a0, USER_X(10)(sp)
	beqz	t0, restore

	/* To be done before the program goes on, which may be more by then. */
call_and_work:
	sd	a0, USER_X(10)(sp)
	kept	sd
	mv	a0, sp
	call	user_work
	kept	ld
	j	user_return

exception:
	sd	a0, USER_X(10)(sp)
	sd	t3, USER_PC(sp)
	bltz	t2, interrupt_of_user
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

interrupt_of_user:
	mv	a0, t2
	call	do_irq
	j	user_return
	.size	user_trap_entry, . - user_trap_entry

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
