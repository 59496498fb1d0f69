// SPDX-License-Identifier: MIT
/* Processes, threads, programs and memory. */
#include "testing.h"
/* cmocka.h needs those of testing.h before it. */
#include <cmocka.h>

#define SIGCHLD 17

/* What there is of everything is what it was. Threads take a while to go. */
static void check_nothing_lost(struct hosted_counts before)
{
	struct hosted_counts now = hosted_counts();

	for (int i = 0; i < 1000 && now.threads > before.threads; i++) {
		usleep(1000);
		now = hosted_counts();
	}
	CHECK_EQ(now.threads, before.threads);
	CHECK_EQ(now.blocks, before.blocks);
	CHECK_EQ(now.pages, before.pages);
	CHECK_EQ(now.objects, before.objects);
	CHECK_EQ(now.spaces, before.spaces);
}

static int returns(void *arg)
{
	return (int)(long)arg;
}

static int wait_for(long pid)
{
	unsigned long at = user_alloc(4096);
	int status;

	CHECK_EQ(sys(SYS_wait4, pid, at, 0, 0), pid);
	user_read(&status, at, 4);
	CHECK_EQ(sys(SYS_munmap, at, 4096), 0);
	return status;
}

static void fork_and_wait(void)
{
	struct hosted_counts before = hosted_counts();
	long pid;

	for (long i = 0; i < 5; i++) {
		pid = hosted_clone(SIGCHLD, returns, (void *)i);
		CHECK(pid > 1);
		CHECK_EQ(wait_for(pid), i << 8);
	}
	CHECK_EQ(sys(SYS_wait4, -1, 0, 0, 0), -ECHILD);
	check_nothing_lost(before);
}

static unsigned long shared_at;

static int writes(void *arg)
{
	char text[2];

	user_read(text, shared_at, 2);
	CHECK_EQ(text[0], 'a');
	user_write(shared_at, "c", 1);
	(void)arg;
	return 0;
}

static void copy_on_write(void)
{
	struct hosted_counts before = hosted_counts();
	char text[2];

	shared_at = user_alloc(4096);
	user_text(shared_at, "a");
	CHECK_EQ(wait_for(hosted_clone(SIGCHLD, writes, NULL)), 0);
	user_read(text, shared_at, 1);
	CHECK_EQ(text[0], 'a');
	/* vfork(): CLONE_VM, CLONE_VFORK. The child's memory is the parent's. */
	CHECK_EQ(wait_for(hosted_clone(0x4100 | SIGCHLD, writes, NULL)), 0);
	user_read(text, shared_at, 1);
	CHECK_EQ(text[0], 'c');
	CHECK_EQ(sys(SYS_munmap, shared_at, 4096), 0);
	check_nothing_lost(before);
}

static int after_exec(const struct user_regs *regs)
{
	unsigned long argc, arg;
	char text[16];

	CHECK_EQ(regs->pc, 0x10078);
	user_read(&argc, regs->sp, 8);
	user_read(&arg, regs->sp + 16, 8);
	CHECK(strncpy_from_user(text, (const char *)arg, 16) > 0);
	/* What was to be closed is closed. */
	CHECK_EQ(sys(SYS_close, 3), -EBADF);
	CHECK_EQ(sys(SYS_close, 4), 0);
	return argc == 2 && !strcmp(text, "argument") ? 7 : 1;
}

static int executes(void *arg)
{
	unsigned long at = user_alloc(4096);
	unsigned long list[] = { at, at + 100, 0 };

	user_text(at, arg);
	user_text(at + 100, "argument");
	user_write(at + 200, list, sizeof(list));
	CHECK_EQ(sys(SYS_openat, CWD, at, 02000000), 3);
	CHECK_EQ(sys(SYS_dup, 3), 4);
	CHECK_EQ(sys(SYS_execve, at, at + 200, at + 216), 0);
	return 99;
}

static void exec_program(void)
{
	struct hosted_counts before = hosted_counts();

	hosted_exec = after_exec;
	CHECK_EQ(wait_for(hosted_clone(SIGCHLD, executes, "/init")), 7 << 8);
	CHECK_EQ(wait_for(hosted_clone(0x4100 | SIGCHLD, executes, "/init")), 7 << 8);
	/* The child of the vfork() has left a page in its parent's memory. */
	before.pages++;
	check_nothing_lost(before);
}

static void exec_errors(void)
{
	struct hosted_counts before = hosted_counts();
	unsigned long at = user_alloc(4096);

	CHECK_EQ(sys(SYS_execve, user_text(at, "/missing"), 0, 0), -ENOENT);
	CHECK_EQ(sys(SYS_execve, user_text(at, "/text"), 0, 0), -EACCES);
	CHECK_EQ(sys(SYS_execve, user_text(at, "/folder"), 0, 0), -EACCES);
	CHECK_EQ(sys(SYS_execve, user_text(at, "/init"), 8, 0), -EFAULT);
	CHECK_EQ(sys(SYS_execve, 8, 0, 0), -EFAULT);
	CHECK_EQ(sys(SYS_munmap, at, 4096), 0);
	check_nothing_lost(before);
}

/* Wherever memory runs out: an error, and nothing is lost. */
static void exec_and_fork_without_memory(void)
{
	unsigned long at = user_alloc(4096);
	struct hosted_counts before;

	hosted_exec = after_exec;
	/* From now on the contents of these files are known. */
	CHECK_EQ(sys(SYS_execve, user_text(at, "/script"), 8, 0), -EFAULT);
	before = hosted_counts();
	for (long n = 0; n < 120; n++) {
		long pid;

		hosted_fail_after(n / 2);
		pid = hosted_clone(n % 2 ? 0x4100 | SIGCHLD : SIGCHLD, returns, NULL);
		hosted_fail_after(-1);
		if (pid > 0)
			CHECK_EQ(wait_for(pid), 0);
		else
			CHECK(pid == -ENOMEM || pid == -EAGAIN);
		check_nothing_lost(before);
	}
	for (long n = 0; n < 60; n++) {
		long err;

		hosted_fail_after(n);
		/* The last step fails in any case. */
		err = sys(SYS_execve, at, 8, 0);
		hosted_fail_after(-1);
		CHECK(err == -ENOMEM || err == -EFAULT || err == -EAGAIN);
		check_nothing_lost(before);
	}
}

/* And where there are as many processes as there may be */
static void fork_limit(void)
{
	unsigned long at = user_alloc(4096), limit[2] = { 1, 100 };
	struct hosted_counts before;

	user_write(at, limit, 16);
	CHECK_EQ(sys(SYS_prlimit64, 0, 6, at, 0), 0);
	before = hosted_counts();
	CHECK_EQ(hosted_clone(SIGCHLD, returns, NULL), -EAGAIN);
	CHECK_EQ(hosted_clone(0x4100 | SIGCHLD, returns, NULL), -EAGAIN);
	CHECK_EQ(hosted_clone(0x10f00, returns, NULL), -EAGAIN);
	check_nothing_lost(before);
}

static unsigned int spinning;

static int spins(void *arg)
{
	__atomic_add_fetch(&spinning, 1, __ATOMIC_RELEASE);
	for (;;)
		sys(SYS_sched_yield);
	(void)arg;
	return 0;
}

static int ends_all(void *arg)
{
	for (int i = 0; i < 3; i++)
		CHECK(hosted_clone(0x10f00, spins, NULL) > 0);
	while (__atomic_load_n(&spinning, __ATOMIC_ACQUIRE) < 3)
		sys(SYS_sched_yield);
	sys(SYS_exit_group, (long)arg);
	return 0;
}

static void threads_end_together(void)
{
	struct hosted_counts before = hosted_counts();

	CHECK_EQ(wait_for(hosted_clone(SIGCHLD, ends_all, (void *)5)), 5 << 8);
	check_nothing_lost(before);
}

static int sleeps(void *arg)
{
	unsigned long at = user_alloc(4096);

	user_write(at, (long[]){ 1000, 0 }, 16);
	__atomic_add_fetch(&spinning, 1, __ATOMIC_RELEASE);
	sys(SYS_nanosleep, at, 0);
	(void)arg;
	return 0;
}

static void kill_sleeper(void)
{
	struct hosted_counts before = hosted_counts();
	long pid = hosted_clone(SIGCHLD, sleeps, NULL);

	while (!__atomic_load_n(&spinning, __ATOMIC_ACQUIRE))
		sys(SYS_sched_yield);
	CHECK_EQ(sys(SYS_kill, pid, 9), 0);
	CHECK_EQ(wait_for(pid), 9);
	check_nothing_lost(before);
}

static int reads_console(void *arg)
{
	unsigned long at = user_alloc(4096);

	__atomic_add_fetch(&spinning, 1, __ATOMIC_RELEASE);
	sys(SYS_read, 0, at, 1);
	(void)arg;
	return 0;
}

static void kill_reader(void)
{
	long pid = hosted_clone(SIGCHLD, reads_console, NULL);

	while (!__atomic_load_n(&spinning, __ATOMIC_ACQUIRE))
		sys(SYS_sched_yield);
	usleep(10000);
	CHECK_EQ(sys(SYS_kill, pid, 9), 0);
	CHECK_EQ(wait_for(pid), 9);
}

static int faults(void *arg)
{
	hosted_touch((unsigned long)arg, 2);
	return 0;
}

static void fault_ends_program(void)
{
	struct hosted_counts before = hosted_counts();

	CHECK_EQ(wait_for(hosted_clone(SIGCHLD, faults, (void *)0x5000)), 11);
	CHECK(strstr(hosted_printed(), "0x5000"));
	CHECK_EQ(wait_for(hosted_clone(SIGCHLD, faults, (void *)user_alloc(4096))), 0);
	before.pages = hosted_counts().pages;
	check_nothing_lost(before);
}

static void memory(void)
{
	unsigned long at = user_alloc(1 << 20);
	struct hosted_counts before = hosted_counts();
	char text[4];

	/* Pages come when they are touched. */
	hosted_touch(at, 2);
	CHECK_EQ(hosted_counts().pages, before.pages + 1);
	CHECK_EQ(sys(SYS_mprotect, at, 4096, 1), 0);
	CHECK_EQ(copy_to_user((void *)at, "x", 1), -EFAULT);
	CHECK_EQ(sys(SYS_mprotect, at, 4096, 3), 0);
	user_text(at, "abc");
	CHECK_EQ(sys(SYS_madvise, at, 4096, 4), 0);
	user_read(text, at, 4);
	CHECK_EQ(text[0], 0);
	user_text(at, "abc");
	CHECK_EQ(sys(SYS_mremap, at, 1 << 20, 2 << 20, 1, 0) < 0, 0);
	CHECK_EQ(sys(SYS_munmap, at + 1, 4096), -EINVAL);
	/* The archive's file, private */
	CHECK_EQ(sys(SYS_openat, CWD, user_text(user_alloc(4096), "/text"), 0), 3);
	at = (unsigned long)sys(SYS_mmap, 0, 8192, 3, 2, 3, 4096);
	user_read(text, at, 1);
	CHECK_EQ(text[0], 'a' + 4096 % 26);
	user_text(at, "z");
	CHECK_EQ(sys(SYS_pread64, 3, at + 8, 1, 4096), 1);
	user_read(text, at + 8, 1);
	CHECK_EQ(text[0], 'a' + 4096 % 26);
	CHECK_EQ(sys(SYS_mmap, 0, 4096, 3, 2, 0, 0), -ENODEV);
	CHECK_EQ(sys(SYS_mmap, 0, 4096, 3, 1, 3, 0), -EACCES);
}

static int many(void *arg)
{
	for (long i = 0; i < 40; i++) {
		long pid = hosted_clone(SIGCHLD, returns, (void *)3);

		if (pid > 0)
			CHECK_EQ(wait_for(pid), 3 << 8);
	}
	(void)arg;
	return 0;
}

static void many_at_once(void)
{
	struct hosted_counts before = hosted_counts();
	long pids[4];

	for (int i = 0; i < 4; i++)
		pids[i] = hosted_clone(SIGCHLD, many, NULL);
	for (int i = 0; i < 4; i++)
		CHECK_EQ(wait_for(pids[i]), 0);
	check_nothing_lost(before);
}

#define SYS_set_robust_list 99

#define FUTEX_WAIT	  0
#define FUTEX_WAKE	  1
#define FUTEX_CMP_REQUEUE 4

static int waits(void *arg)
{
	CHECK_EQ(sys(SYS_futex, (unsigned long)arg, FUTEX_WAIT, 0, 0), 0);
	sys(SYS_exit, 0);
	return 0;
}

/* Those who wait are moved to where they are: once each. */
static void requeue_to_itself(void)
{
	struct hosted_counts before = hosted_counts();
	unsigned long word = user_alloc(4096), other = word + 8;
	long moved = 0;

	user_write(word, "\0\0\0\0\0\0\0\0\0\0\0", 12);
	for (int i = 0; i < 2; i++)
		CHECK(hosted_clone(0x10f00, waits, (void *)word) > 0);
	while (moved < 2) {
		sys(SYS_sched_yield);
		moved += sys(SYS_futex, word, FUTEX_CMP_REQUEUE, 0, 1000, other, 0);
	}
	CHECK_EQ(sys(SYS_futex, other, FUTEX_CMP_REQUEUE, 0, 1000, other, 0), 2);
	CHECK_EQ(sys(SYS_futex, other, FUTEX_WAKE, 1000), 2);
	CHECK_EQ(sys(SYS_munmap, word, 4096), 0);
	check_nothing_lost(before);
}

/* Takes the word, and ends with it as soon as somebody waits. */
static int dies_with_word(void *arg)
{
	unsigned long at = (unsigned long)arg, word = at + 64;
	unsigned int tid = (unsigned int)sys(SYS_gettid);

	user_write(at, (long[]){ (long)at, 0, (long)word }, 24);
	CHECK_EQ(sys(SYS_set_robust_list, at, 24), 0);
	user_write(word, &tid, 4);
	while (sys(SYS_futex, word, FUTEX_CMP_REQUEUE, 0, 1000, word, tid) < 1)
		sys(SYS_sched_yield);
	sys(SYS_exit, 0);
	return 0;
}

/*
 * Who is about to say in the word that he waits, while the kernel writes there that
 * its owner died, finds that out. Here he has not said it at all.
 */
static void owner_dies(void)
{
	struct hosted_counts before = hosted_counts();
	unsigned long at = user_alloc(4096);
	unsigned int value = 0;

	user_write(at + 64, &value, 4);
	user_write(at + 128, (long[]){ 5, 0 }, 16);
	CHECK(hosted_clone(0x10f00, dies_with_word, (void *)at) > 0);
	while (!value) {
		sys(SYS_sched_yield);
		user_read(&value, at + 64, 4);
	}
	CHECK_EQ(sys(SYS_futex, at + 64, FUTEX_WAIT, value, at + 128), 0);
	user_read(&value, at + 64, 4);
	CHECK_EQ(value, 0x40000000);
	CHECK_EQ(sys(SYS_munmap, at, 4096), 0);
	check_nothing_lost(before);
}

#define TEST(name)                                                                                 \
	static void test_##name(void **state)                                                      \
	{                                                                                          \
		(void)state;                                                                       \
		assert_true(run_hosted(name));                                                     \
	}
TEST(fork_and_wait)
TEST(copy_on_write)
TEST(exec_program)
TEST(exec_errors)
TEST(exec_and_fork_without_memory)
TEST(fork_limit)
TEST(threads_end_together)
TEST(kill_sleeper)
TEST(kill_reader)
TEST(fault_ends_program)
TEST(memory)
TEST(many_at_once)
TEST(requeue_to_itself)
TEST(owner_dies)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fork_and_wait),
		cmocka_unit_test(test_copy_on_write),
		cmocka_unit_test(test_exec_program),
		cmocka_unit_test(test_exec_errors),
		cmocka_unit_test(test_exec_and_fork_without_memory),
		cmocka_unit_test(test_fork_limit),
		cmocka_unit_test(test_threads_end_together),
		cmocka_unit_test(test_kill_sleeper),
		cmocka_unit_test(test_kill_reader),
		cmocka_unit_test(test_fault_ends_program),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_many_at_once),
		cmocka_unit_test(test_requeue_to_itself),
		cmocka_unit_test(test_owner_dies),
	};

	return cmocka_run_group_tests_name("processes", tests, NULL, NULL);
}
