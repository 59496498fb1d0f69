// SPDX-License-Identifier: MIT
/* The main() of a program with tests. */
#include "ktap.h"
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern const struct test *const __start_tests[], *const __stop_tests[];
extern const struct child_role *const __start_roles[] __attribute__((weak));
extern const struct child_role *const __stop_roles[] __attribute__((weak));

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Wait for @pid up to @limit seconds. Return: its status, -1 if it had to be killed. */
static int wait_for(pid_t pid, unsigned int limit)
{
	double end = seconds() + limit;
	struct timespec pause = { 0, 20000 };
	int status;

	for (;;) {
		pid_t got = waitpid(pid, &status, WNOHANG);

		if (got == pid)
			return status;
		if (got < 0) {
			say("# cannot wait: %d", errno);
			return -1;
		}
		if (seconds() > end)
			break;
		if (nanosleep(&pause, NULL))
			sched_yield();
		if (pause.tv_nsec < 5000000)
			pause.tv_nsec *= 2;
	}
	say("# it took more than %u seconds", limit);
	if (kill(pid, SIGKILL)) {
		say("Bail out! it cannot be killed");
		_exit(KTAP_FAILED);
	}
	waitpid(pid, &status, 0);
	return -1;
}

static bool run(const struct test *test, unsigned int number, const char *program)
{
	int status;
	pid_t pid;

	*ktap_skip_reason = 0;
	pid = fork();
	if (!pid) {
		test->run();
		end_child();
	}
	if (pid < 0) {
		say("# fork: %d", errno);
		status = -1;
	} else {
		status = wait_for(pid, test->seconds);
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == KTAP_SKIPPED) {
		say("ok %u %s.%s # SKIP %s", number, program, test->name, ktap_skip_reason);
		return true;
	}
	if (status > 0 && WIFSIGNALED(status))
		say("# signal %d", WTERMSIG(status));
	say("%sok %u %s.%s", status ? "not " : "", number, program, test->name);
	return !status;
}

static bool matches(const struct test *test, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], test->name))
			return true;
	return argc < 2;
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');
	const char *program = slash ? slash + 1 : argv[0];
	unsigned int number = 0, failed = 0, count = 0;

	if (argc > 1 && !strncmp(argv[1], "--", 2)) {
		for (const struct child_role *const *r = __start_roles; r < __stop_roles; r++)
			if (!strcmp((*r)->name, argv[1] + 2))
				return (*r)->run(argc, argv);
		return 125;
	}
	if (!strncmp(program, "test-", 5))
		program += 5;
	/* What whoever started this has left open */
	for (int fd = 3; fd < 512; fd++)
		close(fd);
	first_to_go(-1000);
	ktap_skip_reason = shared_pages(1);
	for (const struct test *const *t = __start_tests; t < __stop_tests; t++)
		count += matches(*t, argc, argv);
	say("KTAP version 1");
	say("1..%u", count);
	for (const struct test *const *t = __start_tests; t < __stop_tests; t++)
		if (matches(*t, argc, argv))
			failed += !run(*t, ++number, program);
	if (failed)
		say("# %u of %u failed", failed, count);
	return failed ? 1 : 0;
}
