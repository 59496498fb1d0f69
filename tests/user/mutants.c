// SPDX-License-Identifier: MIT
/*
 * Programs with wrong bytes in them: run each of FOLDER/0, FOLDER/1, ... up to
 * FOLDER/COUNT-1 (arguments: FOLDER COUNT). It does not matter how they end.
 */
#include "ktap.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SECONDS 2

static unsigned long refused, exited, killed, stuck;

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Return: its status; -1 if it does not end */
static int wait_for(pid_t pid)
{
	double end = seconds() + SECONDS;
	struct timespec pause = { 0, 10000 };
	int status;

	while (waitpid(pid, &status, WNOHANG) != pid) {
		if (seconds() > end) {
			/* Where nobody can be ended from outside it goes on. */
			if (!kill(pid, SIGKILL))
				waitpid(pid, &status, 0);
			return -1;
		}
		nanosleep(&pause, NULL);
		if (pause.tv_nsec < 5000000)
			pause.tv_nsec *= 2;
	}
	return status;
}

static void run_mutant(const char *path)
{
	char *argv[] = { (char *)path, NULL };
	int status;
	pid_t pid = fork();

	if (!pid) {
		first_to_go(1000);
		/* What it prints is nobody's business. */
		close(0);
		close(1);
		close(2);
		execv(path, argv);
		_exit(111);
	}
	if (pid < 0) {
		say("# fork: %d", errno);
		exit(1);
	}
	status = wait_for(pid);
	if (status < 0)
		stuck++;
	else if (WIFSIGNALED(status))
		killed++;
	else if (WEXITSTATUS(status) == 111)
		refused++;
	else
		exited++;
}

int main(int argc, char **argv)
{
	unsigned long count = argc > 2 ? strtoul(argv[2], NULL, 0) : 0;
	long before, after = 0;

	first_to_go(-1000);
	/* Once for what is made at the first time */
	run_mutant("data/elf-good");
	before = getenv("QEMU_USER") ? 0 : used_memory();
	refused = exited = killed = stuck = 0;
	for (unsigned long i = 0; i < count; i++) {
		char path[64];

		snprintf(path, sizeof(path), "%s/%lu", argv[1], i);
		run_mutant(path);
	}
	for (int i = 0; before && i < 300; i++) {
		struct timespec pause = { 0, 10000000 };

		after = used_memory() - before;
		if (after < (getenv("AHOY") ? 64L << 10 : SLACK))
			break;
		nanosleep(&pause, NULL);
	}
	say("# %lu refused, %lu exited, %lu killed, %lu stuck", refused, exited, killed, stuck);
	say("# %ld bytes more in use", after);
	return 0;
}
