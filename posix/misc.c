// SPDX-License-Identifier: MIT
/* Small system calls about the current thread and process. */
#include "process.h"
#include "syscall.h"
#include <ahoy/compiler.h>
#include <ahoy/string.h>

/* --- what is used: nobody counts ---------------------------------------------------------------- */

#define RUSAGE_CHILDREN (-1)
#define RUSAGE_SELF	0
#define RUSAGE_THREAD	1
#define RUSAGE_SIZE	144

SYSCALL2(165, getrusage, int, who, void __user *, usage)
{
	if (who != RUSAGE_CHILDREN && who != RUSAGE_SELF && who != RUSAGE_THREAD)
		return -EINVAL;
	return clear_user(usage, RUSAGE_SIZE);
}

/* What times() counts in, in nanoseconds */
#define TICK 10000000

SYSCALL1(153, times, s64 __user *, times)
{
	if (times && clear_user(times, 4 * sizeof(*times)))
		return -EFAULT;
	return (long)(time_now() / TICK);
}

/* --- prctl --------------------------------------------------------------------------------------------- */

enum prctl_option {
	PR_GET_DUMPABLE = 3,
	PR_SET_DUMPABLE = 4,
	PR_SET_NAME = 15,
	PR_GET_NAME = 16,
};

static long set_name(struct task *task, const char __user *user)
{
	char name[sizeof(task->name)];
	long len = strncpy_from_user(name, user, sizeof(name) - 1);

	if (len < 0)
		return len;
	memset(name + len, 0, sizeof(name) - (size_t)len);
	memcpy(task->name, name, sizeof(name));
	return 0;
}

SYSCALL2(167, prctl, int, option, unsigned long, arg)
{
	struct task *task = current_task();

	switch (option) {
	case PR_SET_NAME:
		return set_name(task, (const char __user *)arg);
	case PR_GET_NAME:
		return copy_to_user((void __user *)arg, task->name, sizeof(task->name));
	case PR_GET_DUMPABLE:
		return 1;
	case PR_SET_DUMPABLE: /* nothing dumps anybody */
		return arg <= 1 ? 0 : -EINVAL;
	default:
		return -EINVAL;
	}
}

/* --- personality() ------------------------------------------------------------------------------------ */

/* There is one: Linux's. */
SYSCALL1(092, personality, unsigned int, persona)
{
	return persona == 0 || persona == ~0u ? 0 : -EINVAL;
}
