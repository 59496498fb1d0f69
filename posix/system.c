// SPDX-License-Identifier: MIT
/* What the system says of itself. */
#include "file.h"
#include "syscall.h"
#include <ahoy/compiler.h>
#include <ahoy/string.h>

/* --- uname() ------------------------------------------------------------------------------- */

struct utsname {
	char sysname[65], nodename[65], release[65], version[65], machine[65], domainname[65];
};

/*
 * What is spoken is Linux's ABI, and programs choose by these words how they
 * speak: so Linux is what they are told, of a version that has what is here.
 * Whose kernel it is stands behind that.
 */
static const struct utsname names = {
	.sysname = "Linux",
	.nodename = "ahoy",
	.release = "5.15.0-ahoy",
	.version = "Ahoy",
	.machine = "riscv64",
	.domainname = "(none)",
};

SYSCALL1(160, uname, struct utsname __user *, user)
{
	return copy_to_user(user, &names, sizeof(names));
}

/* --- memory and processes ---------------------------------------------------------------------- */

struct sysinfo {
	s64 uptime;
	u64 loads[3];
	u64 totalram, freeram, sharedram, bufferram, totalswap, freeswap;
	u16 procs, pad;
	u64 totalhigh, freehigh;
	u32 mem_unit;
};
BUILD_BUG_ON(sizeof(struct sysinfo) != 112);

SYSCALL1(179, sysinfo, struct sysinfo __user *, user)
{
	struct sysinfo info = { .mem_unit = 1 };
	size_t total, available;

	memory_pages(&total, &available);
	info.uptime = (s64)(time_now() / 1000000000);
	info.totalram = total * USER_PAGE_SIZE;
	info.freeram = available * USER_PAGE_SIZE;
	info.procs = (u16)min_t(unsigned int, task_total(), U16_MAX);
	return copy_to_user(user, &info, sizeof(info));
}

/* --- harts ------------------------------------------------------------------------------------- */

/* Threads run on any hart, and may have moved when the answer arrives: 0 is as good as others. */
SYSCALL3(168, getcpu, unsigned int __user *, cpu, unsigned int __user *, node, void __user *,
	 unused)
{
	(void)unused;
	if (cpu && clear_user(cpu, sizeof(*cpu)))
		return -EFAULT;
	return node ? clear_user(node, sizeof(*node)) : 0;
}

/* As many bytes as sets of harts have in the kernel: for 64 of them */
#define CPU_SET_SIZE 8

static int find_task(int pid)
{
	int err = 0;

	if (!pid)
		return 0;
	lock(&processes_lock);
	if (pid < 0 || !id_find(pid) || !id_find(pid)->task)
		err = -ESRCH;
	unlock(&processes_lock);
	return err;
}

SYSCALL3(123, sched_getaffinity, int, pid, unsigned int, size, void __user *, user)
{
	unsigned int harts = hart_count();
	u64 set = harts < 64 ? (1ULL << harts) - 1 : U64_MAX;
	int err;

	if (size < CPU_SET_SIZE || size % sizeof(long))
		return -EINVAL;
	err = find_task(pid);
	if (err)
		return err;
	return copy_to_user(user, &set, CPU_SET_SIZE) ? -EFAULT : CPU_SET_SIZE;
}
