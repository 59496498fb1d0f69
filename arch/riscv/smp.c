// SPDX-License-Identifier: MIT
#include <ahoy/compiler.h>
#include <ahoy/errno.h>
#include <ahoy/panic.h>
#include <asm/barrier.h>
#include <asm/csr.h>
#include <asm/page.h>
#include <asm/sbi.h>
#include <asm/smp.h>

extern char secondary_entry[];

BUILD_BUG_ON(offsetof(struct hart_start, satp) != HART_START_SATP);
BUILD_BUG_ON(offsetof(struct hart_start, offset) != HART_START_OFFSET);
BUILD_BUG_ON(offsetof(struct hart_start, sp) != HART_START_SP);
BUILD_BUG_ON(offsetof(struct hart_start, tp) != HART_START_TP);

int hart_start(unsigned long hartid, struct hart_start *start, void *thread, void *stack_top)
{
	*start = (struct hart_start){
		.satp = csr_read(satp),
		.offset = va_pa_offset,
		.sp = (unsigned long)stack_top,
		.tp = (unsigned long)thread,
	};
	mb();
	return sbi_hart_start(hartid, virt_to_phys(secondary_entry), virt_to_phys(start)) ? -EIO
											  : 0;
}

void hart_interrupt(unsigned long hartid)
{
	/* What was written for the other hart is seen before the interrupt. */
	mb();
	sbi_send_ipi(hartid);
}

#ifdef CONFIG_ADDRESS_SPACES
void hart_fence(unsigned long mask, unsigned long base, unsigned long start, unsigned long size)
{
	long error;

	mb();
	error = sbi_remote_fence(SBI_RFENCE_SFENCE_VMA, mask, base, start, size);
	if (error)
		panic("firmware cannot fence other harts: error %ld", error);
}

void hart_fence_code(unsigned long mask, unsigned long base)
{
	long error;

	/* The other harts' fences are for what they see by now (Zifencei). */
	mb();
	error = sbi_remote_fence(SBI_RFENCE_FENCE_I, mask, base, 0, 0);
	if (error)
		panic("firmware cannot fence other harts: error %ld", error);
}
#endif

void hart_accept_interrupts(void)
{
	csr_set(sie, 1UL << IRQ_SOFT);
}
