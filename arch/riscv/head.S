/* SPDX-License-Identifier: MIT */
/*
 * The entry from firmware: a0 holds the hart's number, a1 the device tree's
 * physical address, paging is off and interrupts are masked (SBI 2.0, 7.1;
 * Linux's boot protocol). Sets up what C needs, and the kernel's address
 * space where there is one.
 */
#include <ahoy/phase.h>
#include <asm/csr.h>
#include <asm/page.h>
#include <asm/smp.h>

	.section .head.text, "ax"
	.balign	4
#ifdef CONFIG_RISCV_BOOT_SPINWAIT
	/* The hart that finds the counter at zero boots. */
	lla	t0, boot_lottery
	li	t1, 1
	amoadd.w t0, t1, (t0)
	bnez	t0, park
#endif
	call	load_gp_sp

	lla	t0, __bss_start
	lla	t1, __bss_stop
	beq	t0, t1, 2f
1:	sd	zero, 0(t0)		/* both ends are aligned to this */
	sd	zero, 8(t0)
	sd	zero, 16(t0)
	sd	zero, 24(t0)
	addi	t0, t0, 32
	bltu	t0, t1, 1b
2:

#ifndef CONFIG_KERNEL_UPPER_HALF
	/* Pointers in tables are absolute: the image must be where it was linked for. */
	lla	t0, _start
	li	t1, KERNEL_LINK_ADDR
	bne	t0, t1, misplaced
#endif

#ifdef CONFIG_MMU
	PHASE	paging
	mv	s0, a0
	mv	s1, a1
	call	paging_build
	lla	s2, early_tables
	srli	s2, s2, PAGE_SHIFT
	sfence.vma

#ifdef CONFIG_KERNEL_UPPER_HALF
	/*
	 * A write of satp with a format that the hart has makes the next
	 * instruction's address invalid; the page fault leads to stvec, which
	 * is the continuation in the upper half. One that the hart lacks has
	 * no effect (Privileged Architecture 10.1.11), and the next is tried.
	 */
	lla	t0, 4f
	add	t0, t0, a0
	csrw	stvec, t0
#endif
	.macro try_format levels, mode
	li	t0, (\mode << SATP_MODE_SHIFT) + \levels - 1
	add	t0, t0, s2
	csrw	satp, t0
#ifdef CONFIG_KERNEL_IDENTITY
	csrr	t1, satp
	beq	t0, t1, 4f
#endif
	.endm

#ifdef CONFIG_PAGING_SV57
	try_format 5, SATP_MODE_SV57
#endif
#if defined(CONFIG_PAGING_SV48) || (defined(CONFIG_PAGING_SV57) && defined(CONFIG_PAGING_FALLBACK))
	try_format 4, SATP_MODE_SV48
#endif
#if defined(CONFIG_PAGING_SV39) || defined(CONFIG_PAGING_FALLBACK)
	try_format 3, SATP_MODE_SV39
#endif
	/* Still here, in physical memory: the hart has none of them. */
	lla	a0, msg_no_paging
	tail	die_early

	.balign	4
4:	lla	t0, park
	csrw	stvec, t0
	call	load_gp_sp
	mv	a0, s0
	mv	a1, s1
#endif
	PHASE	start
#ifdef CONFIG_THREADS
	/* Whoever asks which hart it is looks here. */
	lla	tp, boot_thread
#endif
	tail	start_kernel

#ifndef CONFIG_KERNEL_UPPER_HALF
misplaced:
	lla	a0, msg_misplaced
	tail	die_early
#endif

#ifdef CONFIG_SMP
	/*
	 * Where the other harts start (SBI, 9.1): paging off, a1 holds the
	 * physical address of a struct hart_start.
	 */
	.balign	4
	.globl	secondary_entry
secondary_entry:
#ifdef CONFIG_MMU
	ld	t0, HART_START_SATP(a1)
	ld	t1, HART_START_OFFSET(a1)
#ifdef CONFIG_KERNEL_UPPER_HALF
	lla	t2, 5f
	add	t2, t2, t1
	csrw	stvec, t2
#endif
	add	a1, a1, t1
	sfence.vma
	csrw	satp, t0
	.balign	4
5:
#endif
	mv	s0, a1
	call	load_gp_sp
	ld	sp, HART_START_SP(s0)
	ld	tp, HART_START_TP(s0)
	lla	t0, park
	csrw	stvec, t0
	tail	secondary_start
#endif

load_gp_sp:
	/* Programs keep theirs in the kernel. */
#ifndef CONFIG_USERSPACE
	.option	push
	.option	norelax
	lla	gp, __global_pointer$
	.option	pop
#endif
	lla	sp, boot_stack_top
	ret

/* Where a hart waits that has nothing to do, or that faults with nobody to tell. */
	.balign	4
park:	wfi
	j	park

#ifdef CONFIG_RISCV_BOOT_SPINWAIT
	/* In text, since it cannot be cleared with bss: harts write it while paging is off. */
	.balign	4
boot_lottery:
	.word	0
#endif

#ifndef CONFIG_KERNEL_UPPER_HALF
	.section .rodata
msg_misplaced:
	.asciz	"the image must be loaded where it was linked for, 2 MiB above the start of RAM\n"
#endif
#ifdef CONFIG_MMU
	.section .rodata
msg_no_paging:
#if defined(CONFIG_PAGING_FALLBACK) || defined(CONFIG_PAGING_SV39)
	.asciz	"this hart has no page-table format that the kernel knows\n"
#elif defined(CONFIG_PAGING_SV48)
	.asciz	"this hart has no Sv48 paging, and CONFIG_PAGING_FALLBACK is off\n"
#else
	.asciz	"this hart has no Sv57 paging, and CONFIG_PAGING_FALLBACK is off\n"
#endif
#endif
