/* SPDX-License-Identifier: MIT */
/*
 * Processes and their threads.
 *
 * A task is a thread of a process; the core's personality word of a thread leads
 * to its task. A process has an address space, descriptors, and after its end a
 * status that its parent waits for.
 */
#ifndef POSIX_PROCESS_H
#define POSIX_PROCESS_H

#include "lock.h"
#include <ahoy/core.h>
#include <ahoy/list.h>

struct files;

struct process {
	int pid;
	struct lock lock;

	/* Under the lock of the process table */
	struct process *parent;
	struct list_head children, sibling;
	struct list_head all;
	u32 status; /* as wait4() tells it, once it is a zombie */
	bool zombie;

	/* Memory: changed by the process's own threads, under lock */
	struct address_space *space;
	unsigned long brk_start, brk;

	struct files *files;
	struct list_head tasks;
};

struct task {
	struct process *process;
	struct thread *thread;
	struct list_head link; /* in process->tasks */
	int tid;
	unsigned int __user *clear_child_tid;
};

static inline struct task *current_task(void)
{
	return personality_word();
}

static inline struct process *current_process(void)
{
	return current_task()->process;
}

#endif
