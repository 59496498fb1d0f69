/* SPDX-License-Identifier: MIT */
/* Calls into the firmware (RISC-V Supervisor Binary Interface Specification 2.0). */
#ifndef ASM_SBI_H
#define ASM_SBI_H

#include <ahoy/compiler.h>
#include <ahoy/types.h>

/* Extensions: chapters 5 (legacy), 4 (base), 6 (timer), 10 (system reset), 12 (debug console) */
#define SBI_EXT_LEGACY_PUTCHAR	0x01
#define SBI_EXT_LEGACY_SHUTDOWN 0x08
#define SBI_EXT_BASE		0x10
#define SBI_EXT_TIME		0x54494d45
#define SBI_EXT_IPI		0x735049
#define SBI_EXT_RFENCE		0x52464e43
#define SBI_EXT_HSM		0x48534d
#define SBI_EXT_SRST		0x53525354
#define SBI_EXT_DBCN		0x4442434e

#define SBI_BASE_PROBE_EXTENSION 3
#define SBI_TIME_SET_TIMER	 0
#define SBI_IPI_SEND		 0
#define SBI_RFENCE_FENCE_I	 0
#define SBI_RFENCE_SFENCE_VMA	 1
#define SBI_HSM_START		 0
#define SBI_DBCN_WRITE		 0
#define SBI_SRST_RESET		 0

#define SBI_SRST_TYPE_SHUTDOWN	    0
#define SBI_SRST_TYPE_COLD_REBOOT   1
#define SBI_SRST_REASON_NONE	    0
#define SBI_SRST_REASON_SYSTEM_FAIL 1

struct sbiret {
	long error;
	long value;
};

/*
 * One call: extension @ext, function @fid, up to three arguments. The firmware
 * keeps every register but a0 and a1 (chapter 3). Context: any.
 */
static __always_inline struct sbiret sbi_ecall(unsigned long ext, unsigned long fid,
					       unsigned long arg0, unsigned long arg1,
					       unsigned long arg2)
{
	register unsigned long a0 __asm__("a0") = arg0;
	register unsigned long a1 __asm__("a1") = arg1;
	register unsigned long a2 __asm__("a2") = arg2;
	register unsigned long a6 __asm__("a6") = fid;
	register unsigned long a7 __asm__("a7") = ext;

	__asm__ __volatile__("ecall" : "+r"(a0), "+r"(a1) : "r"(a2), "r"(a6), "r"(a7) : "memory");
	return (struct sbiret){ .error = a0, .value = a1 };
}

/*
 * Print one character (5.2). The legacy calls take their number in a7 alone.
 * Return: 0, or a firmware-specific negative error.
 */
static __always_inline long sbi_legacy_putchar(u8 c)
{
	register unsigned long a0 __asm__("a0") = c;
	register unsigned long a7 __asm__("a7") = SBI_EXT_LEGACY_PUTCHAR;

	__asm__ __volatile__("ecall" : "+r"(a0) : "r"(a7) : "memory");
	return a0;
}

/* Switch the machine off (5.8). Returns only where firmware cannot. */
static __always_inline void sbi_legacy_shutdown(void)
{
	register unsigned long a0 __asm__("a0");
	register unsigned long a7 __asm__("a7") = SBI_EXT_LEGACY_SHUTDOWN;

	__asm__ __volatile__("ecall" : "=r"(a0) : "r"(a7) : "memory");
}

/*
 * Print @len bytes at physical address @pa (12.1). Firmware may take fewer.
 * Return: error and number of bytes written.
 */
static __always_inline struct sbiret sbi_debug_console_write(phys_addr_t pa, size_t len)
{
	return sbi_ecall(SBI_EXT_DBCN, SBI_DBCN_WRITE, len, pa, 0);
}

/* Interrupt this hart when the time counter reaches @ticks (6.1). */
static __always_inline void sbi_set_timer(u64 ticks)
{
	sbi_ecall(SBI_EXT_TIME, SBI_TIME_SET_TIMER, ticks, 0, 0);
}

/* Send a software interrupt to hart @hartid (7.1). */
static __always_inline void sbi_send_ipi(unsigned long hartid)
{
	sbi_ecall(SBI_EXT_IPI, SBI_IPI_SEND, 1, hartid, 0);
}

/*
 * Have the harts @base + n, where bit n of @mask is set, do the fence @fid (8.1,
 * 8.2), for [@start, @start + @size). A base of -1 means all harts. Return: 0,
 * or an SBI error.
 */
static __always_inline long sbi_remote_fence(unsigned long fid, unsigned long mask,
					     unsigned long base, unsigned long start,
					     unsigned long size)
{
	register unsigned long a0 __asm__("a0") = mask;
	register unsigned long a1 __asm__("a1") = base;
	register unsigned long a2 __asm__("a2") = start;
	register unsigned long a3 __asm__("a3") = size;
	register unsigned long a6 __asm__("a6") = fid;
	register unsigned long a7 __asm__("a7") = SBI_EXT_RFENCE;

	__asm__ __volatile__("ecall"
			     : "+r"(a0), "+r"(a1)
			     : "r"(a2), "r"(a3), "r"(a6), "r"(a7)
			     : "memory");
	return (long)a0;
}

/*
 * Have all harts do sfence.vma for [@start, @start + @size) (8.2). A base of -1
 * means all of them.
 */
static __always_inline void sbi_remote_sfence_vma(unsigned long start, unsigned long size)
{
	register unsigned long a0 __asm__("a0") = 0;
	register unsigned long a1 __asm__("a1") = -1UL;
	register unsigned long a2 __asm__("a2") = start;
	register unsigned long a3 __asm__("a3") = size;
	register unsigned long a6 __asm__("a6") = SBI_RFENCE_SFENCE_VMA;
	register unsigned long a7 __asm__("a7") = SBI_EXT_RFENCE;

	__asm__ __volatile__("ecall"
			     : "+r"(a0), "+r"(a1)
			     : "r"(a2), "r"(a3), "r"(a6), "r"(a7)
			     : "memory");
}

/*
 * Start hart @hartid at physical address @entry, with its own number in a0 and
 * @opaque in a1 (9.1). Return: 0, or an SBI error.
 */
static __always_inline long sbi_hart_start(unsigned long hartid, phys_addr_t entry,
					   unsigned long opaque)
{
	return sbi_ecall(SBI_EXT_HSM, SBI_HSM_START, hartid, entry, opaque).error;
}

/*
 * Shut down or reboot (10.1). @type: SBI_SRST_TYPE_..., @reason: SBI_SRST_REASON_...
 * Returns only where firmware cannot.
 */
static __always_inline void sbi_system_reset(u32 type, u32 reason)
{
	sbi_ecall(SBI_EXT_SRST, SBI_SRST_RESET, type, reason, 0);
}

#endif
