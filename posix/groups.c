// SPDX-License-Identifier: MIT
/* Groups of processes, and sessions. */
#include "process.h"
#include "syscall.h"
#include <ahoy/compiler.h>

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
