// SPDX-License-Identifier: MIT
/*
 * Random system calls: test-stress [CALLS [SEED]]. Children make a few thousand
 * calls each with arguments of all kinds, and end or are ended; the parent sees
 * to it that calls are made until there were as many as asked for. The same seed
 * gives each child the same calls. It does not matter what they return, but that
 * the system lives on, and that nothing is lost at the end.
 *
 * Only calls that leave a host alone, under qemu-riscv64 too.
 */
#include "ktap.h"
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CALLS_OF_CHILD 2000
#define CHILDREN       8 /* at a time */
#define CHILD_SECONDS  20

static const short calls[] = {
	SYS_openat,
	SYS_openat,
	SYS_close,
	SYS_read,
	SYS_write,
	SYS_readv,
	SYS_writev,
	SYS_pread64,
	SYS_pwrite64,
	SYS_lseek,
	SYS_fstat,
	SYS_newfstatat,
	SYS_dup,
	SYS_dup3,
	SYS_fcntl,
	SYS_ioctl,
	SYS_mmap,
	SYS_mmap,
	SYS_munmap,
	SYS_mprotect,
	SYS_mremap,
	SYS_madvise,
	SYS_brk,
	SYS_clone,
	SYS_execve,
	SYS_wait4,
	SYS_waitid,
	SYS_getpid,
	SYS_getppid,
	SYS_gettid,
	SYS_set_tid_address,
	SYS_exit,
	SYS_exit_group,
	SYS_clock_gettime,
	SYS_clock_getres,
	SYS_gettimeofday,
	SYS_nanosleep,
	SYS_clock_nanosleep,
	SYS_uname,
	SYS_getrandom,
	SYS_sysinfo,
	SYS_sched_yield,
	SYS_getuid,
	SYS_riscv_flush_icache,
	SYS_getcwd,
	SYS_getdents64,
	SYS_faccessat,
	SYS_set_robust_list,
	SYS_rt_sigprocmask,
	SYS_rt_sigaction,
	SYS_prlimit64,
	SYS_getrusage,
};

struct shared {
	volatile unsigned long made; /* calls that came back */
};

static struct shared *shared;
static uint64_t state;

/* xorshift64* */
static uint64_t random64(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545f4914f6cdd1d;
}

static unsigned long below(unsigned long n)
{
	return (unsigned long)(random64() >> 16) % n;
}

static const char *const paths[] = { "/dev/null",   "/dev/zero", "/dev/full",  "/dev/urandom",
				     "data/text",   "data/loop", "data/empty", "data",
				     "data/folder", "",		 "data/text/" };

/* A page or more of each kind, for pointers into it */
static char *arena;

#define ARENA_PAGES 16

static void prepare_memory(void)
{
	arena = private_pages(ARENA_PAGES);
	memset(arena, 1, 8 * PAGE);
	mprotect(arena + 8 * PAGE, 2 * PAGE, PROT_READ);
	munmap(arena + 12 * PAGE, 2 * PAGE);
}

/* Most are such that something happens. */
static long argument(void)
{
	static const unsigned long edges[] = {
		0,
		1,
		2,
		7,
		8,
		16,
		100,
		4095,
		4096,
		4097,
		0x7fffffff,
		0x80000000,
		0xffffffff,
		0x100000000,
		0x3fffffffff,
		0x4000000000,
		0x7fffffffffff,
		0x800000000000,
		0x7fffffffffffffff,
		0x8000000000000000,
		0xffffffff80000000,
		0xffffffc000000000,
		0xfffffffffffff000,
		0xffffffffffffffff,
		0xffffffffffffff9c,
	};

	switch (below(8)) {
	case 0:
	case 1:
		return (long)arena + (long)below(ARENA_PAGES * PAGE);
	case 2:
		return (long)(arena + below(ARENA_PAGES) * PAGE);
	case 3:
		return (long)below(10);
	case 4:
		return (long)edges[below(ARRAY_SIZE(edges))];
	case 5:
		return (long)(below(64) * PAGE);
	case 6:
		return (long)paths[below(ARRAY_SIZE(paths))];
	default:
		return (long)(random64() >> below(64));
	}
}

/* What would harm who waits for the result, or the host */
static bool harmless(long nr, long *arg)
{
	switch (nr) {
	case SYS_openat:
		/* Nothing is made or written on a host. */
		arg[0] = AT_FDCWD;
		arg[2] &= O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_DIRECTORY | O_NOFOLLOW;
		arg[1] = below(3) ? (long)paths[below(ARRAY_SIZE(paths))] : arg[1];
		return true;
	case SYS_fcntl:
		/* Descriptors, not locks, owners and signals */
		arg[1] = (long)below(5);
		return true;
	case SYS_clone:
		/* Processes and threads without a stack of their own end soon. */
		arg[0] = SIGCHLD | (arg[0] & (CLONE_PARENT_SETTID | CLONE_CHILD_SETTID |
					      CLONE_CHILD_CLEARTID | CLONE_FS | CLONE_FILES));
		arg[1] = 0;
		return !below(4);
	case SYS_execve:
		/* Programs that end at once, or are none */
		arg[0] = below(2) ? (long)"data/elf-no-load" : (long)"data/no-program";
		return !below(4);
	case SYS_exit:
	case SYS_exit_group:
		return !below(200);
	case SYS_wait4:
		arg[2] |= WNOHANG;
		return true;
	case SYS_waitid:
		arg[3] |= WNOHANG;
		return true;
	case SYS_nanosleep:
	case SYS_clock_nanosleep: {
		struct timespec *time = (void *)arena;

		/* Not for long, unless it is a time that has passed */
		time->tv_sec = (long)below(2) - 1;
		time->tv_nsec = (long)below(2000000);
		if (time->tv_sec > 0)
			time->tv_sec = 0;
		arg[nr == SYS_nanosleep ? 0 : 2] = (long)time;
		/* A clock that goes on while one sleeps */
		if (nr == SYS_clock_nanosleep) {
			arg[0] = arg[0] & 1 ? CLOCK_MONOTONIC : CLOCK_REALTIME;
			arg[1] = 0;
		}
		return !below(4);
	}
	case SYS_rt_sigaction:
	case SYS_rt_sigprocmask:
		/* It has to be possible to end the child. */
		arg[1] = 0;
		return true;
	case SYS_prlimit64:
		arg[0] = arg[2] = 0;
		return true;
	default:
		return true;
	}
}

static void make_calls(void)
{
	for (int i = 0; i < CALLS_OF_CHILD; i++) {
		long nr = below(50) ? calls[below(ARRAY_SIZE(calls))] : (long)below(500) + 500;
		long arg[6];
		long result;

		for (int j = 0; j < 6; j++)
			arg[j] = argument();
		if (!harmless(nr, arg))
			continue;
		result = sys(nr, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
		__atomic_fetch_add(&shared->made, 1, __ATOMIC_RELAXED);
		/* The child of a child has other calls to make, and not many. */
		if (nr == SYS_clone && !result) {
			state ^= (uint64_t)sys(SYS_getpid) << 32;
			state |= 1;
			i = CALLS_OF_CHILD - 50;
		}
	}
	sys(SYS_exit_group, 0);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

struct child {
	pid_t pid;
	double end;
};

static void start_child(struct child *child, uint64_t seed)
{
	static const struct rlimit limit = { 6 << 20, 6 << 20 };

	child->end = seconds() + CHILD_SECONDS;
	child->pid = fork();
	if (child->pid)
		return;
	state = seed * 0x9e3779b97f4a7c15 + 1;
	/* Keys might be waited for, and results are told there. */
	for (int fd = 0; fd < 3; fd++) {
		close(fd);
		open("/dev/null", O_RDWR);
	}
	prepare_memory();
	/* It is the parent that would starve. */
	setrlimit(RLIMIT_AS, &limit);
	make_calls();
}

/* Whose children have ended are free; whose time is up are ended. */
static void look_after(struct child *children)
{
	struct timespec pause = { 0, 1000000 };
	pid_t pid;
	bool any = false;

	while ((pid = waitpid(-1, NULL, WNOHANG | __WALL)) > 0)
		for (int i = 0; i < CHILDREN; i++)
			if (children[i].pid == pid) {
				children[i].pid = 0;
				any = true;
			}
	if (!any)
		nanosleep(&pause, NULL);
	for (int i = 0; i < CHILDREN; i++)
		if (children[i].pid > 0 && seconds() > children[i].end) {
			/* Where nobody can be ended from outside it is left alone. */
			if (kill(children[i].pid, SIGKILL))
				children[i].pid = 0;
			children[i].end += CHILD_SECONDS;
		}
}

static bool any_left(const struct child *children)
{
	for (int i = 0; i < CHILDREN; i++)
		if (children[i].pid > 0)
			return true;
	return false;
}

int main(int argc, char **argv)
{
	unsigned long wanted = argc > 1 ? strtoul(argv[1], NULL, 0) : 20000;
	unsigned long seed = argc > 2 ? strtoul(argv[2], NULL, 0) : 1;
	struct child children[CHILDREN] = { { 0, 0 } };
	unsigned long started = 0;
	long before, after = 0;

	first_to_go(-1000);
	/* Far from what the calls are told to write to */
	shared = mmap((void *)0x1000000000, PAGE, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	before = getenv("QEMU_USER") ? 0 : used_memory();
	while (shared->made < wanted) {
		for (int i = 0; i < CHILDREN; i++)
			if (children[i].pid <= 0) {
				start_child(&children[i], seed << 32 | started);
				started += children[i].pid > 0;
			}
		look_after(children);
	}
	while (any_left(children))
		look_after(children);
	/* Their children's children end in their own time. */
	for (int i = 0; before && i < 300; i++) {
		struct timespec pause = { 0, 10000000 };

		after = used_memory() - before;
		if (after < (getenv("AHOY") ? 64L << 10 : SLACK))
			break;
		nanosleep(&pause, NULL);
	}
	say("# %lu calls by %lu processes, seed %lu", shared->made, started, seed);
	say("# %ld bytes more in use", after);
	return 0;
}
