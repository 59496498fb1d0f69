// SPDX-License-Identifier: MIT
/* Traps of programs: who is told of what. */
#include <ahoy/errno.h>
#include <ahoy/fault.h>
#include <ahoy/string.h>
#include <ahoy/types.h>
#include <asm/csr.h>
#include <asm/fpu.h>
#include <asm/user.h>
#include <asm/user_paging.h>

BUILD_BUG_ON(offsetof(struct user_frame, regs.t6) != USER_X(31));
BUILD_BUG_ON(offsetof(struct user_frame, status) != USER_STATUS);
BUILD_BUG_ON(offsetof(struct user_frame, thread) != USER_THREAD);
BUILD_BUG_ON(offsetof(struct user_frame, trap_stack) != USER_TRAP_STACK);
BUILD_BUG_ON(offsetof(struct user_frame, tval) != USER_TVAL);
BUILD_BUG_ON(offsetof(struct user_frame, cause) != USER_CAUSE);

/* Exception codes (Privileged Architecture, 10.1.8) */
enum {
	CAUSE_FETCH_MISALIGNED = 0,
	CAUSE_FETCH_ACCESS = 1,
	CAUSE_ILLEGAL = 2,
	CAUSE_BREAKPOINT = 3,
	CAUSE_LOAD_MISALIGNED = 4,
	CAUSE_LOAD_ACCESS = 5,
	CAUSE_STORE_MISALIGNED = 6,
	CAUSE_STORE_ACCESS = 7,
	CAUSE_FETCH_PAGE_FAULT = 12,
	CAUSE_LOAD_PAGE_FAULT = 13,
	CAUSE_STORE_PAGE_FAULT = 15,
};

/* Called by the trap entry alone. */
int user_page_fault(unsigned long addr, unsigned long cause);
void user_trap(struct user_frame *frame, int error);
extern void user_thread_begin(void);

static __always_inline unsigned int access_of(unsigned long cause)
{
	/* Stores, and the atomic instructions, have the highest numbers of their kind. */
	if (likely(cause == CAUSE_STORE_PAGE_FAULT || cause == CAUSE_STORE_ACCESS ||
		   cause == CAUSE_STORE_MISALIGNED))
		return VM_WRITE;
	if (cause == CAUSE_LOAD_PAGE_FAULT || cause == CAUSE_LOAD_ACCESS ||
	    cause == CAUSE_LOAD_MISALIGNED)
		return VM_READ;
	return VM_EXEC;
}

/* Resolve the page fault @cause at @addr. Return: 0 if the program can go on, or why not. */
int user_page_fault(unsigned long addr, unsigned long cause)
{
	return user_fault(addr, access_of(cause));
}

/* Another exception, or a page fault that could not be resolved: @error. */
void user_trap(struct user_frame *frame, int error)
{
	struct user_regs *regs = &frame->regs;
	unsigned long cause = frame->cause, tval = frame->tval;

	switch (cause) {
	case CAUSE_ILLEGAL:
		if (!fpu_first_use(frame))
			personality_fault(regs, USER_FAULT_ILLEGAL, tval, 0, 0);
		break;
	case CAUSE_BREAKPOINT:
		personality_fault(regs, USER_FAULT_BREAKPOINT, regs->pc, 0, 0);
		break;
	case CAUSE_FETCH_MISALIGNED:
	case CAUSE_LOAD_MISALIGNED:
	case CAUSE_STORE_MISALIGNED:
		personality_fault(regs, USER_FAULT_MISALIGNED, tval, access_of(cause), 0);
		break;
	default:
		personality_fault(regs, USER_FAULT_ACCESS, tval, access_of(cause),
				  error ? error : -EIO);
	}
}

void user_frame_init(struct user_frame *frame, struct thread *thread)
{
	/* User mode, of 64 bits, with interrupts enabled from there on */
	frame->status = SSTATUS_UXL_64 | SSTATUS_SPIE;
	if (IS_ENABLED(CONFIG_SMP))
		frame->trap_stack = csr_read(sscratch);
	frame->thread = thread;
	memset(&frame->fpu, 0, sizeof(frame->fpu));
}

void user_thread_frame(struct switch_frame *frame, struct user_frame *user)
{
	*frame = (struct switch_frame){
		.ra = (unsigned long)user_thread_begin,
		.sp = (unsigned long)user,
	};
}

void user_hart_init(void)
{
	csr_write(scounteren, SCOUNTEREN_TM);
}
