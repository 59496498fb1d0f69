// SPDX-License-Identifier: MIT
/* What the program did that is ended by a signal of its own making. */
#include "message.h"
#include "process.h"

static const char *access_name(unsigned int access)
{
	if (access == VM_WRITE)
		return "write to";
	return access == VM_EXEC ? "execution of" : "read of";
}

void print_user_fault(const struct user_regs *regs, unsigned int signal, unsigned long addr,
		      unsigned int access)
{
	if (signal == SIGSEGV || signal == SIGBUS || signal == SIGKILL)
		message("process %d: signal %u: %s %#lx at pc %#lx, ra %#lx, sp %#lx\n",
			current_process()->pid, signal, access_name(access), addr, regs->pc,
			regs->ra, regs->sp);
	else
		message("process %d: signal %u at pc %#lx (%#lx), ra %#lx, sp %#lx\n",
			current_process()->pid, signal, regs->pc, addr, regs->ra, regs->sp);
}
