// SPDX-License-Identifier: MIT
/* User memory: strings, and what becomes of faults on the way. */
#include <ahoy/fault.h>
#include <ahoy/section.h>
#include <asm/csr.h>
#include <asm/irqflags.h>
#include <asm/ptrace.h>
#include <asm/traps.h>
#include <asm/uaccess.h>

/* The instruction at @at may fault; then it goes on at @next. */
struct extable_row {
	unsigned long at, next;
};
LINKER_TABLE(struct extable_row, extable);

/* Exception codes (Privileged Architecture, 10.1.8) */
#define CAUSE_LOAD_PAGE_FAULT  13
#define CAUSE_STORE_PAGE_FAULT 15

static const struct extable_row *find_row(unsigned long pc)
{
	const struct extable_row *row;

	for_each_row(row, extable)
		if (row->at == pc)
			return row;
	return NULL;
}

/* Make the access possible, as the thread that it was made for. Interrupts are as they were. */
static bool resolve(const struct pt_regs *regs)
{
	unsigned int access = regs->cause == CAUSE_STORE_PAGE_FAULT ? VM_WRITE : VM_READ;
	int err;

	if (regs->cause != CAUSE_LOAD_PAGE_FAULT && regs->cause != CAUSE_STORE_PAGE_FAULT)
		return false;
	if (!regs->a3)
		return false;
	if (regs->status & SSTATUS_SPIE)
		local_irq_enable();
	err = user_fault(regs->tval, access);
	local_irq_disable();
	return !err;
}

/* Called by the trap entry alone, with interrupts masked, on the stack of who met the fault. */
void uaccess_fault(struct pt_regs *regs);
void uaccess_fault(struct pt_regs *regs)
{
	const struct extable_row *row = find_row(regs->epc);

	/* The kernel's own side of the copy is no business of the table. */
	if (!row || regs->tval >= user_end)
		trap_report_here(regs);
	if (!resolve(regs))
		regs->epc = row->next;
}

/* --- copies ------------------------------------------------------------------- */

int copy_from_user(void *dst, const void __user *src, size_t n)
{
	might_sleep();
	return user_range(src, n) ? uaccess_copy(dst, (const void __force *)src, n, true) : -EFAULT;
}

int copy_from_user_nofault(void *dst, const void __user *src, size_t n)
{
	return user_range(src, n) ? uaccess_copy(dst, (const void __force *)src, n, false)
				  : -EFAULT;
}

int copy_to_user(void __user *dst, const void *src, size_t n)
{
	might_sleep();
	return user_range(dst, n) ? uaccess_copy((void __force *)dst, src, n, true) : -EFAULT;
}

int copy_to_user_nofault(void __user *dst, const void *src, size_t n)
{
	return user_range(dst, n) ? uaccess_copy((void __force *)dst, src, n, false) : -EFAULT;
}

int clear_user(void __user *dst, size_t n)
{
	might_sleep();
	return user_range(dst, n) ? uaccess_clear((void __force *)dst, n, 0, true) : -EFAULT;
}

int clear_user_nofault(void __user *dst, size_t n)
{
	return user_range(dst, n) ? uaccess_clear((void __force *)dst, n, 0, false) : -EFAULT;
}

/* Up to the end of user memory, which ends what has no NUL before. */
static long copy_string(char *dst, const char __user *src, size_t size, bool sleep)
{
	unsigned long start = (unsigned long)src;
	size_t n = size;
	long len;

	if (!user_range(src, 0))
		return -EFAULT;
	if (n > user_end - start)
		n = user_end - start;
	len = uaccess_string(dst, (const char __force *)src, n, sleep);
	return len == n && n < size ? -EFAULT : len;
}

long strncpy_from_user(char *dst, const char __user *src, size_t size)
{
	might_sleep();
	return copy_string(dst, src, size, true);
}

long strncpy_from_user_nofault(char *dst, const char __user *src, size_t size)
{
	return copy_string(dst, src, size, false);
}
