// SPDX-License-Identifier: MIT
/*
 * System calls about signals. Handlers there are none yet: to set one fails with
 * ENOSYS, so that no program relies on it.
 */
#include "process.h"
#include "syscall.h"
#include <ahoy/compiler.h>

/* --- sending ------------------------------------------------------------------------------ */

/* To one process that exists; a zombie is one. */
static int kill_one(struct process *process, unsigned int signal)
{
	if (signal)
		signal_process(process, signal);
	return 0;
}

static int kill_group(struct id *id, unsigned int signal)
{
	struct process *process, *next;

	if (!id || list_empty(&id->group))
		return -ESRCH;
	list_for_each_entry_safe(process, next, &id->group, group_link) kill_one(process, signal);
	return 0;
}

/* To all but the first process and the current one. */
static int kill_all(unsigned int signal)
{
	struct process *process;
	int err = -ESRCH;

	for (process = process_next(NULL); process; process = process_next(process)) {
		if (process == first_process || process == current_process())
			continue;
		kill_one(process, signal);
		err = 0;
	}
	return err;
}

static int kill_whom(int pid, unsigned int signal)
{
	struct id *id;

	if (pid == -1)
		return kill_all(signal);
	if (pid == 0)
		return kill_group(current_process()->group, signal);
	if (pid < 0)
		return pid == INT_MIN ? -ESRCH : kill_group(id_find(-pid), signal);
	id = id_find(pid);
	/* A thread's number will do for its process. */
	if (id && id->task)
		return kill_one(id->task->process, signal);
	return id && id->process ? kill_one(id->process, signal) : -ESRCH;
}

SYSCALL2(129, kill, int, pid, unsigned int, signal)
{
	int err;

	if (signal > SIGNALS)
		return -EINVAL;
	lock(&processes_lock);
	err = kill_whom(pid, signal);
	unlock(&processes_lock);
	return err;
}

/* To thread @tid; of process @pid, if that is not 0. */
static int kill_thread(int pid, int tid, unsigned int signal)
{
	struct id *id;
	int err = 0;

	if (tid <= 0 || signal > SIGNALS)
		return -EINVAL;
	lock(&processes_lock);
	id = id_find(tid);
	if (!id || !id->task || (pid && id->task->process->pid != pid))
		err = -ESRCH;
	else if (signal)
		signal_task(id->task, signal);
	unlock(&processes_lock);
	return err;
}

SYSCALL2(130, tkill, int, tid, unsigned int, signal)
{
	return kill_thread(0, tid, signal);
}

SYSCALL3(131, tgkill, int, pid, int, tid, unsigned int, signal)
{
	return pid <= 0 ? -EINVAL : kill_thread(pid, tid, signal);
}

/* --- dispositions ------------------------------------------------------------------------- */

/* As programs know it */
struct sigaction {
	unsigned long handler, flags;
	sigset mask;
};

#define SIG_DFL	     0ul
#define SIG_IGN	     1ul
#define SA_NOCLDWAIT 2ul

static struct sigaction action_of(const struct process *process, unsigned int signal)
{
	return (struct sigaction){
		.handler = process->signals.ignored & SIG_BIT(signal) ? SIG_IGN : SIG_DFL,
		.flags = signal == SIGCHLD && process->signals.reap_children ? SA_NOCLDWAIT : 0,
	};
}

/* processes_lock held. */
static void set_action(struct process *process, unsigned int signal, const struct sigaction *action)
{
	if (action->handler == SIG_IGN)
		process->signals.ignored |= SIG_BIT(signal);
	else
		process->signals.ignored &= ~SIG_BIT(signal);
	if (signal == SIGCHLD)
		process->signals.reap_children = action->flags & SA_NOCLDWAIT;
	/* What is pending and ignored by now is taken, and forgotten. */
}

SYSCALL4(134, rt_sigaction, unsigned int, signal, const struct sigaction __user *, user_new,
	 struct sigaction __user *, user_old, size_t, set_size)
{
	struct process *process = current_process();
	struct sigaction new, old;

	if (set_size != sizeof(sigset) || !signal || signal > SIGNALS)
		return -EINVAL;
	if (user_new && copy_from_user(&new, user_new, sizeof(new)))
		return -EFAULT;
	if (user_new && (signal == SIGKILL || signal == SIGSTOP))
		return -EINVAL;
	if (user_new && new.handler != SIG_DFL &&new.handler != SIG_IGN)
		return -ENOSYS;
	lock(&processes_lock);
	old = action_of(process, signal);
	if (user_new)
		set_action(process, signal, &new);
	unlock(&processes_lock);
	return user_old ? copy_to_user(user_old, &old, sizeof(old)) : 0;
}

/* --- masks ---------------------------------------------------------------------------------- */

enum mask_change {
	SIG_BLOCK,
	SIG_UNBLOCK,
	SIG_SETMASK,
};

/* Block @mask from now on; what has arrived and is open now is taken before the program goes on. */
static void set_mask(struct task *task, sigset mask)
{
	sigset opened = task->signals.blocked & ~mask;

	/* Without others there is nothing to read; one that arrives meanwhile notifies. */
	WRITE_ONCE(task->signals.blocked, mask & ~(SIG_BIT(SIGKILL) | SIG_BIT(SIGSTOP)));
	if (!opened)
		return;
	lock(&processes_lock);
	if ((task->signals.pending | task->process->signals.pending) & opened)
		thread_notify(task->thread);
	unlock(&processes_lock);
}

SYSCALL4(135, rt_sigprocmask, int, how, const sigset __user *, user_new, sigset __user *, user_old,
	 size_t, set_size)
{
	struct task *task = current_task();
	sigset old = task->signals.blocked, new;

	if (set_size != sizeof(sigset))
		return -EINVAL;
	if (user_new) {
		if (copy_from_user(&new, user_new, sizeof(new)))
			return -EFAULT;
		if (how == SIG_BLOCK)
			new |= old;
		else if (how == SIG_UNBLOCK)
			new = old & ~new;
		else if (how != SIG_SETMASK)
			return -EINVAL;
		set_mask(task, new);
	}
	return user_old ? copy_to_user(user_old, &old, sizeof(old)) : 0;
}

SYSCALL2(136, rt_sigpending, sigset __user *, user_set, size_t, set_size)
{
	struct task *task = current_task();
	sigset pending;

	if (set_size > sizeof(sigset))
		return -EINVAL;
	lock(&processes_lock);
	pending = (task->signals.pending | task->process->signals.pending) & task->signals.blocked;
	unlock(&processes_lock);
	return copy_to_user(user_set, &pending, set_size);
}

SYSCALL2(133, rt_sigsuspend, const sigset __user *, user_mask, size_t, set_size)
{
	struct task *task = current_task();
	sigset old = task->signals.blocked, mask;
	static const u32 word;

	if (set_size != sizeof(sigset))
		return -EINVAL;
	if (copy_from_user(&mask, user_mask, sizeof(mask)))
		return -EFAULT;
	set_mask(task, mask);
	while (wait_on_interruptible(&word, 0, TIME_NEVER) != -EINTR)
		;
	/* What came is taken with this mask. */
	signal_attend();
	set_mask(task, old);
	return -EINTR;
}
