// SPDX-License-Identifier: MIT
/* What execve() refuses, what it starts, and what a program finds when it starts. */
#include "ktap.h"
#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
extern const char __ehdr_start[];
extern void _start(void);

/* --- refused ------------------------------------------------------------------------------- */

static long execute(const char *path)
{
	char *argv[] = { (char *)"x", NULL };

	return sys(SYS_execve, path, argv, NULL);
}

TEST(paths)
{
	char *path = private_pages(4);

	EXPECT_EQ(execute("data/missing"), -ENOENT);
	EXPECT_EQ(execute(""), -ENOENT);
	EXPECT_EQ(execute("data/missing/x"), -ENOENT);
	EXPECT_EQ(execute("data/text/x"), -ENOTDIR);
	EXPECT_EQ(execute("data/dangling"), -ENOENT);
	EXPECT_EQ(execute("data/loop"), -ELOOP);
	EXPECT_EQ(execute("data/folder"), -EACCES);
	EXPECT_EQ(execute("data"), -EACCES);
	EXPECT_EQ(execute("data/text"), -EACCES);
	EXPECT_EQ(execute("data/script-not-executable"), -EACCES);
	EXPECT_EQ(execute("/dev/null"), -EACCES);
	memset(path, '/', 3 * PAGE);
	EXPECT_EQ(execute(path), -ENAMETOOLONG);
	EXPECT_BAD(bad_to_read(), execute(bad), -EFAULT);
}

TEST(no_programs)
{
	static const char *const names[] = {
		"empty-program",  "no-program",	     "short-elf",	"elf-magic",
		"elf-class",	  "elf-machine",     "elf-core",	"elf-relocatable",
		"elf-phentsize",  "elf-phnum-zero",  "elf-phoff-far",	"elf-phoff-negative",
		"elf-phnum-many", "elf-header-only", "elf-half-header", "script-nothing",
		"script-blank",	  "script-long",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char path[64];

		snprintf(path, sizeof(path), "data/%s", names[i]);
		if (!EXPECT_EQ(execute(path), -ENOEXEC))
			say("# %s", path);
	}
}

TEST(script_errors)
{
	EXPECT_EQ(execute("data/script-missing"), -ENOENT);
	EXPECT_EQ(execute("data/script-folder"), -EACCES);
	EXPECT_EQ(execute("data/script-itself"), -ELOOP);
}

TEST(vector_pointers)
{
	const char *path = self_path();
	char *argv[] = { (char *)"x", NULL, NULL };
	char **end = (char **)(void *)before_nothing(8);

	end[0] = (char *)"x";
	EXPECT_EQ(sys(SYS_execve, path, end, NULL), -EFAULT);
	EXPECT_EQ(sys(SYS_execve, path, argv, end), -EFAULT);
	for (const struct bad_pointer *row = bad_to_read(); row->name; row++) {
		/* No vector at all is an empty one. */
		if (row->address) {
			EXPECT_EQ(sys(SYS_execve, path, row->address, NULL), -EFAULT);
			EXPECT_EQ(sys(SYS_execve, path, argv, row->address), -EFAULT);
			argv[1] = row->address;
			EXPECT_EQ(sys(SYS_execve, path, argv, NULL), -EFAULT);
			EXPECT_EQ(sys(SYS_execve, path, NULL, argv), -EFAULT);
			argv[1] = NULL;
		}
	}
}

TEST(too_much)
{
	/* Of one string, and of all together */
	size_t one = 128 * 1024, n = 4000;
	char *string = private_pages(one / PAGE + 1);
	char **argv = private_pages(n * 8 / PAGE + 1);

	memset(string, 'x', one);
	argv[0] = string;
	EXPECT_EQ(sys(SYS_execve, self_path(), argv, NULL), -E2BIG);
	EXPECT_EQ(sys(SYS_execve, self_path(), NULL, argv), -E2BIG);
	string[10000] = 0;
	for (size_t i = 0; i < n; i++)
		argv[i] = string;
	EXPECT_EQ(sys(SYS_execve, self_path(), argv, NULL), -E2BIG);
}

/* --- started ------------------------------------------------------------------------------- */

/* What the arguments are, joined by '|', must be what WANT says. */
CHILD_ROLE(report)
{
	static char got[300000];
	const char *want = getenv("WANT");

	for (int i = 0; i < argc; i++) {
		strcat(got, i ? "|" : "");
		strcat(got, argv[i]);
	}
	if (argv[argc])
		return 2;
	if (want && !strcmp(got, want))
		return 0;
	say("# got %s, not %s", got, want);
	return 1;
}

/* Return: the status of a child that executes @path, or ends with 1000 * errno if it cannot */
static int status_of(const char *path, char **argv, char **envp)
{
	int *error = shared_pages(1);
	int status;
	pid_t pid = fork();

	if (!pid) {
		*error = (int)-sys(SYS_execve, path, argv, envp);
		_exit(99);
	}
	ASSERT(pid > 0);
	ASSERT_EQ(sys(SYS_wait4, pid, &status, 0, NULL), pid);
	return *error ? *error * 1000 : status;
}

static void needs_exec(void)
{
	if (on_qemu_user())
		SKIP("qemu-user cannot exec a program for RISC-V");
}

static int run_script(const char *path, const char *want)
{
	char *argv[] = { (char *)"ignored", (char *)"one", (char *)"two words", NULL };
	char *envp[] = { (char *)want, NULL };

	return status_of(path, argv, envp);
}

TEST(arguments)
{
	char *argv[] = { (char *)"name", (char *)"--report", (char *)"", (char *)"a b", NULL };
	char *envp[] = { (char *)"A=1", (char *)"WANT=name|--report||a b", (char *)"B", NULL };

	needs_exec();
	EXPECT_EQ(status_of(self_path(), argv, envp), 0);
}

TEST(long_arguments)
{
	/* The longest string, and many */
	size_t one = 128 * 1024 - 1;
	char *want = private_pages(one / PAGE + 2), *string = private_pages(one / PAGE + 1);
	char *argv[3000] = { (char *)"n", (char *)"--report", string };
	char *envp[] = { want, NULL };

	needs_exec();
	memset(string, 'y', one - 30);
	snprintf(want, one + PAGE, "WANT=n|--report|%s", string);
	EXPECT_EQ(status_of(self_path(), argv, envp), 0);
	snprintf(want, one, "WANT=n|--report");
	for (int i = 2; i < 2999; i++) {
		argv[i] = (char *)"argument";
		strcat(want, "|argument");
	}
	EXPECT_EQ(status_of(self_path(), argv, envp), 0);
}

TEST(scripts)
{
	needs_exec();
	EXPECT_EQ(run_script("data/script", "WANT=test-exec|--report|data/script|one|two words"),
		  0);
	EXPECT_EQ(run_script("data/script-spaces",
			     "WANT=test-exec|--report|data/script-spaces|one|two words"),
		  0);
	EXPECT_EQ(run_script("data/script-no-newline",
			     "WANT=test-exec|--report|data/script-no-newline|one|two words"),
		  0);
	EXPECT_EQ(run_script("data/script-script",
			     "WANT=test-exec|--report|data/script|more|data/script-script|one|two "
			     "words"),
		  0);
	/* All behind the interpreter is one argument, and no role has such a name. */
	EXPECT_EQ(run_script("data/script-long-argument", "WANT="), 125 << 8);
}

TEST(plain_program)
{
	char *argv[] = { (char *)"x", NULL };

	needs_exec();
	EXPECT_EQ(status_of("data/elf-good", argv, NULL), 0);
	EXPECT_EQ(status_of("data/elf-good", NULL, NULL), 0);
	EXPECT_EQ(status_of("./data/../data/elf-good", argv, argv), 0);
}

TEST(broken_programs)
{
	static const char *const names[] = { "entry-nowhere", "entry-kernel", "vaddr-kernel",
					     "vaddr-end",     "memsz-small",  "memsz-huge",
					     "filesz-huge",   "offset-odd",   "offset-far",
					     "no-load",	      "no-exec" };
	char *argv[] = { (char *)"x", NULL };

	needs_exec();
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char path[64];
		int status;

		snprintf(path, sizeof(path), "data/elf-%s", names[i]);
		status = status_of(path, argv, NULL);
		/* An error, or it is too late for one: the process ends. */
		if (!EXPECT(status == ENOEXEC * 1000 || status == EINVAL * 1000 ||
			    status == ENOMEM * 1000 || status == EFAULT * 1000 ||
			    (status < 1000 && WIFSIGNALED(status))))
			say("# %s: %d", path, status);
	}
}

/* --- what stays, and what does not --------------------------------------------------------- */

CHILD_ROLE(heir)
{
	long start = sys(SYS_brk, 0);

	(void)argc;
	EXPECT_EQ(getpid(), atoi(argv[2]));
	EXPECT_EQ(getppid(), atoi(argv[3]));
	EXPECT_EQ(sys(SYS_lseek, 40, 0, SEEK_CUR), 77);
	EXPECT_EQ(sys(SYS_fcntl, 41, F_GETFD), -EBADF);
	EXPECT_EQ(signal_of_load((void *)strtoul(argv[4], NULL, 16)), SIGSEGV);
	EXPECT(start > 0);
	EXPECT_EQ(sys(SYS_gettid), getpid());
	end_child();
}

static void become_heir(int parent, int fd)
{
	char pid[20], ppid[20], mapping[20];
	char *argv[] = { (char *)"x", (char *)"--heir", pid, ppid, mapping, NULL };

	snprintf(pid, sizeof(pid), "%d", getpid());
	snprintf(ppid, sizeof(ppid), "%d", parent);
	/* Far from where anything is mapped at the start */
	snprintf(mapping, sizeof(mapping), "%lx",
		 (unsigned long)mmap((void *)0x123456000, PAGE, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	sys(SYS_lseek, fd, 77, SEEK_SET);
	sys(SYS_dup3, fd, 40, 0);
	sys(SYS_dup3, fd, 41, O_CLOEXEC);
	sys(SYS_execve, self_path(), argv, NULL);
	sys(SYS_exit_group, 99);
}

TEST(what_stays)
{
	int fd = open_data("text"), status;
	pid_t me = getpid(), pid;

	needs_exec();
	pid = fork();
	if (!pid)
		become_heir(me, fd);
	ASSERT(pid > 0);
	EXPECT_EQ(sys(SYS_wait4, pid, &status, 0, NULL), pid);
	EXPECT_EQ(status, 0);
	/* The position is shared, and 41 was closed for the child alone. */
	EXPECT_EQ(sys(SYS_lseek, fd, 0, SEEK_CUR), 77);
}

TEST(failure_changes_nothing)
{
	int fd = open_data("text");
	char *p = private_pages(1);

	*p = 5;
	EXPECT_EQ(sys(SYS_fcntl, fd, F_SETFD, FD_CLOEXEC), 0);
	EXPECT_EQ(execute("data/no-program"), -ENOEXEC);
	EXPECT_EQ(execute("data/elf-phnum-many"), -ENOEXEC);
	EXPECT_EQ(*p, 5);
	EXPECT_EQ(sys(SYS_fcntl, fd, F_GETFD), FD_CLOEXEC);
}

TEST(spawn_many)
{
	char *argv[] = { (char *)"x", NULL };

	needs_exec();
	for (int i = 0; i < 200; i++)
		if (!EXPECT_EQ(status_of("data/elf-good", argv, NULL), 0))
			break;
}

/* --- the start ----------------------------------------------------------------------------- */

TEST(auxiliary_vector)
{
	const Elf64_Ehdr *header = (const void *)__ehdr_start;
	const char *random = (const char *)getauxval(AT_RANDOM);

	EXPECT_EQ(getauxval(AT_PAGESZ), PAGE);
	EXPECT_EQ(getauxval(AT_PHDR), __ehdr_start + header->e_phoff);
	EXPECT_EQ(getauxval(AT_PHENT), sizeof(Elf64_Phdr));
	EXPECT_EQ(getauxval(AT_PHNUM), header->e_phnum);
	EXPECT_EQ(getauxval(AT_ENTRY), (long)_start);
	EXPECT_EQ(getauxval(AT_BASE), 0);
	EXPECT_EQ(getauxval(AT_CLKTCK), 100);
	EXPECT_EQ(getauxval(AT_SECURE), 0);
	EXPECT_EQ(getauxval(AT_UID), getuid());
	EXPECT_EQ(getauxval(AT_EUID), geteuid());
	EXPECT_EQ(getauxval(AT_GID), getgid());
	EXPECT_EQ(getauxval(AT_EGID), getegid());
	ASSERT(random);
	EXPECT_EQ(signal_of_load(random + 15), 0);
	EXPECT(self_path() && strstr(self_path(), "test-exec"));
}

TEST(stack_alignment)
{
	/* At the start sp points to argc, behind which argv is: environ, less NULL and argv. */
	char **vector = environ - 1;

	EXPECT(!*vector);
	while ((long)vector[-1] > 4096)
		vector--;
	EXPECT_EQ((long)(vector - 1) % 16, 0);
}

CHILD_ROLE(random)
{
	unsigned long *random = (unsigned long *)getauxval(AT_RANDOM);

	(void)argc;
	/* What it told last time must not be told again. */
	return random[0] == strtoul(argv[2], NULL, 16) || (random[0] == 0 && random[1] == 0);
}

TEST(random_bytes_differ)
{
	char text[20];
	char *argv[] = { (char *)"x", (char *)"--random", text, NULL };

	needs_exec();
	snprintf(text, sizeof(text), "%lx", *(unsigned long *)getauxval(AT_RANDOM));
	for (int i = 0; i < 5; i++)
		EXPECT_EQ(status_of(self_path(), argv, NULL), 0);
}

/* Data and bss of a new program */
static int initialised = 12345;
static char zeroes[100000];

CHILD_ROLE(fresh)
{
	size_t wrong = initialised != 12345;

	(void)argc;
	(void)argv;
	for (size_t i = 0; i < sizeof(zeroes); i++)
		wrong += zeroes[i] != 0;
	return wrong != 0;
}

TEST(fresh_data)
{
	char *argv[] = { (char *)"x", (char *)"--fresh", NULL };

	needs_exec();
	initialised = 1;
	memset(zeroes, 1, sizeof(zeroes));
	EXPECT_EQ(status_of(self_path(), argv, NULL), 0);
}
