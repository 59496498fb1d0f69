// SPDX-License-Identifier: MIT
/* Who a process is: its number and its parent's, and those of its threads. */
#include "process.h"
#include "syscall.h"
#include <ahoy/compiler.h>

int process_group(struct process *process)
{
	int nr;

	lock(&processes_lock);
	nr = process->group->nr;
	unlock(&processes_lock);
	return nr;
}

SYSCALL0(172, getpid)
{
	return current_process()->pid;
}

SYSCALL0(173, getppid)
{
	return READ_ONCE(current_process()->ppid);
}

SYSCALL0(178, gettid)
{
	return current_task()->tid;
}

SYSCALL1(096, set_tid_address, unsigned int __user *, address)
{
	struct task *task = current_task();

	task->clear_child_tid = address;
	return task->tid;
}
