// SPDX-License-Identifier: MIT
/* Robust futexes: their list is read when the thread ends. */
#include "process.h"
#include "syscall.h"
#include <ahoy/compiler.h>

/* struct robust_list_head */
#define ROBUST_LIST_SIZE 24

SYSCALL2(099, set_robust_list, void __user *, list, size_t, size)
{
	if (size != ROBUST_LIST_SIZE)
		return -EINVAL;
	current_task()->robust_list = list;
	return 0;
}

static int robust_list_of(int tid, void __user **list)
{
	struct task *task = NULL;
	struct id *id;

	lock(&processes_lock);
	id = tid ? id_find(tid) : current_task()->id;
	if (id)
		task = id->task;
	if (task)
		*list = task->robust_list;
	unlock(&processes_lock);
	return task ? 0 : -ESRCH;
}

SYSCALL3(100, get_robust_list, int, tid, void __user *__user *, user_list, size_t __user *,
	 user_size)
{
	const size_t size = ROBUST_LIST_SIZE;
	void __user *list;
	int err = robust_list_of(tid, &list);

	if (!err && (copy_to_user(user_size, &size, sizeof(size)) ||
		     copy_to_user(user_list, &list, sizeof(list))))
		err = -EFAULT;
	return err;
}
