// SPDX-License-Identifier: MIT
/* What processes may have. */
#include "process.h"
#include "syscall.h"
#include <ahoy/compiler.h>
#include <ahoy/string.h>

void limits_inherit(struct process *process, const struct process *parent)
{
	if (parent) {
		memcpy(process->limits, parent->limits, sizeof(process->limits));
		return;
	}
	for (unsigned int i = 0; i < RLIMITS; i++)
		process->limits[i] = (struct rlimit){ RLIM_INFINITY, RLIM_INFINITY };
	process->limits[RLIMIT_STACK].cur = STACK_LIMIT;
	process->limits[RLIMIT_NOFILE] = (struct rlimit){ NOFILE_LIMIT, 4 * NOFILE_LIMIT };
}

/* Descriptors of a process, at most: no limit of them can be above. */
#define NOFILE_MAX (1U << 20)

/* Read the limit, or set it, of @pid's process. processes_lock held. */
static int exchange(int pid, unsigned int resource, const struct rlimit *new, struct rlimit *old)
{
	struct id *id = pid ? id_find(pid) : current_process()->id;
	struct rlimit *limit;

	if (!id || !id->process)
		return -ESRCH;
	limit = &id->process->limits[resource];
	*old = *limit;
	if (!new)
		return 0;
	if (new->cur > new->max)
		return -EINVAL;
	if (resource == RLIMIT_NOFILE && new->max > NOFILE_MAX)
		return -EPERM;
	/* Each half is read without a lock. */
	WRITE_ONCE(limit->cur, new->cur);
	WRITE_ONCE(limit->max, new->max);
	return 0;
}

SYSCALL4(261, prlimit64, int, pid, unsigned int, resource, const struct rlimit __user *, user_new,
	 struct rlimit __user *, user_old)
{
	struct rlimit new, old;
	int err;

	if (resource >= RLIMITS)
		return -EINVAL;
	if (user_new && copy_from_user(&new, user_new, sizeof(new)))
		return -EFAULT;
	lock(&processes_lock);
	err = exchange(pid, resource, user_new ? &new : NULL, &old);
	unlock(&processes_lock);
	if (!err && user_old)
		err = copy_to_user(user_old, &old, sizeof(old));
	return err;
}

SYSCALL2(163, getrlimit, unsigned int, resource, struct rlimit __user *, limit)
{
	return sys_prlimit64(0, resource, NULL, limit);
}

SYSCALL2(164, setrlimit, unsigned int, resource, const struct rlimit __user *, limit)
{
	struct rlimit new, old;
	int err;

	if (copy_from_user(&new, limit, sizeof(new)))
		return -EFAULT;
	if (resource >= RLIMITS)
		return -EINVAL;
	lock(&processes_lock);
	err = exchange(0, resource, &new, &old);
	unlock(&processes_lock);
	return err;
}
