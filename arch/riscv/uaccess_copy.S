/* SPDX-License-Identifier: MIT */
/*
 * Accesses to user memory. Each instruction that may meet it has a row in the
 * exception table, which says where to go on if the access cannot be made. The
 * trap entry knows these functions by where they stand; they use no stack, and
 * keep in a3 whether the thread may sleep for a fault.
 */
#include <ahoy/errno.h>
#include <asm/csr.h>

	.macro	user insn:vararg
.Lat\@:	\insn
	.pushsection .table.extable.0.uaccess, "a"
	.balign	8
	.dword	.Lat\@, give_up
	.popsection
	.endm

	.macro	function name
	.balign	4
	.globl	\name
	.type	\name, @function
\name:
	.endm

	/* Not to be split or dropped by the linker: the trap entry compares with its bounds. */
	.section .text.uaccess, "ax"
	.globl	uaccess_start, uaccess_end
uaccess_start:

/*
 * int uaccess_copy(void *dst, const void *src, size_t n, unsigned long sleep)
 *
 * Four or eight bytes that are aligned on both sides are copied in one access:
 * a word that others write meanwhile is the one before or after.
 */
	function uaccess_copy
	li	t6, SSTATUS_SUM
	csrs	sstatus, t6
	add	a4, a0, a2		/* the end of dst */
	xor	a6, a0, a1
	andi	t0, a6, 3
	bnez	t0, 7f			/* never aligned on both sides at once */
1:	andi	t0, a0, 3		/* bytes up to a multiple of four */
	beqz	t0, 2f
	bgeu	a0, a4, done
	user	lbu t0, 0(a1)
	user	sb t0, 0(a0)
	addi	a0, a0, 1
	addi	a1, a1, 1
	j	1b
2:	andi	a6, a6, 4
	bnez	a6, 6f
	andi	t0, a0, 4
	beqz	t0, 3f
	addi	t0, a0, 4
	bltu	a4, t0, 7f
	user	lw t1, 0(a1)
	user	sw t1, 0(a0)
	mv	a0, t0
	addi	a1, a1, 4
3:	addi	a5, a0, 32		/* four words at a time */
	bltu	a4, a5, 4f
	user	ld t0, 0(a1)
	user	ld t1, 8(a1)
	user	ld t2, 16(a1)
	user	ld t3, 24(a1)
	user	sd t0, 0(a0)
	user	sd t1, 8(a0)
	user	sd t2, 16(a0)
	user	sd t3, 24(a0)
	mv	a0, a5
	addi	a1, a1, 32
	j	3b
4:	addi	a5, a0, 8
	bltu	a4, a5, 6f
	user	ld t0, 0(a1)
	user	sd t0, 0(a0)
	mv	a0, a5
	addi	a1, a1, 8
	j	4b
6:	addi	a5, a0, 4
	bltu	a4, a5, 7f
	user	lw t0, 0(a1)
	user	sw t0, 0(a0)
	mv	a0, a5
	addi	a1, a1, 4
	j	6b
7:	bgeu	a0, a4, done
	user	lbu t0, 0(a1)
	user	sb t0, 0(a0)
	addi	a0, a0, 1
	addi	a1, a1, 1
	j	7b
	.size	uaccess_copy, . - uaccess_copy

/* int uaccess_clear(void *dst, size_t n, size_t zero, unsigned long sleep) */
	function uaccess_clear
	li	t6, SSTATUS_SUM
	csrs	sstatus, t6
	add	a4, a0, a1
1:	andi	t0, a0, 7
	beqz	t0, 2f
	bgeu	a0, a4, done
	user	sb zero, 0(a0)
	addi	a0, a0, 1
	j	1b
2:	addi	t0, a0, 64		/* eight words at a time */
	bltu	a4, t0, 4f
	.irp	n, 0,8,16,24,32,40,48,56
	user	sd zero, \n(a0)
	.endr
	mv	a0, t0
	j	2b
4:	addi	t0, a0, 8
	bltu	a4, t0, 3f
	user	sd zero, 0(a0)
	mv	a0, t0
	j	4b
3:	bgeu	a0, a4, done
	user	sb zero, 0(a0)
	addi	a0, a0, 1
	j	3b
	.size	uaccess_clear, . - uaccess_clear

/* long uaccess_string(char *dst, const char *src, size_t n, unsigned long sleep) */
	function uaccess_string
	li	t6, SSTATUS_SUM
	csrs	sstatus, t6
	mv	a4, a0
	add	a5, a1, a2
1:	bgeu	a1, a5, 2f
	user	lbu t0, 0(a1)
	sb	t0, 0(a0)
	beqz	t0, 2f
	addi	a0, a0, 1
	addi	a1, a1, 1
	j	1b
2:	csrc	sstatus, t6
	sub	a0, a0, a4
	ret
	.size	uaccess_string, . - uaccess_string

done:	csrc	sstatus, t6
	li	a0, 0
	ret

give_up:
	csrc	sstatus, t6
	li	a0, -EFAULT
	ret
uaccess_end:
