// SPDX-License-Identifier: MIT
/* Whose a process is: all are user 0's, of group 0. */
#include "syscall.h"
#include <ahoy/compiler.h>

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
