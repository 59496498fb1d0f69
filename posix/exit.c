// SPDX-License-Identifier: MIT
/*
 * How threads and processes end. The last thread gives back all that the process
 * has, and only then is it a zombie: who has waited for it finds the memory free.
 */
#include "file.h"
#include "futex.h"
#include "message.h"
#include "process.h"
#include "syscall.h"
#include <ahoy/compiler.h>
#include <ahoy/kconfig.h>

/* --- other tasks of a process --------------------------------------------------------- */

static void notify_others(struct process *process)
{
	struct task *task, *next;

	list_for_each_entry_safe(task, next, &process->tasks,
				 link) if (task != current_task() && task->thread)
		thread_notify(task->thread);
}

void process_end(struct process *process, u32 status)
{
	if (process->ending)
		return;
	WRITE_ONCE(process->ending, true);
	process->status = status;
	notify_others(process);
}

int process_single_out(void)
{
	struct task *self = current_task();
	struct process *process = self->process;
	u32 events;

	if (__atomic_load_n(&process->task_count, __ATOMIC_ACQUIRE) == 1 &&
	    !READ_ONCE(process->ending))
		return 0;
	lock(&processes_lock);
	if (process->ending || process->successor) {
		unlock(&processes_lock);
		return -EAGAIN;
	}
	WRITE_ONCE(process->successor, self);
	notify_others(process);
	while (process->task_count > 1) {
		events = process->task_events;
		unlock(&processes_lock);
		wait_on(&process->task_events, events, TIME_NEVER);
		lock(&processes_lock);
	}
	WRITE_ONCE(process->successor, NULL);
	/* The one that is left is the process, by its number too. */
	task_take_pid(self);
	unlock(&processes_lock);
	return READ_ONCE(process->ending) ? -EAGAIN : 0;
}

/* --- the end of a task ------------------------------------------------------------------ */

void vfork_done(struct task *task)
{
	struct vfork *vfork = task->vfork;

	if (!vfork)
		return;
	task->vfork = NULL;
	__atomic_store_n(&vfork->busy, 0, __ATOMIC_RELEASE);
	wake(&vfork->busy, 1);
	vfork_put(vfork);
}

void vfork_put(struct vfork *vfork)
{
	if (!__atomic_sub_fetch(&vfork->users, 1, __ATOMIC_ACQ_REL))
		kfree(vfork);
}

/* Tell those who share its memory that it is gone. */
static void clear_tid(struct task *task)
{
	static const unsigned int zero;

	if (!task->clear_child_tid)
		return;
	/* Nobody can be told if that is no memory. */
	if (copy_to_user(task->clear_child_tid, &zero, sizeof(zero)))
		return;
	futex_wake(task->clear_child_tid, 1);
}

/* Children get a parent that lives; zombies among them may be news to it. processes_lock held. */
static void leave_children(struct process *process)
{
	struct process *child, *next;

	list_for_each_entry_safe(child, next, &process->children, sibling)
	{
		list_del(&child->sibling);
		child->parent = first_process;
		WRITE_ONCE(child->ppid, first_process->pid);
		list_add_tail(&child->sibling, &first_process->children);
		child->exit_signal = SIGCHLD;
		if (child->zombie)
			process_tell_parent(child);
	}
}

/* Does nobody want to know how a child ended? */
static bool reaps_itself(const struct process *parent, unsigned int exit_signal)
{
	return exit_signal == SIGCHLD &&
	       (parent->signals.reap_children || parent->signals.ignored & SIG_BIT(SIGCHLD));
}

void process_tell_parent(struct process *process)
{
	struct process *parent = process->parent;

	if (reaps_itself(parent, process->exit_signal))
		process_reap(process);
	else if (process->exit_signal)
		signal_process(parent, process->exit_signal);
	parent->child_events++;
	wake(&parent->child_events, UINT_MAX);
}

static void __noreturn first_process_ends(u32 status)
{
	unsigned int signal = status & 0x7f;

	if (signal)
		message("process 1 was ended by signal %u\n", signal);
	user_space_end((int)(signal ? 128 + signal : status >> 8));
}

/* The last task: nobody else looks at the process's own things any more. */
static void give_back(struct process *process)
{
	address_space_enter(NULL);
	memory_put(process->memory);
	files_put(process->files);
}

void task_exit(u32 status)
{
	struct task *task = current_task();
	struct process *process = task->process;
	bool last;

	futex_task_ends(task);
	clear_tid(task);
	vfork_done(task);
	lock(&processes_lock);
	last = process->task_count == 1;
	/* A process that nobody ended has the status of the last one. */
	if (!process->ending && last)
		process->status = status;
	/* The only one stays in sight until all is given back: its process is not a zombie yet. */
	if (!last) {
		task_withdraw(task);
		process->task_events++;
		wake(&process->task_events, 1);
	}
	unlock(&processes_lock);
	if (last) {
		if (process == first_process)
			first_process_ends(process->status);
		give_back(process);
		lock(&processes_lock);
		WRITE_ONCE(process->ending, true);
		task_withdraw(task);
		leave_children(process);
		process->zombie = true;
		process_tell_parent(process);
		unlock(&processes_lock);
	}
	set_personality_word(NULL);
	task_free(task);
	user_thread_exit();
}

void process_exit(u32 status)
{
	struct process *process = current_process();

	lock(&processes_lock);
	process_end(process, status);
	status = process->status;
	unlock(&processes_lock);
	task_exit(status);
}

SYSCALL1(093, exit, int, code)
{
	task_exit((u32)(code & 0xff) << 8);
}

SYSCALL1(094, exit_group, int, code)
{
	process_exit((u32)(code & 0xff) << 8);
}

#define REBOOT_MAGIC1	 0xfee1dead
#define REBOOT_RESTART	 0x01234567
#define REBOOT_HALT	 0xcdef0123
#define REBOOT_CAD_ON	 0x89abcdef
#define REBOOT_CAD_OFF	 0
#define REBOOT_POWER_OFF 0x4321fedc

static bool known_magic(unsigned int magic)
{
	/* Birthdays, as Linux has them */
	return magic == 672274793 || magic == 85072278 || magic == 369367448 || magic == 537993216;
}

SYSCALL4(142, reboot, unsigned int, magic1, unsigned int, magic2, unsigned int, command,
	 void __user *, arg)
{
	(void)arg;
	if (magic1 != REBOOT_MAGIC1 || !known_magic(magic2))
		return -EINVAL;
	if (command == REBOOT_CAD_ON || command == REBOOT_CAD_OFF)
		return 0;
	if (command != REBOOT_RESTART && command != REBOOT_HALT && command != REBOOT_POWER_OFF)
		return -EINVAL;
	/* What becomes of the machine is configured. */
	user_space_end(0);
}
