// SPDX-License-Identifier: MIT
/* Questions to the system, and calls that are not there. */
#include "ktap.h"
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/reboot.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

TEST(uname)
{
	struct utsname name;

	memset(&name, 0xff, sizeof(name));
	EXPECT_EQ(sys(SYS_uname, &name), 0);
	EXPECT(!strcmp(name.machine, "riscv64"));
	EXPECT(strnlen(name.sysname, 65) > 0 && strnlen(name.sysname, 65) < 65);
	EXPECT(strnlen(name.release, 65) > 0 && strnlen(name.release, 65) < 65);
	EXPECT(strnlen(name.nodename, 65) < 65 && strnlen(name.version, 65) < 65);
	EXPECT_BAD(bad_to_write(), sys(SYS_uname, bad), -EFAULT);
	EXPECT_EQ(sys(SYS_uname, before_nothing(100)), -EFAULT);
	EXPECT_EQ(sys(SYS_uname, before_nothing(sizeof(name))), 0);
}

TEST(getrandom)
{
	unsigned char a[500], b[500];
	size_t ones = 0;

	memset(a, 0, sizeof(a));
	memset(b, 0, sizeof(b));
	EXPECT_EQ(sys(SYS_getrandom, a, sizeof(a), 0), sizeof(a));
	EXPECT_EQ(sys(SYS_getrandom, b, sizeof(b), 0), sizeof(b));
	EXPECT(memcmp(a, b, sizeof(a)) != 0);
	for (size_t i = 0; i < sizeof(a); i++)
		ones += (size_t)__builtin_popcount(a[i]);
	/* Of 4,000 bits; 2,000 +- 6 times the deviation */
	EXPECT(ones > 1810 && ones < 2190);
	a[10] = 0x55;
	EXPECT_EQ(sys(SYS_getrandom, a, 10, GRND_NONBLOCK), 10);
	EXPECT_EQ(a[10], 0x55);
	EXPECT_EQ(sys(SYS_getrandom, a, 0, 0), 0);
	EXPECT_EQ(sys(SYS_getrandom, a, 1, 0x100), -EINVAL);
	EXPECT_EQ(sys(SYS_getrandom, a, 1, -1), -EINVAL);
	EXPECT_BAD(bad_to_write(), sys(SYS_getrandom, bad, 16, 0), -EFAULT);
	EXPECT_EQ(sys(SYS_getrandom, private_pages(20), 20 * PAGE, 0), 20 * PAGE);
}

TEST(getrandom_of_children)
{
	/* They do not get the same. */
	unsigned long *told = shared_pages(1);
	int status;

	for (int i = 0; i < 8; i++) {
		pid_t pid = fork();

		if (!pid)
			_exit(sys(SYS_getrandom, &told[i], 8, 0) != 8);
		ASSERT(pid > 0);
		EXPECT_EQ(sys(SYS_wait4, pid, &status, 0, NULL), pid);
		EXPECT_EQ(status, 0);
		for (int j = 0; j < i; j++)
			EXPECT(told[j] != told[i]);
	}
}

TEST(sysinfo)
{
	struct sysinfo info;

	memset(&info, 0xff, sizeof(info));
	EXPECT_EQ(sys(SYS_sysinfo, &info), 0);
	EXPECT(info.mem_unit > 0);
	EXPECT(info.totalram > 0 && info.freeram > 0 && info.freeram <= info.totalram);
	EXPECT(info.uptime < 1UL << 40 && info.procs >= 1);
	/* qemu-riscv64 takes NULL for a question without an answer. */
	EXPECT_BAD(bad_to_write(), on_qemu_user() && !bad ? -EFAULT : sys(SYS_sysinfo, bad),
		   -EFAULT);
}

TEST(uptime)
{
	struct sysinfo info;
	struct timespec time;

	EXPECT_EQ(sys(SYS_sysinfo, &info), 0);
	EXPECT_EQ(sys(SYS_clock_gettime, CLOCK_BOOTTIME, &time), 0);
	EXPECT(labs(time.tv_sec - (long)info.uptime) <= 1);
}

TEST(unknown_calls)
{
	static const long numbers[] = {
		10000,	 600,	  1000000, -1, LONG_MIN, LONG_MAX, (1L << 32) + SYS_getpid,
		INT_MAX, 244 + 10
	};

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		/* qemu-riscv64 takes 32 bits of the number. */
		if (!(on_qemu_user() && (int)numbers[i] == SYS_getpid) &&
		    !EXPECT_EQ(sys(numbers[i], 1, 2, 3, 4, 5, 6), -ENOSYS))
			say("# number %ld", numbers[i]);
}

TEST(sched_yield)
{
	for (int i = 0; i < 1000; i++)
		if (!EXPECT_EQ(sys(SYS_sched_yield), 0))
			break;
}

TEST(users)
{
	/* Whoever it is, it has one number for all purposes. */
	EXPECT_EQ(sys(SYS_getuid), sys(SYS_geteuid));
	EXPECT_EQ(sys(SYS_getgid), sys(SYS_getegid));
	EXPECT(sys(SYS_getuid) >= 0);
}

TEST(reboot_magic)
{
	if (on_qemu_user())
		SKIP("it would be the machine's own");
	EXPECT_EQ(sys(SYS_reboot, 1, 2, RB_POWER_OFF, 0), -EINVAL);
	EXPECT_EQ(sys(SYS_reboot, 0xfee1dead, 1, RB_POWER_OFF, 0), -EINVAL);
	EXPECT_EQ(sys(SYS_reboot, 0xfee1dead, 672274793, 0x7777, 0), -EINVAL);
}
