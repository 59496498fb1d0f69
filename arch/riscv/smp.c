// SPDX-License-Identifier: MIT
#include <ahoy/compiler.h>
#include <ahoy/errno.h>
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

void hart_accept_interrupts(void)
{
	csr_set(sie, 1UL << IRQ_SOFT);
}
