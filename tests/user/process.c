// SPDX-License-Identifier: MIT
/* Processes and threads: how they begin, how they end, and who is told. */
#include "ktap.h"
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void leave(void *arg)
{
	_exit((int)(long)arg);
}

static void pause_ms(long ms)
{
	struct timespec time = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&time, NULL);
}

static bool wait_for_value(volatile int *word, int value)
{
	for (int i = 0; i < 5000; i++) {
		if (*word == value)
			return true;
		pause_ms(1);
	}
	return false;
}

/* A child that ends when *@go is not 0 any more. */
static pid_t waiting_child(volatile int *go, int status)
{
	pid_t pid = fork();

	if (!pid) {
		while (!*go)
			pause_ms(1);
		_exit(status);
	}
	ASSERT(pid > 0);
	return pid;
}

/* --- numbers and statuses ------------------------------------------------------------------ */

TEST(numbers)
{
	int *told = shared_pages(1);
	pid_t me = getpid(), pid;
	int status;

	EXPECT(me > 0 && getppid() > 0 && me != getppid());
	EXPECT_EQ(sys(SYS_gettid), me);
	pid = fork();
	if (!pid) {
		told[0] = (int)sys(SYS_getpid);
		told[1] = (int)sys(SYS_getppid);
		told[2] = (int)sys(SYS_gettid);
		_exit(0);
	}
	EXPECT(pid > 0 && pid != me);
	EXPECT_EQ(sys(SYS_wait4, pid, &status, 0, NULL), pid);
	EXPECT_EQ(told[0], pid);
	EXPECT_EQ(told[1], me);
	EXPECT_EQ(told[2], pid);
}

TEST(exit_statuses)
{
	static const int values[] = { 0, 1, 2, 127, 128, 255 };

	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		EXPECT_EQ(in_child(leave, (void *)(long)values[i]), values[i] << 8);
	EXPECT_EQ(in_child(leave, (void *)256L), 0);
	EXPECT_EQ(in_child(leave, (void *)-1L), 255 << 8);
	EXPECT_EQ(in_child(leave, (void *)(0x1234L)), 0x34 << 8);
}

static void do_illegal(void *arg)
{
	(void)arg;
	/* Defined to be illegal */
	__asm__ __volatile__(".4byte 0xc0001073");
}

static void do_illegal_short(void *arg)
{
	(void)arg;
	__asm__ __volatile__(".2byte 0");
}

static void do_privileged(void *arg)
{
	(void)arg;
	__asm__ __volatile__("csrr zero, sstatus");
}

static void do_sret(void *arg)
{
	(void)arg;
	__asm__ __volatile__("sret");
}

static void do_wfi(void *arg)
{
	(void)arg;
	__asm__ __volatile__("sfence.vma");
}

static void do_break(void *arg)
{
	(void)arg;
	__asm__ __volatile__(".option push; .option norvc; ebreak; .option pop");
}

TEST(fault_statuses)
{
	char *unmapped = private_pages(1);

	EXPECT_EQ(sys(SYS_munmap, unmapped, PAGE), 0);
	EXPECT_EQ(signal_of_load(unmapped), SIGSEGV);
	EXPECT_EQ(signal_of_store(unmapped), SIGSEGV);
	EXPECT_EQ(signal_of_jump(unmapped), SIGSEGV);
	EXPECT_EQ(signal_of_load(NULL), SIGSEGV);
	EXPECT_EQ(signal_of_store(NULL), SIGSEGV);
	EXPECT_EQ(signal_of_jump(NULL), SIGSEGV);
	EXPECT_EQ(signal_of(do_illegal, NULL), SIGILL);
	EXPECT_EQ(signal_of(do_illegal_short, NULL), SIGILL);
	EXPECT_EQ(signal_of(do_privileged, NULL), SIGILL);
	EXPECT_EQ(signal_of(do_sret, NULL), SIGILL);
	EXPECT_EQ(signal_of(do_wfi, NULL), SIGILL);
	EXPECT_EQ(signal_of(do_break, NULL), SIGTRAP);
}

/* --- wait4 and waitid ---------------------------------------------------------------------- */

TEST(wait4_waits)
{
	volatile int *go = shared_pages(1);
	struct rusage usage;
	int status = 77;
	pid_t pid = waiting_child(go, 3);

	EXPECT_EQ(sys(SYS_wait4, pid, &status, WNOHANG, NULL), 0);
	EXPECT_EQ(sys(SYS_wait4, -1, &status, WNOHANG, NULL), 0);
	EXPECT_EQ(status, 77);
	*go = 1;
	memset(&usage, 0xff, sizeof(usage));
	EXPECT_EQ(sys(SYS_wait4, -1, &status, 0, &usage), pid);
	EXPECT_EQ(status, 3 << 8);
	EXPECT(usage.ru_utime.tv_sec >= 0 && usage.ru_utime.tv_sec < 100);
	EXPECT_EQ(sys(SYS_wait4, pid, &status, 0, NULL), -ECHILD);
	EXPECT_EQ(sys(SYS_wait4, -1, &status, 0, NULL), -ECHILD);
	EXPECT_EQ(sys(SYS_wait4, -1, &status, WNOHANG, NULL), -ECHILD);
}

TEST(wait4_chooses)
{
	volatile int *go = shared_pages(1);
	pid_t first = waiting_child(go, 1), second = waiting_child(go, 2);
	int status;

	go[0] = 1;
	EXPECT_EQ(sys(SYS_wait4, second, &status, 0, NULL), second);
	EXPECT_EQ(status, 2 << 8);
	EXPECT_EQ(sys(SYS_wait4, second, &status, 0, NULL), -ECHILD);
	EXPECT_EQ(sys(SYS_wait4, 0, &status, 0, NULL), first);
	EXPECT_EQ(status, 1 << 8);
}

TEST(wait4_errors)
{
	volatile int *go = shared_pages(1);
	pid_t pid = waiting_child(go, 0);
	int status;

	EXPECT_EQ(sys(SYS_wait4, 1, &status, 0, NULL), -ECHILD);
	EXPECT_EQ(sys(SYS_wait4, getpid(), &status, 0, NULL), -ECHILD);
	EXPECT_EQ(sys(SYS_wait4, INT_MAX, &status, 0, NULL), -ECHILD);
	EXPECT_EQ(sys(SYS_wait4, INT_MIN, &status, 0, NULL), -ESRCH);
	EXPECT_EQ(sys(SYS_wait4, pid, &status, 0x100, NULL), -EINVAL);
	*go = 1;
	EXPECT_EQ(sys(SYS_wait4, pid, NULL, 0, NULL), pid);
	pid = waiting_child(go, 0);
	EXPECT_EQ(sys(SYS_wait4, pid, (void *)8, 0, NULL), -EFAULT);
}

TEST(waitid_tells)
{
	volatile int *go = shared_pages(1);
	pid_t pid = waiting_child(go, 9);
	siginfo_t info;

	memset(&info, 0, sizeof(info));
	EXPECT_EQ(sys(SYS_waitid, P_PID, pid, &info, WEXITED | WNOHANG, NULL), 0);
	EXPECT_EQ(info.si_pid, 0);
	*go = 1;
	EXPECT_EQ(sys(SYS_waitid, P_PID, pid, &info, WEXITED | WNOWAIT, NULL), 0);
	EXPECT_EQ(info.si_pid, pid);
	EXPECT_EQ(info.si_code, CLD_EXITED);
	EXPECT_EQ(info.si_status, 9);
	EXPECT_EQ(info.si_signo, SIGCHLD);
	memset(&info, 0, sizeof(info));
	EXPECT_EQ(sys(SYS_waitid, P_ALL, 0, &info, WEXITED, NULL), 0);
	EXPECT_EQ(info.si_pid, pid);
	EXPECT_EQ(sys(SYS_waitid, P_PID, pid, &info, WEXITED, NULL), -ECHILD);
}

TEST(waitid_errors)
{
	volatile int *go = shared_pages(1);
	pid_t pid = waiting_child(go, 9);
	siginfo_t info;

	*go = 1;
	EXPECT_EQ(sys(SYS_waitid, 77, pid, &info, WEXITED, NULL), -EINVAL);
	EXPECT_EQ(sys(SYS_waitid, P_PID, 0, &info, WEXITED, NULL), -EINVAL);
	EXPECT_EQ(sys(SYS_waitid, P_PID, -1, &info, WEXITED, NULL), -EINVAL);
	EXPECT_EQ(sys(SYS_waitid, P_PID, pid, &info, 0, NULL), -EINVAL);
	EXPECT_EQ(sys(SYS_waitid, P_PID, pid, &info, WEXITED | 0x100, NULL), -EINVAL);
	EXPECT_EQ(sys(SYS_waitid, P_PID, 1, &info, WEXITED, NULL), -ECHILD);
	EXPECT_EQ(sys(SYS_waitid, P_PID, pid, NULL, WEXITED, NULL), 0);
	pid = waiting_child(go, 9);
	EXPECT_EQ(sys(SYS_waitid, P_PID, pid, (void *)8, WEXITED, NULL), -EFAULT);
}

static void load_null(void *arg)
{
	(void)arg;
	(void)*(volatile char *)NULL;
}

TEST(waitid_signal)
{
	siginfo_t info;
	pid_t pid = fork();

	if (!pid) {
		load_null(NULL);
		_exit(0);
	}
	EXPECT_EQ(sys(SYS_waitid, P_PID, pid, &info, WEXITED, NULL), 0);
	EXPECT(info.si_code == CLD_KILLED || info.si_code == CLD_DUMPED);
	EXPECT_EQ(info.si_status, SIGSEGV);
}

TEST(many_children)
{
	enum {
		N = 60
	};
	pid_t pids[N];
	int status;

	for (int i = 0; i < N; i++) {
		pids[i] = fork();
		if (!pids[i])
			_exit(i);
		ASSERT(pids[i] > 0);
		for (int j = 0; j < i; j++)
			EXPECT(pids[j] != pids[i]);
	}
	/* Backwards: all but the last wait for their parent. */
	for (int i = N - 1; i >= 0; i--) {
		EXPECT_EQ(sys(SYS_wait4, pids[i], &status, 0, NULL), pids[i]);
		EXPECT_EQ(status, i << 8);
	}
	EXPECT_EQ(sys(SYS_wait4, -1, &status, 0, NULL), -ECHILD);
}

TEST(deep_family)
{
	/* Each generation has one child, and adds 1 to its status. */
	pid_t pid;
	int depth = 0, status;

	do {
		pid = fork();
	} while (!pid && ++depth < 30);
	if (!pid)
		_exit(0);
	ASSERT(pid > 0);
	EXPECT_EQ(sys(SYS_wait4, pid, &status, 0, NULL), pid);
	if (depth)
		_exit(WEXITSTATUS(status) + 1);
	EXPECT_EQ(status, 29 << 8);
}

TEST(orphans)
{
	volatile int *told = shared_pages(1);
	pid_t pid = fork();
	int status;

	if (!pid) {
		pid_t me = getpid();

		if (!fork()) {
			while (getppid() == me)
				pause_ms(1);
			told[0] = getppid();
			told[1] = 1;
			_exit(0);
		}
		_exit(0);
	}
	EXPECT_EQ(sys(SYS_wait4, pid, &status, 0, NULL), pid);
	EXPECT(wait_for_value(&told[1], 1));
	EXPECT(told[0] != pid && told[0] != getpid());
	/* Whoever looks after orphans on the machine of qemu-riscv64 */
	if (!on_qemu_user())
		EXPECT_EQ(told[0], 1);
	/* It is not this process's child. */
	EXPECT_EQ(sys(SYS_wait4, -1, &status, 0, NULL), -ECHILD);
}

/* --- clone --------------------------------------------------------------------------------- */

/* clone() with a function: its stack has the function and the argument on top. */
static long start(unsigned long flags, void *stack, size_t size, int (*fn)(void *), void *arg,
		  int *parent_tid, void *tls, int *child_tid)
{
	void **top = (void **)((char *)stack + size) - 2;
	register long r0 __asm__("a0") = (long)flags;
	register long r1 __asm__("a1") = (long)top;
	register long r2 __asm__("a2") = (long)parent_tid;
	register long r3 __asm__("a3") = (long)tls;
	register long r4 __asm__("a4") = (long)child_tid;
	register long nr __asm__("a7") = SYS_clone;

	top[0] = (void *)fn;
	top[1] = arg;
	__asm__ __volatile__("ecall\n"
			     "bnez a0, 1f\n"
			     "ld t0, 0(sp)\n"
			     "ld a0, 8(sp)\n"
			     "jalr t0\n"
			     "li a7, 93\n" /* exit */
			     "ecall\n"
			     "1:"
			     : "+r"(r0)
			     : "r"(r1), "r"(r2), "r"(r3), "r"(r4), "r"(nr)
			     : "memory", "t0");
	return r0;
}

#define STACK (16 * PAGE)
/* qemu-riscv64 knows this set of flags as a thread, and no other. */
#define THREAD (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM)

/* What a thread may do without a C library of its own: no errno, no locks. */
struct told {
	volatile int pid, tid, ready, go, value, fd;
	volatile long tp;
};

static int tell(void *arg)
{
	struct told *told = arg;

	told->pid = (int)sys(SYS_getpid);
	told->tid = (int)sys(SYS_gettid);
	__asm__ __volatile__("mv %0, tp" : "=r"(told->tp));
	told->ready = 1;
	while (!told->go)
		sys(SYS_sched_yield);
	told->fd = (int)sys(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY);
	told->value = 5;
	return 0;
}

TEST(thread)
{
	static struct told told;
	static int parent_tid, child_tid = -1;
	void *stack = private_pages(STACK / PAGE), *tls = private_pages(1);
	int status;
	long tid = start(THREAD | CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID, stack,
			 STACK, tell, &told, &parent_tid, tls, &child_tid);

	ASSERT(tid > 0);
	EXPECT_EQ(parent_tid, tid);
	EXPECT(wait_for_value(&told.ready, 1));
	EXPECT_EQ(told.pid, getpid());
	EXPECT_EQ(told.tid, tid);
	EXPECT(tid != getpid());
	EXPECT_EQ(told.tp, tls);
	EXPECT_EQ(child_tid, -1);
	/* It is no child. */
	EXPECT_EQ(sys(SYS_wait4, -1, &status, 0, NULL), -ECHILD);
	EXPECT_EQ(sys(SYS_wait4, tid, &status, __WALL, NULL), -ECHILD);
	told.go = 1;
	EXPECT(wait_for_value(&child_tid, 0));
	EXPECT_EQ(told.value, 5);
	/* Its descriptors are the process's. */
	EXPECT_EQ(sys(SYS_close, told.fd), 0);
}

static int spin(void *arg)
{
	volatile int *word = arg;

	for (;;)
		++*word;
	return 0;
}

static int leave_all(void *arg)
{
	(void)arg;
	sys(SYS_exit_group, 42);
	return 0;
}

static void end_by_thread(void *arg)
{
	static int words[2];

	(void)arg;
	EXPECT(start(THREAD, private_pages(STACK / PAGE), STACK, spin, words, 0, 0, 0) > 0);
	EXPECT(start(THREAD, private_pages(STACK / PAGE), STACK, leave_all, 0, 0, 0, 0) > 0);
	for (;;)
		pause_ms(1000);
}

TEST(exit_group_of_thread)
{
	EXPECT_EQ(in_child(end_by_thread, NULL), 42 << 8);
}

static void end_by_main(void *arg)
{
	static int word;

	(void)arg;
	EXPECT(start(THREAD, private_pages(STACK / PAGE), STACK, spin, &word, 0, 0, 0) > 0);
	while (*(volatile int *)&word < 100)
		pause_ms(1);
	sys(SYS_exit_group, 43);
}

TEST(exit_group_of_main)
{
	EXPECT_EQ(in_child(end_by_main, NULL), 43 << 8);
}

static int late(void *arg)
{
	volatile int *word = arg;

	for (int i = 0; i < 50; i++)
		sys(SYS_sched_yield);
	*word = 1;
	return 44;
}

static void main_exits(void *arg)
{
	EXPECT(start(THREAD, private_pages(STACK / PAGE), STACK, late, arg, 0, 0, 0) > 0);
	sys(SYS_exit, 1);
}

TEST(exit_of_main_thread)
{
	volatile int *word = shared_pages(1);

	/* The process lasts as long as its last thread, whose status it has. */
	EXPECT_EQ(in_child(main_exits, (void *)word), 44 << 8);
	EXPECT_EQ(*word, 1);
}

static int fault(void *arg)
{
	*(volatile int *)arg = 1;
	return 0;
}

static void thread_faults(void *arg)
{
	EXPECT(start(THREAD, private_pages(STACK / PAGE), STACK, fault, arg, 0, 0, 0) > 0);
	for (;;)
		pause_ms(1000);
}

TEST(fault_of_thread)
{
	EXPECT_EQ(signal_of(thread_faults, NULL), SIGSEGV);
}

static int add(void *arg)
{
	for (int i = 0; i < 20000; i++)
		__atomic_fetch_add((int *)arg, 1, __ATOMIC_RELAXED);
	return 0;
}

TEST(threads_share_memory)
{
	enum {
		N = 8
	};
	static int tids[N];
	static int sum;

	for (int i = 0; i < N; i++) {
		long tid =
			start(THREAD | CLONE_CHILD_CLEARTID | CLONE_PARENT_SETTID,
			      private_pages(STACK / PAGE), STACK, add, &sum, &tids[i], 0, &tids[i]);

		ASSERT(tid > 0);
	}
	for (int i = 0; i < N; i++)
		EXPECT(wait_for_value(&tids[i], 0));
	EXPECT_EQ(sum, N * 20000);
}

/* Threads whose first writes to the same pages meet */
static int touch(void *arg)
{
	char *p = arg;

	for (size_t i = 0; i < 256; i++)
		__atomic_fetch_add((int *)(p + i * PAGE), 1, __ATOMIC_RELAXED);
	return 0;
}

TEST(threads_fault_together)
{
	enum {
		N = 4
	};
	static int tids[N];
	size_t wrong = 0;
	char *p = private_pages(256);

	for (int i = 0; i < N; i++)
		ASSERT(start(THREAD | CLONE_CHILD_CLEARTID | CLONE_PARENT_SETTID,
			     private_pages(STACK / PAGE), STACK, touch, p, &tids[i], 0,
			     &tids[i]) > 0);
	for (int i = 0; i < N; i++)
		EXPECT(wait_for_value(&tids[i], 0));
	for (size_t i = 0; i < 256; i++)
		wrong += *(int *)(p + i * PAGE) != N;
	EXPECT_EQ(wrong, 0);
}

/* A fork while another thread writes: the child has each page of one moment or later, and none
 * of its pages changes any more.
 */
static int count_up(void *arg)
{
	volatile long *p = arg;

	while (!p[1]) {
		p[0]++;
		p[512] = p[0];
	}
	return 0;
}

TEST(fork_beside_thread)
{
	static int tid;
	long *p = private_pages(2);
	int status;

	ASSERT(start(THREAD | CLONE_CHILD_CLEARTID | CLONE_PARENT_SETTID,
		     private_pages(STACK / PAGE), STACK, count_up, p, &tid, 0, &tid) > 0);
	for (int i = 0; i < 50; i++) {
		long pid = sys(SYS_clone, SIGCHLD);

		if (!pid) {
			long was = *(volatile long *)p;

			for (int j = 0; j < 2000; j++)
				if (*(volatile long *)p != was)
					sys(SYS_exit_group, 1);
			sys(SYS_exit_group, 0);
		}
		ASSERT(pid > 0);
		EXPECT_EQ(sys(SYS_wait4, pid, &status, 0, NULL), pid);
		EXPECT_EQ(status, 0);
	}
	p[1] = 1;
	EXPECT(wait_for_value(&tid, 0));
}

TEST(clone_errors)
{
	EXPECT_EQ(sys(SYS_clone, CLONE_SIGHAND | SIGCHLD), -EINVAL);
	EXPECT_EQ(sys(SYS_clone, CLONE_THREAD | SIGCHLD), -EINVAL);
	EXPECT_EQ(sys(SYS_clone, CLONE_THREAD | CLONE_VM | SIGCHLD), -EINVAL);
	EXPECT_EQ(sys(SYS_clone, CLONE_THREAD | CLONE_SIGHAND | SIGCHLD), -EINVAL);
	EXPECT_EQ(sys(SYS_clone, CLONE_FS | CLONE_NEWNS | SIGCHLD), -EINVAL);
}

TEST(clone_writes_numbers)
{
	/* The child's number is also in the child's memory. */
	int parent_tid = 0, child_tid = 0, status;
	volatile int *told = shared_pages(1);
	long pid;

	if (on_qemu_user())
		SKIP("qemu-user tells the child only");
	pid = sys(SYS_clone, CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | SIGCHLD, 0, &parent_tid, 0,
		  &child_tid);
	if (!pid) {
		told[0] = child_tid;
		told[1] = (int)sys(SYS_getpid);
		sys(SYS_exit_group, 0);
	}
	ASSERT(pid > 0);
	EXPECT_EQ(parent_tid, pid);
	EXPECT_EQ(sys(SYS_wait4, pid, &status, 0, NULL), pid);
	EXPECT_EQ(status, 0);
	EXPECT_EQ(told[0], pid);
	EXPECT_EQ(told[1], pid);
	EXPECT_EQ(child_tid, 0);
}

TEST(clone_child_without_signal)
{
	int status;
	long pid;

	if (on_qemu_user())
		SKIP("qemu-user's children always send SIGCHLD");
	pid = sys(SYS_clone, 0);
	if (!pid)
		sys(SYS_exit_group, 7);
	ASSERT(pid > 0);
	EXPECT_EQ(sys(SYS_wait4, pid, &status, 0, NULL), -ECHILD);
	EXPECT_EQ(sys(SYS_wait4, pid, &status, __WALL, NULL), pid);
	EXPECT_EQ(status, 7 << 8);
}

static int change(void *arg)
{
	struct told *told = arg;

	told->value = 6;
	told->fd = (int)sys(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY);
	told->pid = (int)sys(SYS_getpid);
	return 12;
}

TEST(clone_shares_memory_only)
{
	static struct told told;
	int status;
	long pid;

	/* It takes a process that shares memory for one that does not. */
	if (on_qemu_user())
		SKIP("qemu-user has only processes and threads");
	pid = start(CLONE_VM | SIGCHLD, private_pages(STACK / PAGE), STACK, change, &told, 0, 0, 0);
	ASSERT(pid > 0);
	EXPECT_EQ(sys(SYS_wait4, pid, &status, 0, NULL), pid);
	EXPECT_EQ(status, 12 << 8);
	EXPECT_EQ(told.value, 6);
	EXPECT_EQ(told.pid, pid);
	EXPECT_EQ(sys(SYS_close, told.fd), -EBADF);
	pid = start(CLONE_VM | CLONE_FILES | SIGCHLD, private_pages(STACK / PAGE), STACK, change,
		    &told, 0, 0, 0);
	ASSERT(pid > 0);
	EXPECT_EQ(sys(SYS_wait4, pid, &status, 0, NULL), pid);
	EXPECT_EQ(sys(SYS_close, told.fd), 0);
}

static int slow_change(void *arg)
{
	for (int i = 0; i < 20; i++)
		pause_ms(1);
	return change(arg);
}

TEST(vfork_waits)
{
	static struct told told;
	int status;
	long pid;

	if (on_qemu_user())
		SKIP("qemu-user makes a fork of it");
	pid = start(CLONE_VM | CLONE_VFORK | SIGCHLD, private_pages(STACK / PAGE), STACK,
		    slow_change, &told, 0, 0, 0);
	/* By now the child has ended. */
	EXPECT_EQ(told.value, 6);
	ASSERT(pid > 0);
	EXPECT_EQ(sys(SYS_wait4, pid, &status, 0, NULL), pid);
	EXPECT_EQ(status, 12 << 8);
}

TEST(vfork_function)
{
	volatile int *word = shared_pages(1);
	pid_t pid = vfork();
	int status;

	if (!pid) {
		*word = 1;
		_exit(3);
	}
	ASSERT(pid > 0);
	EXPECT_EQ(sys(SYS_wait4, pid, &status, 0, NULL), pid);
	EXPECT_EQ(status, 3 << 8);
	EXPECT_EQ(*word, 1);
}

TEST(set_tid_address)
{
	int word = 0;

	EXPECT_EQ(sys(SYS_set_tid_address, &word), sys(SYS_gettid));
	EXPECT_EQ(sys(SYS_set_tid_address, NULL), getpid());
	EXPECT_EQ(sys(SYS_set_tid_address, 8), getpid());
}

/* --- registers ----------------------------------------------------------------------------- */

/* All registers but sp, gp and tp before and after a system call: only a0 changes. */
TEST(system_call_keeps_registers)
{
	unsigned long regs[32];
	size_t wrong = 0;

	__asm__ __volatile__(
		"mv a1, %0\n"
		"addi sp, sp, -16\n"
		"sd a1, 0(sp)\n"
		"li a7, 172\n" /* getpid */
		"li ra, 1\n li t0, 5\n li t1, 6\n li t2, 7\n li s1, 9\n li a1, 11\n li a2, 12\n"
		"li a3, 13\n li a4, 14\n li a5, 15\n li a6, 16\n li s2, 18\n li s3, 19\n"
		"li s4, 20\n li s5, 21\n li s6, 22\n li s7, 23\n li s8, 24\n li s9, 25\n"
		"li s10, 26\n li s11, 27\n li t3, 28\n li t4, 29\n li t5, 30\n li t6, 31\n"
		"ecall\n"
		"ld a0, 0(sp)\n"
		"sd ra, 8(a0)\n sd t0, 40(a0)\n sd t1, 48(a0)\n sd t2, 56(a0)\n sd s1, 72(a0)\n"
		"sd a1, 88(a0)\n sd a2, 96(a0)\n sd a3, 104(a0)\n sd a4, 112(a0)\n"
		"sd a5, 120(a0)\n sd a6, 128(a0)\n sd a7, 136(a0)\n sd s2, 144(a0)\n"
		"sd s3, 152(a0)\n sd s4, 160(a0)\n sd s5, 168(a0)\n sd s6, 176(a0)\n"
		"sd s7, 184(a0)\n sd s8, 192(a0)\n sd s9, 200(a0)\n sd s10, 208(a0)\n"
		"sd s11, 216(a0)\n sd t3, 224(a0)\n sd t4, 232(a0)\n sd t5, 240(a0)\n"
		"sd t6, 248(a0)\n"
		"addi sp, sp, 16\n"
		:
		: "r"(regs)
		: "memory", "ra", "t0", "t1", "t2", "s1", "a0", "a1", "a2", "a3", "a4", "a5", "a6",
		  "a7", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4",
		  "t5", "t6");
	regs[17] -= 172 - 17;
	for (size_t i = 1; i < 32; i++)
		/* sp, gp, tp, s0 (the frame's), a0 */
		if (i != 2 && i != 3 && i != 4 && i != 8 && i != 10)
			wrong += regs[i] != i;
	EXPECT_EQ(wrong, 0);
}
