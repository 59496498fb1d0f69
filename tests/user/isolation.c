// SPDX-License-Identifier: MIT
/* No process reaches another's memory, nor the kernel's. */
#include "ktap.h"
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RW   (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

/* Where kernels have their text, the linear map, stacks, devices; and what no address is */
static const unsigned long kernel_addresses[] = {
	0xffffffff80000000, 0xffffffff80200000, 0xffffffffc0000000, 0xffffffd800000000,
	0xffffffc000000000, 0xffffffc600000000, 0xffffaf8000000000, 0xff60000000000000,
	0xffff800000000000, 0xffffffd000000000, 0xfffffffffff00000, 0xffffffffffffe000,
	0xffffffffffffffff, 0xffffffffffdff000, 0x8000000000000000, 0x4000000000000000,
	0x0200000000000000, 0x7fffffffffffffff, 0xff00000000000000, 0xffffffff00000000,
};

TEST(kernel_addresses_fault)
{
	for (size_t i = 0; i < ARRAY_SIZE(kernel_addresses); i++) {
		void *p = (void *)kernel_addresses[i];

		if (!EXPECT_EQ(signal_of_load(p), SIGSEGV) ||
		    !EXPECT_EQ(signal_of_store(p), SIGSEGV) ||
		    !EXPECT_EQ(signal_of_jump((void *)((long)p & -4L)), SIGSEGV))
			say("# at %p", p);
	}
}

TEST(every_power_of_two)
{
	for (int bit = 57; bit < 64; bit++)
		EXPECT_EQ(signal_of_load((void *)(1UL << bit)), SIGSEGV);
	for (int bit = 12; bit < 64; bit++)
		if (!EXPECT_EQ(signal_of_load((void *)-(1UL << bit)), SIGSEGV))
			say("# bit %d", bit);
}

TEST(calls_do_not_read_the_kernel)
{
	long null = sys(SYS_openat, AT_FDCWD, "/dev/null", O_WRONLY);
	long zero = sys(SYS_openat, AT_FDCWD, "/dev/zero", O_RDONLY);

	for (size_t i = 0; i < ARRAY_SIZE(kernel_addresses); i++) {
		char *p = (char *)kernel_addresses[i];
		struct iovec iov = { p, 64 };

		EXPECT_EQ(sys(SYS_write, 1, p, 64), -EFAULT);
		EXPECT_EQ(sys(SYS_write, null, p, 64), -EFAULT);
		EXPECT_EQ(sys(SYS_read, zero, p, 64), -EFAULT);
		EXPECT_EQ(sys(SYS_writev, 1, &iov, 1), -EFAULT);
		EXPECT_EQ(sys(SYS_readv, zero, &iov, 1), -EFAULT);
		EXPECT_EQ(sys(SYS_getrandom, p, 64, 0), -EFAULT);
		EXPECT_EQ(sys(SYS_uname, p), -EFAULT);
		EXPECT_EQ(sys(SYS_clock_gettime, CLOCK_MONOTONIC, p), -EFAULT);
	}
}

TEST(calls_stop_at_the_end_of_user_memory)
{
	/* From the program's own memory up into what is not its own */
	char *p = private_pages(1);
	long zero = sys(SYS_openat, AT_FDCWD, "/dev/zero", O_RDONLY);

	EXPECT_EQ(sys(SYS_write, 1, p, -(unsigned long)p), -EFAULT);
	EXPECT_EQ(sys(SYS_read, zero, p, -(unsigned long)p), -EFAULT);
	EXPECT_EQ(sys(SYS_write, 1, p, 0x8000000000000000UL), -EFAULT);
	EXPECT_EQ(sys(SYS_read, zero, p, 0x7fffffffffffffffUL), -EFAULT);
}

TEST(page_zero)
{
	long p;

	for (unsigned long at = 0; at < PAGE; at += 512) {
		EXPECT_EQ(signal_of_load((void *)at), SIGSEGV);
		EXPECT_EQ(signal_of_store((void *)at), SIGSEGV);
		EXPECT_EQ(signal_of_jump((void *)at), SIGSEGV);
	}
	/* Nobody gets it by chance. */
	p = sys(SYS_mmap, 0, PAGE, RW, ANON, -1, 0);
	EXPECT(p > 0);
	/* Linux may give it to who asks for it and is the superuser. */
	if (on_ahoy())
		EXPECT(sys(SYS_mmap, 0, PAGE, RW, ANON | MAP_FIXED, -1, 0) < 0);
}

/* --- the program's own -------------------------------------------------------------------- */

/* Larger than what the linker keeps beside small variables */
static const int constant[64] = { 5 };
static int variable = 5;

TEST(program_segments)
{
	char local;

	EXPECT_EQ(signal_of_store((void *)run_program_segments), SIGSEGV);
	EXPECT_EQ(signal_of_store((void *)constant), SIGSEGV);
	EXPECT_EQ(signal_of_store((void *)&variable), 0);
	EXPECT_EQ(signal_of_jump(&variable), SIGSEGV);
	EXPECT_EQ(signal_of_jump((void *)((long)&local & -4L)), SIGSEGV);
	EXPECT_EQ(signal_of_jump(private_pages(1)), SIGSEGV);
}

/* --- other processes ------------------------------------------------------------------------ */

TEST(same_address_other_memory)
{
	/* Two children with the same address, and both see only their own. */
	volatile int *turn = shared_pages(1);
	volatile int *p = private_pages(1);
	int status;

	*p = 100;
	for (int me = 0; me < 2; me++) {
		pid_t pid = fork();

		if (!pid) {
			int wrong = *p != 100;

			*p = me;
			for (int i = 0; i < 100; i++) {
				while (*turn % 2 != me)
					sys(SYS_sched_yield);
				wrong += *p != me + i * 2;
				*p += 2;
				++*turn;
			}
			_exit(wrong);
		}
		ASSERT(pid > 0);
	}
	for (int i = 0; i < 2; i++) {
		EXPECT(sys(SYS_wait4, -1, &status, 0, NULL) > 0);
		EXPECT_EQ(status, 0);
	}
	EXPECT_EQ(*p, 100);
}

TEST(memory_of_the_dead)
{
	/* What one has left behind nobody finds. */
	enum {
		PAGES = 4096
	};
	int status;

	for (int round = 0; round < 3; round++) {
		pid_t pid = fork();

		if (!pid) {
			unsigned long *p = private_pages(PAGES);

			for (size_t i = 0; i < PAGES * PAGE / 8; i += 8)
				if (p[i] | p[i + 7])
					_exit(1);
			memset(p, 0xa5, PAGES * PAGE);
			_exit(0);
		}
		ASSERT(pid > 0);
		EXPECT_EQ(sys(SYS_wait4, pid, &status, 0, NULL), pid);
		EXPECT_EQ(status, 0);
	}
}

static void use_unmapped(void *arg)
{
	char *p = *(char **)arg;

	EXPECT_EQ(sys(SYS_write, 1, p, 4), -EFAULT);
	*(volatile char *)p = 1;
}

TEST(memory_mapped_after_fork)
{
	char **address = shared_pages(1);
	volatile int *ready = (int *)(address + 1);
	int status;
	pid_t pid = fork();

	if (!pid) {
		while (!*ready)
			sys(SYS_sched_yield);
		_exit(signal_of(use_unmapped, address) != SIGSEGV);
	}
	*address = private_pages(1);
	**address = 77;
	*ready = 1;
	ASSERT(pid > 0);
	EXPECT_EQ(sys(SYS_wait4, pid, &status, 0, NULL), pid);
	EXPECT_EQ(status, 0);
	EXPECT_EQ(**address, 77);
}

/* --- registers that are nothing to rely on --------------------------------------------------- */

/* A call with no stack, no global pointer and no thread pointer: the kernel has its own. */
static long call_with_junk(unsigned long junk)
{
	register long r0 __asm__("a0") = 0;
	register long nr __asm__("a7") = SYS_getpid;
	register unsigned long value __asm__("a1") = junk;

	__asm__ __volatile__("mv s2, sp\n mv s3, gp\n mv s4, tp\n"
			     "mv sp, a1\n mv gp, a1\n mv tp, a1\n"
			     "ecall\n"
			     "mv sp, s2\n mv gp, s3\n mv tp, s4\n"
			     : "+r"(r0)
			     : "r"(nr), "r"(value)
			     : "memory", "s2", "s3", "s4");
	return r0;
}

TEST(junk_in_registers)
{
	EXPECT_EQ(call_with_junk(0), getpid());
	EXPECT_EQ(call_with_junk(1), getpid());
	EXPECT_EQ(call_with_junk(-1UL), getpid());
	for (size_t i = 0; i < ARRAY_SIZE(kernel_addresses); i++)
		EXPECT_EQ(call_with_junk(kernel_addresses[i]), getpid());
}

static void fault_with_junk(void *arg)
{
	__asm__ __volatile__("mv sp, %0\n mv gp, %0\n mv tp, %0\n sd zero, 0(zero)\n"
			     :
			     : "r"(arg)
			     : "memory");
}

TEST(faults_with_junk_in_registers)
{
	/* qemu-riscv64 on its host's stack is not shaken by it, but may not tell the same. */
	EXPECT_EQ(signal_of(fault_with_junk, NULL), SIGSEGV);
	EXPECT_EQ(signal_of(fault_with_junk, (void *)-1L), SIGSEGV);
	for (size_t i = 0; i < ARRAY_SIZE(kernel_addresses); i++)
		EXPECT_EQ(signal_of(fault_with_junk, (void *)kernel_addresses[i]), SIGSEGV);
}

/* --- instructions of the kernel -------------------------------------------------------------- */

#define PRIVILEGED(row)                                                                            \
	row(0, "csrr t0, sstatus") row(1, "csrw sstatus, zero") row(2, "csrr t0, satp")            \
		row(3, "csrw satp, zero") row(4, "csrw stvec, zero") row(5, "csrr t0, mstatus")    \
			row(6, "csrw sie, zero") row(7, "sret") row(8, "mret")                     \
				row(9, "sfence.vma") row(10, "csrw sscratch, zero")

#define FUNCTION(n, text)                                                                          \
	static void privileged_##n(void *arg)                                                      \
	{                                                                                          \
		(void)arg;                                                                         \
		__asm__ __volatile__(text : : : "t0", "memory");                                   \
	}
PRIVILEGED(FUNCTION)

#define ROW(n, text) { privileged_##n, text },

TEST(privileged_instructions)
{
	static const struct {
		void (*fn)(void *arg);
		const char *text;
	} rows[] = { PRIVILEGED(ROW) };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (!EXPECT_EQ(signal_of(rows[i].fn, NULL), SIGILL))
			say("# %s", rows[i].text);
}
