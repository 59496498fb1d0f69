// SPDX-License-Identifier: MIT
/* What there is only so much of: it ends in an error, and it all comes back. */
#include "ktap.h"
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MIB (1UL << 20)

static void pause_ms(long ms)
{
	struct timespec time = { 0, ms * 1000000 };

	sys(SYS_nanosleep, &time, NULL);
}

/* The host is not to be brought to its limits. */
static void needs_own_machine(void)
{
	if (on_qemu_user())
		SKIP("it would be the host that has nothing left");
}

/* Everything works: a child, memory, a file. */
static void check_recovery(long used)
{
	int status = -1;
	pid_t pid = 0;

	/* What orphans had comes back when somebody has waited for them. */
	for (int i = 0; i < 200 && used_memory() - used >= SLACK; i++)
		pause_ms(10);
	EXPECT(used_memory() - used < SLACK);
	for (int i = 0; i < 20; i++) {
		pid = fork();
		if (!pid) {
			memset(private_pages(MIB / PAGE), 1, MIB);
			EXPECT(open_data("text") >= 0);
			end_child();
		}
		ASSERT(pid > 0);
		EXPECT_EQ(sys(SYS_wait4, pid, &status, 0, NULL), pid);
		EXPECT_EQ(status, 0);
	}
}

/* --- descriptors ----------------------------------------------------------------------------- */

/* Return: how many could be opened, each with a number of its own */
static long open_all(int fd, long error)
{
	long n = 0, last = fd, next;

	while ((next = sys(SYS_dup, fd)) >= 0) {
		if (!EXPECT_EQ(next, last + 1))
			break;
		last = next;
		n++;
	}
	EXPECT_EQ(next, error);
	return n;
}

TEST(descriptors)
{
	struct rlimit limit = { 500, 500 };
	int fd = open_data("text");
	long n;

	/* With fewer it is sooner done; where there is no such call the limit is what it is. */
	setrlimit(RLIMIT_NOFILE, &limit);
	n = open_all(fd, -EMFILE);
	EXPECT(n > 10 && n < 1100000);
	EXPECT_EQ(sys(SYS_openat, AT_FDCWD, "data/text", O_RDONLY), -EMFILE);
	EXPECT_EQ(sys(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY), -EMFILE);
	EXPECT_EQ(sys(SYS_fcntl, fd, F_DUPFD, 0), -EMFILE);
	EXPECT_EQ(sys(SYS_fcntl, fd, F_DUPFD, fd + n + 1), -EINVAL);
	EXPECT_EQ(sys(SYS_dup3, fd, fd + n + 1, 0), -EBADF);
	EXPECT_EQ(sys(SYS_dup3, fd, fd + n, 0), fd + n);
	/* One place is free, and is taken again. */
	EXPECT_EQ(sys(SYS_close, fd + 7), 0);
	EXPECT_EQ(sys(SYS_openat, AT_FDCWD, "data/text", O_RDONLY), fd + 7);
	for (long i = 1; i <= n; i++)
		EXPECT_EQ(sys(SYS_close, fd + i), 0);
	EXPECT_EQ(open_all(fd, -EMFILE), n);
}

TEST(descriptors_of_children)
{
	/* Those of one process are not those of another. */
	struct rlimit limit = { 500, 500 };
	int fd, status;
	pid_t pid;

	setrlimit(RLIMIT_NOFILE, &limit);
	fd = open_data("text");
	EXPECT(open_all(fd, -EMFILE) > 10);
	pid = fork();
	if (!pid) {
		EXPECT_EQ(sys(SYS_dup, fd), -EMFILE);
		EXPECT_EQ(sys(SYS_close, fd + 5), 0);
		EXPECT_EQ(sys(SYS_dup, fd), fd + 5);
		end_child();
	}
	ASSERT(pid > 0);
	EXPECT_EQ(sys(SYS_wait4, pid, &status, 0, NULL), pid);
	EXPECT_EQ(status, 0);
	EXPECT_EQ(sys(SYS_dup, fd), -EMFILE);
}

/* --- processes ------------------------------------------------------------------------------- */

/* Fork until it fails. Return: how many there are; they end when *@go is not 0. */
static long fork_all(volatile int *go)
{
	/* Somebody has to be there whom Linux may end. */
	first_to_go(500);
	for (long n = 0; n < 100000; n++) {
		long pid = sys(SYS_clone, SIGCHLD);

		if (!pid) {
			while (!*go)
				pause_ms(300);
			sys(SYS_exit_group, 0);
		}
		if (pid < 0) {
			EXPECT(pid == -EAGAIN || pid == -ENOMEM);
			first_to_go(-1000);
			return n;
		}
	}
	return -1;
}

TEST_LIMIT(living_children, 200)
{
	volatile int *go = shared_pages(1);
	long used, n;

	needs_own_machine();
	used = used_memory();
	for (int round = 0; round < 2; round++) {
		*go = 0;
		n = fork_all(go);
		EXPECT(n > 20);
		say("# %ld processes", n);
		/* Who lives goes on. */
		EXPECT(sys(SYS_openat, AT_FDCWD, "data/text", O_RDONLY) > 0);
		*go = 1;
		for (long i = 0; i < n; i++)
			EXPECT(sys(SYS_wait4, -1, NULL, 0, NULL) > 0);
		EXPECT_EQ(sys(SYS_wait4, -1, NULL, 0, NULL), -ECHILD);
		check_recovery(used);
	}
}

TEST_LIMIT(dead_children, 100)
{
	/* Nobody has asked for their statuses. */
	volatile int *go = shared_pages(1);
	long used, n;

	needs_own_machine();
	used = used_memory();
	*go = 1;
	n = fork_all(go);
	EXPECT(n > 20);
	say("# %ld processes", n);
	for (long i = 0; i < n; i++)
		EXPECT(sys(SYS_wait4, -1, NULL, 0, NULL) > 0);
	check_recovery(used);
}

/* Everybody has children until nobody can. */
static void bomb(int depth)
{
	long first = sys(SYS_clone, SIGCHLD), second = 0;

	if (first > 0)
		second = sys(SYS_clone, SIGCHLD);
	if (!first || !second) {
		if (depth)
			bomb(depth - 1);
		pause_ms(200);
		end_child();
	}
	if (first < 0)
		EXPECT(first == -EAGAIN || first == -ENOMEM);
	if (second < 0)
		EXPECT(second == -EAGAIN || second == -ENOMEM);
	while (sys(SYS_wait4, -1, NULL, 0, NULL) > 0)
		;
}

TEST_LIMIT(fork_bomb, 200)
{
	int status;
	long used;
	pid_t pid;

	needs_own_machine();
	used = used_memory();
	pid = fork();
	if (!pid) {
		first_to_go(500);
		bomb(14);
		end_child();
	}
	ASSERT(pid > 0);
	EXPECT_EQ(sys(SYS_wait4, pid, &status, 0, NULL), pid);
	EXPECT_EQ(status, 0);
	check_recovery(used);
}

/* --- memory ---------------------------------------------------------------------------------- */

static void eat(void *arg)
{
	long n;

	(void)arg;
	first_to_go(1000);
	for (n = 0; n < 1L << 20; n++) {
		char *p =
			mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED)
			_exit(errno == ENOMEM ? 0 : 1);
		for (size_t i = 0; i < MIB; i += PAGE)
			p[i] = 1;
	}
	_exit(2);
}

/* It gets an error, or is ended where a page that it may use is not to be had. */
static bool has_starved(int status)
{
	return status == 0 ||
	       (WIFSIGNALED(status) && (WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGBUS ||
					WTERMSIG(status) == SIGSEGV));
}

TEST_LIMIT(memory, 100)
{
	long used;

	needs_own_machine();
	used = used_memory();
	for (int i = 0; i < 3; i++) {
		int status = in_child(eat, NULL);

		if (!EXPECT(has_starved(status)))
			say("# status %#x", status);
		check_recovery(used);
	}
}

TEST_LIMIT(memory_of_several, 200)
{
	pid_t pids[4];
	int status;
	long used;

	needs_own_machine();
	used = used_memory();
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
		pids[i] = fork();
		if (!pids[i])
			eat(NULL);
		ASSERT(pids[i] > 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
		EXPECT_EQ(sys(SYS_wait4, pids[i], &status, 0, NULL), pids[i]);
		if (!EXPECT(has_starved(status)))
			say("# status %#x", status);
	}
	check_recovery(used);
}

static void map_much(void *arg)
{
	(void)arg;
	first_to_go(1000);
	/* Linux has a limit of 65,530; where memory alone is one, this is enough of them. */
	for (long n = 0; n < 100000; n++)
		/* Neighbours that are no one mapping */
		if (mmap(NULL, PAGE, n % 2 ? PROT_READ : PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			 0) == MAP_FAILED)
			_exit(errno != ENOMEM);
	_exit(0);
}

TEST_LIMIT(mappings, 200)
{
	long used;

	needs_own_machine();
	used = used_memory();
	EXPECT(has_starved(in_child(map_much, NULL)));
	check_recovery(used);
}

TEST(more_than_there_is)
{
	/* At once: refused, or at least no trouble until it is used */
	long p = sys(SYS_mmap, 0, 1UL << 46, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		     -1, 0);

	EXPECT(p == -ENOMEM || p > 0);
	EXPECT_EQ(sys(SYS_brk, sys(SYS_brk, 0) + (1L << 46)), sys(SYS_brk, 0));
}

TEST_LIMIT(many_in_turn, 100)
{
	/* Nothing is left of each */
	long used;

	needs_own_machine();
	used = used_memory();
	for (int i = 0; i < 2000; i++) {
		int status;
		long pid = sys(SYS_clone, SIGCHLD);

		if (!pid)
			sys(SYS_exit_group, 0);
		ASSERT(pid > 0);
		ASSERT_EQ(sys(SYS_wait4, pid, &status, 0, NULL), pid);
	}
	check_recovery(used);
}
