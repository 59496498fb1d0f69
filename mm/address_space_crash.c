// SPDX-License-Identifier: MIT
/* Mistakes with user memory that end in a report. */
#include <ahoy/address_space.h>
#include <ahoy/compiler.h>
#include <ahoy/crash.h>
#include <ahoy/panic.h>
#include <asm/page.h>
#include <asm/tlb_model.h>
#include <asm/uaccess.h>

#define ADDR 0x10000000UL

/* A page of user memory that the thread may read and write, by copying. */
static struct address_space *enter_user(void)
{
	struct address_space *space = address_space_create();
	unsigned long addr = ADDR;

	if (!space || address_space_map(space, &addr, PAGE_SIZE, NULL, 0, VM_READ | VM_WRITE))
		panic("crash: no memory");
	address_space_enter(space);
	if (clear_user((void __user __force *)ADDR, 8))
		panic("crash: no user memory");
	return space;
}

/* It is there, but not for the kernel. */
static void crash_user(void)
{
	enter_user();
	*(volatile unsigned long *)ADDR = 1;
}
CRASH_WAY(user, "user", crash_user);

/* The kernel's own side of a copy is no business of the exception table. */
static void crash_user_copy(void)
{
	const void *nowhere = (const void *)(VMALLOC_END - PAGE_SIZE);

	enter_user();
	OPTIMIZER_HIDE_VAR(nowhere);
	(void)copy_to_user((void __user __force *)ADDR, nowhere, 8);
}
CRASH_WAY(user_copy, "user-copy", crash_user_copy);

#ifdef CONFIG_DEBUG_TLB
static void crash_user_fence(void)
{
	struct address_space *space = enter_user();

	tlb_model_test(true, false);
	(void)address_space_unmap(space, ADDR, PAGE_SIZE);
}
CRASH_WAY(user_fence, "user-fence", crash_user_fence);
#endif
