/* SPDX-License-Identifier: MIT */
/* Control and status registers (RISC-V Privileged Architecture, chapter 2 and 10). */
#ifndef ASM_CSR_H
#define ASM_CSR_H

#define SATP_MODE_SHIFT 60
#define SATP_MODE_SV39	8
#define SATP_MODE_SV48	9
#define SATP_MODE_SV57	10
#define SATP_ASID_SHIFT 44
#define SATP_ASID_BITS	16
#define SATP_PPN	((1UL << SATP_ASID_SHIFT) - 1)

#define SSTATUS_SIE  0x00000002
#define SSTATUS_SPIE 0x00000020
#define SSTATUS_SPP  0x00000100
#define SSTATUS_SUM  0x00040000

/* The registers of programs have 64 bits. */
#define SSTATUS_UXL_64 0x200000000UL

/* The state of the floating-point registers: off is zero, or changed */
#define SSTATUS_FS	 0x00006000
#define SSTATUS_FS_DIRTY 0x00006000

#define SCOUNTEREN_TM 0x00000002

#define SCAUSE_INTERRUPT (1UL << 63)

/* Interrupts: bits of sie and sip, codes of scause */
#define IRQ_SOFT     1
#define IRQ_TIMER    5
#define IRQ_EXTERNAL 9

#ifndef __ASSEMBLY__

#define csr_read(csr)                                                                              \
	({                                                                                         \
		unsigned long __v;                                                                 \
		__asm__ __volatile__("csrr %0, " #csr : "=r"(__v) : : "memory");                   \
		__v;                                                                               \
	})

#define csr_write(csr, value)                                                                      \
	__asm__ __volatile__("csrw " #csr ", %0" : : "rK"((unsigned long)(value)) : "memory")

#define csr_set(csr, bits)                                                                         \
	__asm__ __volatile__("csrs " #csr ", %0" : : "rK"((unsigned long)(bits)) : "memory")

#define csr_clear(csr, bits)                                                                       \
	__asm__ __volatile__("csrc " #csr ", %0" : : "rK"((unsigned long)(bits)) : "memory")

#endif
#endif
