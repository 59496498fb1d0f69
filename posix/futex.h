/* SPDX-License-Identifier: MIT */
/* Words of a program's memory that threads wait for. */
#ifndef POSIX_FUTEX_H
#define POSIX_FUTEX_H

#include <ahoy/core.h>

struct task;

#ifdef CONFIG_FUTEX
/* Wake up to @n threads of this process that wait for @word. Return: how many there were. */
long futex_wake(unsigned int __user *word, unsigned int n);

/* The current task ends: what it holds of its list of robust futexes is free. */
void futex_task_ends(struct task *task);
#else
static inline long futex_wake(unsigned int __user *word, unsigned int n)
{
	return 0;
}

static inline void futex_task_ends(struct task *task)
{
}
#endif

#endif
