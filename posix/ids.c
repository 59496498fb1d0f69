// SPDX-License-Identifier: MIT
/*
 * Who a process is: its number, its parent's, its group and session. All are
 * user 0, of group 0.
 */
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

/* --- groups and sessions ---------------------------------------------------------------- */

/* The process with number @pid, 0: the current one; NULL if there is none. processes_lock held. */
static struct process *process_of(int pid)
{
	struct id *id = pid ? id_find(pid) : NULL;

	if (!pid)
		return current_process();
	return id ? id->process : NULL;
}

static long group_of(int pid, bool session)
{
	struct process *process;
	long nr = -ESRCH;

	lock(&processes_lock);
	process = process_of(pid);
	if (process)
		nr = session ? process->session->nr : process->group->nr;
	unlock(&processes_lock);
	return nr;
}

SYSCALL1(155, getpgid, int, pid)
{
	return group_of(pid, false);
}

SYSCALL1(156, getsid, int, pid)
{
	return group_of(pid, true);
}

/* POSIX, setpgid(). processes_lock held. */
static int set_group(int pid, int group)
{
	struct process *self = current_process(), *process = process_of(pid);
	struct id *id;

	if (!process || (process != self && process->parent != self))
		return -ESRCH;
	if (process != self && process->session != self->session)
		return -EPERM;
	if (process != self && process->executed)
		return -EACCES;
	/* The leader of a session stays that. */
	if (process->session == process->id)
		return -EPERM;
	id = group ? id_find(group) : process->id;
	if (id != process->id) {
		struct process *member;

		if (!id || list_empty(&id->group))
			return -EPERM;
		member = list_first_entry(&id->group, struct process, group_link);
		if (member->session != self->session)
			return -EPERM;
	}
	if (id != process->group)
		process_set_group(process, id);
	return 0;
}

SYSCALL2(154, setpgid, int, pid, int, group)
{
	int err;

	if (group < 0)
		return -EINVAL;
	lock(&processes_lock);
	err = set_group(pid, group);
	unlock(&processes_lock);
	return err;
}

SYSCALL0(157, setsid)
{
	struct process *self = current_process();
	long result = -EPERM;

	lock(&processes_lock);
	if (list_empty(&self->id->group)) {
		process_set_group(self, self->id);
		process_set_session(self, self->id);
		result = self->pid;
	}
	unlock(&processes_lock);
	return result;
}

/* --- users ---------------------------------------------------------------------------- */

SYSCALL0(174, getuid)
{
	return 0;
}

SYSCALL0(175, geteuid)
{
	return 0;
}

SYSCALL0(176, getgid)
{
	return 0;
}

SYSCALL0(177, getegid)
{
	return 0;
}

/* -1 changes nothing; another user there is none. */
static long known(unsigned int a, unsigned int b, unsigned int c)
{
	return a + 1 <= 1 && b + 1 <= 1 && c + 1 <= 1 ? 0 : -EINVAL;
}

SYSCALL1(144, setgid, unsigned int, gid)
{
	return gid ? -EINVAL : 0;
}

SYSCALL1(146, setuid, unsigned int, uid)
{
	return uid ? -EINVAL : 0;
}

SYSCALL2(143, setregid, unsigned int, real, unsigned int, effective)
{
	return known(real, effective, 0);
}

SYSCALL2(145, setreuid, unsigned int, real, unsigned int, effective)
{
	return known(real, effective, 0);
}

SYSCALL3(147, setresuid, unsigned int, real, unsigned int, effective, unsigned int, saved)
{
	return known(real, effective, saved);
}

SYSCALL3(149, setresgid, unsigned int, real, unsigned int, effective, unsigned int, saved)
{
	return known(real, effective, saved);
}

static long put_three(unsigned int __user *a, unsigned int __user *b, unsigned int __user *c)
{
	return clear_user(a, 4) || clear_user(b, 4) || clear_user(c, 4) ? -EFAULT : 0;
}

SYSCALL3(148, getresuid, unsigned int __user *, real, unsigned int __user *, effective,
	 unsigned int __user *, saved)
{
	return put_three(real, effective, saved);
}

SYSCALL3(150, getresgid, unsigned int __user *, real, unsigned int __user *, effective,
	 unsigned int __user *, saved)
{
	return put_three(real, effective, saved);
}

/* Nobody is in further groups. */
SYSCALL2(158, getgroups, int, size, unsigned int __user *, list)
{
	(void)list;
	return size < 0 ? -EINVAL : 0;
}
