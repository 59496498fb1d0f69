// SPDX-License-Identifier: MIT
/* Code that a program writes runs as it was written, on every hart. */
#include "ktap.h"
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef SYS_riscv_flush_icache
#define SYS_riscv_flush_icache 259
#endif

typedef int function(void);

/* "li a0, value; ret" at @p */
static void write_function(void *p, int value)
{
	uint32_t code[] = { 0x00000513u | (uint32_t)value << 20, 0x00008067 };

	memcpy(p, code, sizeof(code));
}

static void *code_page(int prot)
{
	void *p = mmap(NULL, PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT(p != MAP_FAILED);
	return p;
}

static int call(void *p)
{
	return ((function *)p)();
}

TEST(new_code)
{
	void *p = code_page(PROT_READ | PROT_WRITE | PROT_EXEC);

	for (int i = 0; i < 500; i++) {
		write_function(p, i);
		ASSERT_EQ(sys(SYS_riscv_flush_icache, p, (char *)p + PAGE, 0), 0);
		if (!EXPECT_EQ(call(p), i))
			break;
	}
}

TEST(flags)
{
	void *p = code_page(PROT_READ | PROT_WRITE | PROT_EXEC);

	/* For this thread only; and the range may be anything. */
	write_function(p, 3);
	EXPECT_EQ(sys(SYS_riscv_flush_icache, p, (char *)p + PAGE, 1), 0);
	EXPECT_EQ(call(p), 3);
	EXPECT_EQ(sys(SYS_riscv_flush_icache, 0, -1, 0), 0);
	EXPECT_EQ(sys(SYS_riscv_flush_icache, 0, 0, 0), 0);
	/* qemu-riscv64 has nothing to do, and does not look. */
	if (!on_qemu_user())
		EXPECT_EQ(sys(SYS_riscv_flush_icache, 0, 0, 2), -EINVAL);
}

TEST(write_then_protect)
{
	for (int i = 0; i < 100; i++) {
		void *p = code_page(PROT_READ | PROT_WRITE);

		write_function(p, i);
		ASSERT_EQ(mprotect(p, PAGE, PROT_READ | PROT_EXEC), 0);
		ASSERT_EQ(sys(SYS_riscv_flush_icache, p, (char *)p + PAGE, 0), 0);
		EXPECT_EQ(call(p), i);
		ASSERT_EQ(munmap(p, PAGE), 0);
	}
}

TEST(not_executable)
{
	void *p = code_page(PROT_READ | PROT_WRITE);
	static char data[64] __attribute__((aligned(64)));
	char stack[64] __attribute__((aligned(64)));

	write_function(p, 1);
	write_function(data, 1);
	write_function(stack, 1);
	EXPECT_EQ(sys(SYS_riscv_flush_icache, 0, 0, 0), 0);
	EXPECT_EQ(signal_of_jump(p), SIGSEGV);
	EXPECT_EQ(signal_of_jump(data), SIGSEGV);
	EXPECT_EQ(signal_of_jump(stack), SIGSEGV);
	ASSERT_EQ(mprotect(p, PAGE, PROT_READ | PROT_EXEC), 0);
	EXPECT_EQ(signal_of_jump(p), 0);
	ASSERT_EQ(mprotect(p, PAGE, PROT_READ), 0);
	EXPECT_EQ(signal_of_jump(p), SIGSEGV);
}

/*
 * Let others go on, who are expected to be done in a moment. Harts are emulated by
 * threads of the host, which may be more than it has processors: those that do
 * nothing but look would keep the one from running that they wait for.
 */
static void wait_a_moment(unsigned int *looks)
{
	static const struct timespec pause = { 0, 50000 };

	if (++*looks % 50 || sys(SYS_nanosleep, &pause, NULL))
		sys(SYS_sched_yield);
}

TEST(across_processes)
{
	/* One writes, others run it: shared memory, perhaps on other harts. */
	enum {
		READERS = 3,
		ROUNDS = 200
	};
	struct {
		volatile int round, failed, done[READERS];
	} *sync = shared_pages(1);
	void *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	unsigned int looks = 0;
	pid_t pids[READERS];
	int status;

	if (on_qemu_user())
		SKIP("a qemu-riscv64 does not know what another one writes");
	ASSERT(p != MAP_FAILED);
	for (int i = 0; i < READERS; i++) {
		pids[i] = fork();
		ASSERT(pids[i] >= 0);
		if (pids[i])
			continue;
		for (int round = 1; round <= ROUNDS; round++) {
			while (sync->round != round) {
				if (sync->failed)
					_exit(1);
				wait_a_moment(&looks);
			}
			/* Each address space has its own fences. */
			sys(SYS_riscv_flush_icache, p, (char *)p + PAGE, 0);
			if (call(p) != round) {
				sync->failed = 1;
				_exit(1);
			}
			sync->done[i] = round;
		}
		_exit(0);
	}
	for (int round = 1; round <= ROUNDS; round++) {
		write_function(p, round);
		sys(SYS_riscv_flush_icache, p, (char *)p + PAGE, 0);
		__atomic_store_n(&sync->round, round, __ATOMIC_RELEASE);
		for (int i = 0; i < READERS; i++)
			while (sync->done[i] != round && !sync->failed)
				wait_a_moment(&looks);
	}
	for (int i = 0; i < READERS; i++) {
		EXPECT_EQ(sys(SYS_wait4, pids[i], &status, 0, NULL), pids[i]);
		EXPECT_EQ(status, 0);
	}
}
