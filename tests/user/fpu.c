// SPDX-License-Identifier: MIT
/* Floating-point registers belong to each thread, and nobody else sees them. */
#include "ktap.h"
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define EACH(op)                                                                                   \
	op(0) op(1) op(2) op(3) op(4) op(5) op(6) op(7) op(8) op(9) op(10) op(11) op(12) op(13)    \
		op(14) op(15) op(16) op(17) op(18) op(19) op(20) op(21) op(22) op(23) op(24)       \
			op(25) op(26) op(27) op(28) op(29) op(30) op(31)

#define SET(n)	"fmv.d.x f" #n ", %0\n addi %0, %0, 1\n"
#define GET(n)	"fsd f" #n ", 8*" #n "(%0)\n"
#define GET2(n) "fsd f" #n ", 8*" #n "(%2)\n"

#define ALL_FP                                                                                     \
	"ft0", "ft1", "ft2", "ft3", "ft4", "ft5", "ft6", "ft7", "fs0", "fs1", "fa0", "fa1", "fa2", \
		"fa3", "fa4", "fa5", "fa6", "fa7", "fs2", "fs3", "fs4", "fs5", "fs6", "fs7",       \
		"fs8", "fs9", "fs10", "fs11", "ft8", "ft9", "ft10", "ft11"

/* Fill all registers with numbers from @first on, make call @nr, and count those that changed. */
static __attribute__((noinline)) size_t changed_by_call(unsigned long first, long nr, long a0)
{
	unsigned long regs[32];
	unsigned long value = first;
	register long r0 __asm__("a0") = a0;
	register long r1 __asm__("a1") = 0;
	register long call __asm__("a7") = nr;
	register void *to __asm__("s2") = regs;
	size_t wrong = 0;

	__asm__ __volatile__(EACH(SET) : "+r"(value) : : ALL_FP);
	__asm__ __volatile__("ecall" : "+r"(r0) : "r"(call), "r"(r1) : "memory");
	__asm__ __volatile__(EACH(GET) : : "r"(to) : "memory");
	for (size_t i = 0; i < 32; i++)
		wrong += regs[i] != first + i;
	return wrong;
}

static unsigned long fcsr(void)
{
	unsigned long value;

	__asm__ __volatile__("frcsr %0" : "=r"(value));
	return value;
}

TEST(kept_across_calls)
{
	struct timespec time = { 0, 1000000 };

	EXPECT_EQ(changed_by_call(100, SYS_getpid, 0), 0);
	EXPECT_EQ(changed_by_call(200, SYS_sched_yield, 0), 0);
	EXPECT_EQ(changed_by_call(300, SYS_nanosleep, (long)&time), 0);
	EXPECT_EQ(changed_by_call(400, 12345, 0), 0);
}

TEST(kept_across_faults)
{
	unsigned long regs[32], value = 1000;
	volatile char *p = private_pages(100);
	size_t wrong = 0;

	__asm__ __volatile__(EACH(SET) : "+r"(value) : : ALL_FP);
	for (int i = 0; i < 100; i++)
		p[i * (int)PAGE] = 1;
	__asm__ __volatile__(EACH(GET) : : "r"(regs) : "memory");
	for (size_t i = 0; i < 32; i++)
		wrong += regs[i] != 1000 + i;
	EXPECT_EQ(wrong, 0);
}

TEST(kept_by_many_processes)
{
	/* Each has numbers of its own, and all take turns. */
	enum {
		N = 8
	};
	int status;

	for (unsigned long id = 0; id < N; id++) {
		pid_t pid = fork();

		if (!pid) {
			for (unsigned long i = 0; i < 300; i++)
				if (changed_by_call(id << 32 | i << 8, SYS_sched_yield, 0))
					_exit(1);
			_exit(0);
		}
		ASSERT(pid > 0);
	}
	for (int i = 0; i < N; i++) {
		EXPECT(sys(SYS_wait4, -1, &status, 0, NULL) > 0);
		EXPECT_EQ(status, 0);
	}
}

/* The same without system calls: it is the timer that takes the hart away. */
static size_t changed_by_loop(unsigned long first, long rounds)
{
	unsigned long regs[32], value = first;
	register void *to __asm__("s2") = regs;
	size_t wrong = 0;

	__asm__ __volatile__(EACH(SET) "1: addi %1, %1, -1\n bnez %1, 1b\n" EACH(GET2)
			     : "+r"(value), "+r"(rounds)
			     : "r"(to)
			     : "memory", ALL_FP);
	for (size_t i = 0; i < 32; i++)
		wrong += regs[i] != first + i;
	return wrong;
}

TEST(kept_across_preemption)
{
	enum {
		N = 6
	};
	int status;

	for (unsigned long id = 0; id < N; id++) {
		pid_t pid = fork();

		if (!pid)
			_exit(changed_by_loop(id << 32, 30000000) != 0);
		ASSERT(pid > 0);
	}
	for (int i = 0; i < N; i++) {
		EXPECT(sys(SYS_wait4, -1, &status, 0, NULL) > 0);
		EXPECT_EQ(status, 0);
	}
}

/* A fork as a bare system call, with all registers filled: the child has the same. */
TEST(copied_by_fork)
{
	unsigned long regs[32], value = 5000;
	register long r0 __asm__("a0") = 17; /* SIGCHLD */
	register long r1 __asm__("a1") = 0;
	register long nr __asm__("a7") = SYS_clone;
	register void *to __asm__("s2") = regs;
	size_t wrong = 0;
	int status;

	__asm__ __volatile__("fsrm %0" : : "r"(3UL));
	__asm__ __volatile__(EACH(SET) : "+r"(value) : : ALL_FP);
	__asm__ __volatile__("ecall" : "+r"(r0) : "r"(nr), "r"(r1) : "memory");
	__asm__ __volatile__(EACH(GET) : : "r"(to) : "memory");
	for (size_t i = 0; i < 32; i++)
		wrong += regs[i] != 5000 + i;
	wrong += (fcsr() >> 5) != 3;
	if (!r0)
		sys(SYS_exit_group, wrong);
	ASSERT(r0 > 0);
	EXPECT_EQ(wrong, 0);
	EXPECT_EQ(sys(SYS_wait4, r0, &status, 0, NULL), r0);
	EXPECT_EQ(status, 0);
}

TEST(rounding_mode_is_ones_own)
{
	int status;
	pid_t pid;

	__asm__ __volatile__("fsrm %0" : : "r"(1UL));
	pid = fork();
	if (!pid) {
		__asm__ __volatile__("fsrm %0" : : "r"(2UL));
		sched_yield();
		_exit(fcsr() >> 5 != 2);
	}
	ASSERT(pid > 0);
	EXPECT_EQ(sys(SYS_wait4, pid, &status, 0, NULL), pid);
	EXPECT_EQ(status, 0);
	EXPECT_EQ(fcsr() >> 5, 1);
}

/* Run by exec: what does a program begin with? musl's start touches none. */
CHILD_ROLE(fresh)
{
	unsigned long regs[32], wrong = 0;

	(void)argc;
	(void)argv;
	__asm__ __volatile__(EACH(GET) : : "r"(regs) : "memory");
	for (size_t i = 0; i < 32; i++)
		wrong += regs[i] != 0;
	wrong += fcsr() != 0;
	return (int)wrong;
}

TEST(zero_after_exec)
{
	char *argv[] = { (char *)self_path(), (char *)"--fresh", NULL };
	unsigned long value = 7000;
	int status;
	pid_t pid;

	if (on_qemu_user())
		SKIP("qemu-user cannot exec");
	pid = fork();
	if (!pid) {
		__asm__ __volatile__("fsrm %0" : : "r"(1UL));
		__asm__ __volatile__(EACH(SET) : "+r"(value) : : ALL_FP);
		sys(SYS_execve, argv[0], argv, NULL);
		_exit(99);
	}
	ASSERT(pid > 0);
	EXPECT_EQ(sys(SYS_wait4, pid, &status, 0, NULL), pid);
	EXPECT_EQ(status, 0);
}

TEST(hwcap)
{
	/* A, C, D, F, I, M: what these programs are compiled for */
	unsigned long wanted = 0;

	for (const char *c = "acdfim"; *c; c++)
		wanted |= 1UL << (*c - 'a');
	EXPECT_EQ(getauxval(AT_HWCAP) & wanted, wanted);
}

TEST(arithmetic)
{
	volatile double third = 1.0 / 3, sum = 0;
	char text[40];

	for (int i = 0; i < 3; i++)
		sum += third;
	EXPECT(sum == 1.0);
	snprintf(text, sizeof(text), "%.10f", third);
	EXPECT(!strcmp(text, "0.3333333333"));
}
