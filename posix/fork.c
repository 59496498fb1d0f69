// SPDX-License-Identifier: MIT
/*
 * New processes and threads. A child begins where its parent's system call ends,
 * with 0 as its result.
 */
#include "file.h"
#include "process.h"
#include "syscall.h"
#include <ahoy/compiler.h>
#include <ahoy/string.h>

#define CSIGNAL		     0xffULL
#define CLONE_VM	     0x100ULL
#define CLONE_FS	     0x200ULL
#define CLONE_FILES	     0x400ULL
#define CLONE_SIGHAND	     0x800ULL
#define CLONE_VFORK	     0x4000ULL
#define CLONE_PARENT	     0x8000ULL
#define CLONE_THREAD	     0x10000ULL
#define CLONE_SYSVSEM	     0x40000ULL
#define CLONE_SETTLS	     0x80000ULL
#define CLONE_PARENT_SETTID  0x100000ULL
#define CLONE_CHILD_CLEARTID 0x200000ULL
#define CLONE_DETACHED	     0x400000ULL
#define CLONE_UNTRACED	     0x800000ULL
#define CLONE_CHILD_SETTID   0x1000000ULL
#define CLONE_IO	     0x80000000ULL

/* What can be shared, or asked for; the rest would be namespaces, tracing, descriptors of processes. */
#define CLONE_KNOWN                                                                                \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_VFORK | CLONE_PARENT |          \
	 CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID |                       \
	 CLONE_CHILD_CLEARTID | CLONE_DETACHED | CLONE_UNTRACED | CLONE_CHILD_SETTID | CLONE_IO)

/* What all threads of a process share here */
#define CLONE_OF_THREADS (CLONE_VM | CLONE_FILES | CLONE_SIGHAND)

/* What is to be made; the order is that of clone3(). */
struct clone_args {
	u64 flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	u64 set_tid, set_tid_size, cgroup;
};

/* --- parts -------------------------------------------------------------------------- */

static int check_flags(const struct clone_args *args)
{
	u64 flags = args->flags;

	if (flags & ~CLONE_KNOWN || args->exit_signal > SIGNALS)
		return -EINVAL;
	if (flags & CLONE_SIGHAND && !(flags & CLONE_THREAD))
		return -EINVAL;
	if (flags & CLONE_THREAD && (flags & CLONE_OF_THREADS) != CLONE_OF_THREADS)
		return -EINVAL;
	/* Who would be the parent of the first process's sister? */
	if (flags & CLONE_PARENT && (flags & CLONE_THREAD || current_process() == first_process))
		return -EINVAL;
	return 0;
}

/* Give @child memory and descriptors. Return: 0, -ENOMEM. */
static int share(struct process *child, u64 flags)
{
	struct process *parent = current_process();

	if (flags & CLONE_VM) {
		__atomic_add_fetch(&parent->memory->users, 1, __ATOMIC_RELAXED);
		child->memory = parent->memory;
	} else {
		child->memory = memory_clone(parent->memory);
	}
	if (!child->memory)
		return -ENOMEM;
	if (flags & CLONE_FILES) {
		files_get(parent->files);
		child->files = parent->files;
	} else {
		child->files = files_clone(parent->files);
	}
	if (child->files)
		return 0;
	memory_put(child->memory);
	return -ENOMEM;
}

/* The first task of a new process, with what flags say. Return: NULL without memory. */
static struct task *new_process(const struct clone_args *args)
{
	struct process *parent = current_process(), *child;
	struct task *task;

	child = process_create(parent, &task);
	if (!child)
		return NULL;
	child->exit_signal = (unsigned int)args->exit_signal;
	if (!share(child, args->flags))
		return task;
	process_discard(child, task);
	return NULL;
}

/* Undo new_process(), or the task alone. */
static void discard(struct task *task)
{
	struct process *process = task->process;

	if (process == current_process()) {
		task_discard(task);
		return;
	}
	memory_put(process->memory);
	files_put(process->files);
	process_discard(process, task);
}

static struct vfork *vfork_create(void)
{
	struct vfork *vfork = kmalloc(sizeof(*vfork));

	if (vfork)
		*vfork = (struct vfork){ .users = 2, .busy = 1 };
	return vfork;
}

/* Wait until the child has memory of its own, or the current task is to end. */
static void vfork_wait(struct vfork *vfork)
{
	struct task *self = current_task();

	while (__atomic_load_n(&vfork->busy, __ATOMIC_ACQUIRE)) {
		if (wait_on_interruptible(&vfork->busy, 1, TIME_NEVER) != -EINTR)
			continue;
		if (READ_ONCE(self->process->ending) || READ_ONCE(self->process->successor))
			break;
		/* A signal can wait, but there is no waiting for its end. */
		wait_on(&vfork->busy, 1, time_now() + 10000000);
	}
	vfork_put(vfork);
}

/* --- the child begins ------------------------------------------------------------------- */

/* Write the child's number where both want it; its memory is not the current one, perhaps. */
static void write_tid(const struct task *task, const struct clone_args *args)
{
	struct memory *memory = task->process->memory, *own = current_process()->memory;
	int tid = task->tid;

	/* As in Linux nobody is told if it cannot be written. */
	if (args->flags & CLONE_PARENT_SETTID)
		(void)copy_to_user((void __user *)args->parent_tid, &tid, sizeof(tid));
	if (!(args->flags & CLONE_CHILD_SETTID))
		return;
	if (memory != own)
		address_space_enter(memory->space);
	(void)copy_to_user((void __user *)args->child_tid, &tid, sizeof(tid));
	if (memory != own)
		address_space_enter(own->space);
}

static int publish(struct task *task, u64 flags)
{
	int err;

	lock(&processes_lock);
	/* Whose parent may change while nobody holds the lock. */
	if (flags & CLONE_PARENT) {
		task->process->parent = current_process()->parent;
		task->process->exit_signal = current_process()->exit_signal;
	}
	/* A process that is to end, or to have one task, gets no more. */
	if (task->process->ending || task->process->successor)
		err = -EAGAIN;
	else
		err = task_publish(task);
	unlock(&processes_lock);
	return err;
}

/* Undo publish() as well as what was before. */
static void withdraw(struct task *task)
{
	struct process *process = task->process;

	if (process != current_process()) {
		memory_put(process->memory);
		files_put(process->files);
	}
	lock(&processes_lock);
	task_withdraw(task);
	if (process != current_process()) {
		struct process *parent = process->parent;

		process_reap(process);
		/* Another thread may have begun to wait for it. */
		parent->child_events++;
		wake(&parent->child_events, UINT_MAX);
	}
	unlock(&processes_lock);
	task_free(task);
}

/* Let it run. Return: 0, -ENOMEM. It may be gone then. */
static int run(struct task *task, const struct user_regs *regs)
{
	struct process *process = task->process;

	/* Who sends it a signal finds the thread, or is found here. */
	lock(&processes_lock);
	task->thread = user_thread_create(regs, process->memory->space, task);
	if (task->thread && (process->ending || process->successor || process->signals.pending ||
			     task->signals.pending))
		thread_notify(task->thread);
	/* No task is freed while this lock is held. */
	if (task->thread) {
		unlock(&processes_lock);
		return 0;
	}
	unlock(&processes_lock);
	withdraw(task);
	return -ENOMEM;
}

static void child_regs(struct user_regs *child, const struct user_regs *regs,
		       const struct clone_args *args)
{
	*child = *regs;
	child->a0 = 0;
	if (args->stack)
		child->sp = args->stack + args->stack_size;
	if (args->flags & CLONE_SETTLS)
		child->tp = args->tls;
}

/* Return: the child's number, or a negative errno. */
static long clone(const struct clone_args *args, const struct user_regs *parent_regs)
{
	struct vfork *vfork = NULL;
	struct user_regs regs;
	struct task *task;
	int err = check_flags(args), tid;

	if (err)
		return err;
	task = args->flags & CLONE_THREAD ? task_create(current_process()) : new_process(args);
	if (!task)
		return -ENOMEM;
	task->signals.blocked = current_task()->signals.blocked;
	if (args->flags & CLONE_CHILD_CLEARTID)
		task->clear_child_tid = (unsigned int __user *)args->child_tid;
	if (args->flags & CLONE_VFORK) {
		vfork = vfork_create();
		task->vfork = vfork;
	}
	err = args->flags & CLONE_VFORK && !vfork ? -ENOMEM : publish(task, args->flags);
	if (err) {
		kfree(vfork);
		discard(task);
		return err;
	}
	tid = task->tid;
	write_tid(task, args);
	child_regs(&regs, parent_regs, args);
	err = run(task, &regs);
	if (err) {
		kfree(vfork);
		return err;
	}
	if (vfork)
		vfork_wait(vfork);
	return tid;
}

/* --- system calls ------------------------------------------------------------------------- */

SYSCALL_REGS(5, 220, clone)
{
	struct clone_args args = {
		.flags = regs->a0 & 0xffffffff & ~CSIGNAL,
		.exit_signal = regs->a0 & CSIGNAL,
		.stack = regs->a1,
		.parent_tid = regs->a2,
		.tls = regs->a3,
		.child_tid = regs->a4,
	};

	regs->a0 = (unsigned long)clone(&args, regs);
}

/* The sizes that this structure has had, from the first one on */
#define CLONE_ARGS_SIZE_MIN 64

/* A structure of the program's that may be shorter, or longer with zeroes only. */
static int get_args(struct clone_args *args, const void __user *user, size_t size)
{
	size_t known = min(size, sizeof(*args));
	u8 byte;

	if (size < CLONE_ARGS_SIZE_MIN)
		return -EINVAL;
	if (size > USER_PAGE_SIZE)
		return -E2BIG;
	memset(args, 0, sizeof(*args));
	for (size_t i = known; i < size; i++) {
		if (copy_from_user(&byte, (const u8 __user *)user + i, 1))
			return -EFAULT;
		if (byte)
			return -E2BIG;
	}
	return copy_from_user(args, user, known);
}

static int check_args(const struct clone_args *args)
{
	if (args->exit_signal & ~CSIGNAL || args->flags & (CSIGNAL | CLONE_DETACHED) ||
	    args->set_tid || args->set_tid_size || args->cgroup)
		return -EINVAL;
	if (args->flags & (CLONE_THREAD | CLONE_PARENT) && args->exit_signal)
		return -EINVAL;
	return !args->stack == !args->stack_size ? 0 : -EINVAL;
}

SYSCALL_REGS(2, 435, clone3)
{
	struct clone_args args;
	long result = get_args(&args, (const void __user *)regs->a0, regs->a1);

	if (!result)
		result = check_args(&args);
	if (!result)
		result = clone(&args, regs);
	regs->a0 = (unsigned long)result;
}
