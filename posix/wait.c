// SPDX-License-Identifier: MIT
/* Waiting for children */
#include "process.h"
#include "syscall.h"
#include <ahoy/compiler.h>

#define WNOHANG	    1u
#define WUNTRACED   2u /* WSTOPPED of waitid(): nothing stops here */
#define WEXITED	    4u
#define WCONTINUED  8u
#define WNOWAIT	    0x01000000u
#define __WNOTHREAD 0x20000000u
#define __WALL	    0x40000000u
#define __WCLONE    0x80000000u

#define WAIT_ANY (WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD | __WALL | __WCLONE)

enum wait_type {
	P_ALL,
	P_PID,
	P_PGID,
};

/* Whom is waited for, and how */
struct wait {
	enum wait_type type;
	int id;
	unsigned int options;
	/* Who it was, 0: nobody */
	int pid;
	u32 status;
};

/* As programs know it */
struct rusage {
	s64 times[4];
	s64 counts[14];
};

static bool is_wanted(const struct wait *wait, const struct process *child)
{
	if (wait->type == P_PID && child->pid != wait->id)
		return false;
	if (wait->type == P_PGID && child->group->nr != wait->id)
		return false;
	return wait->options & __WALL ||
	       !(wait->options & __WCLONE) == (child->exit_signal == SIGCHLD);
}

/* Find a child that has ended. Return: whether one is there to be waited for. */
static bool look(struct wait *wait, struct process *self)
{
	struct process *child, *next;
	bool found = false;

	list_for_each_entry_safe(child, next, &self->children, sibling)
	{
		if (!is_wanted(wait, child))
			continue;
		found = true;
		if (!child->zombie || !(wait->options & WEXITED))
			continue;
		wait->pid = child->pid;
		wait->status = child->status;
		if (!(wait->options & WNOWAIT))
			process_reap(child);
		break;
	}
	return found;
}

/* Return: 0, -ECHILD, -EINTR. */
static int wait_for(struct wait *wait)
{
	struct process *self = current_process();

	for (;;) {
		bool found;
		u32 events;

		lock(&processes_lock);
		found = look(wait, self);
		events = self->child_events;
		unlock(&processes_lock);
		if (wait->pid)
			return 0;
		if (!found)
			return -ECHILD;
		if (wait->options & WNOHANG)
			return 0;
		if (wait_on_interruptible(&self->child_events, events, TIME_NEVER) == -EINTR)
			return -EINTR;
	}
}

/* Nobody counts what processes use. */
static int put_rusage(struct rusage __user *rusage)
{
	return rusage ? clear_user(rusage, sizeof(*rusage)) : 0;
}

SYSCALL4(260, wait4, int, pid, int __user *, status, unsigned int, options, struct rusage __user *,
	 rusage)
{
	struct wait wait = { .type = P_ALL, .options = options | WEXITED };
	int err;

	if (options & ~WAIT_ANY)
		return -EINVAL;
	if (pid == INT_MIN)
		return -ESRCH;
	if (pid > 0) {
		wait.type = P_PID;
		wait.id = pid;
	} else if (pid != -1) {
		wait.type = P_PGID;
		wait.id = pid ? -pid : process_group(current_process());
	}
	err = wait_for(&wait);
	if (err || !wait.pid)
		return err;
	if (put_rusage(rusage))
		return -EFAULT;
	if (status && copy_to_user(status, &wait.status, sizeof(wait.status)))
		return -EFAULT;
	return wait.pid;
}

/* What waitid() fills in of siginfo_t */
struct wait_info {
	int signal, error, code, pad;
	int pid;
	unsigned int uid;
	int status;
};

#define CLD_EXITED 1
#define CLD_KILLED 2

static struct wait_info info_of(const struct wait *wait)
{
	unsigned int signal = wait->status & 0x7f;

	if (!wait->pid)
		return (struct wait_info){ 0 };
	return (struct wait_info){
		.signal = SIGCHLD,
		.code = signal ? CLD_KILLED : CLD_EXITED,
		.pid = wait->pid,
		.status = (int)(signal ? signal : wait->status >> 8),
	};
}

SYSCALL5(095, waitid, int, type, int, id, struct wait_info __user *, info, unsigned int, options,
	 struct rusage __user *, rusage)
{
	struct wait wait = { .type = (enum wait_type)type, .id = id, .options = options };
	struct wait_info filled;
	int err;

	if (options & ~(WAIT_ANY | WEXITED | WNOWAIT) ||
	    !(options & (WEXITED | WUNTRACED | WCONTINUED)))
		return -EINVAL;
	if (type != P_ALL && type != P_PID && type != P_PGID)
		return -EINVAL;
	if ((type == P_PID && id <= 0) || (type == P_PGID && id < 0))
		return -EINVAL;
	if (type == P_PGID && !id)
		wait.id = process_group(current_process());
	err = wait_for(&wait);
	if (err)
		return err;
	if (wait.pid && put_rusage(rusage))
		return -EFAULT;
	filled = info_of(&wait);
	return info ? copy_to_user(info, &filled, sizeof(filled)) : 0;
}
