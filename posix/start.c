// SPDX-License-Identifier: MIT
/* The beginning of all processes */
#include "file.h"
#include "process.h"
#include "syscall.h"
#include <ahoy/errno.h>

int personality_start(const void *initramfs, size_t size, struct user_regs *regs)
{
	struct process *process;
	struct task *task;
	int err = initramfs_init(initramfs, size);

	if (err)
		return err;
	syscall_trace_start();
	process = process_create(NULL, &task);
	if (!process)
		return -ENOMEM;
	first_process = process;
	task->thread = user_thread_self();
	set_personality_word(task);
	lock(&processes_lock);
	err = task_publish(task);
	unlock(&processes_lock);
	if (err)
		return err;
	process->files = files_create();
	return process->files ? exec_first("/init", regs) : -ENOMEM;
}
