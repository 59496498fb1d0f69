// SPDX-License-Identifier: MIT
/*
 * The first process: runs the commands of /list, one a line, one after another,
 * says how each ended, and then ends the machine. A line NAME=VALUE is for the
 * environment of those behind it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_WORDS 16

static char list[16384];

/* Without a console nothing can be told. */
static void open_console(void)
{
	int fd;

	if (fcntl(1, F_GETFD) >= 0)
		return;
	fd = open("/dev/console", O_RDWR);
	while (fd >= 0 && fd < 2)
		fd = dup(fd);
}

static int run(char **words)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		execv(words[0], words);
		dprintf(1, "# exec: %m\n");
		_exit(126);
	}
	if (pid < 0)
		return -1;
	/* Orphans may end in between. */
	for (;;) {
		pid_t got = wait(&status);

		if (got == pid)
			return status;
		if (got < 0)
			return -1;
	}
}

static int run_line(char *line)
{
	char *words[MAX_WORDS + 1];
	char *rest;
	int n = 0, status;

	for (char *word = strtok_r(line, " ", &rest); word && n < MAX_WORDS;
	     word = strtok_r(NULL, " ", &rest))
		words[n++] = word;
	words[n] = NULL;
	if (!n)
		return 0;
	if (strchr(words[0], '='))
		return putenv(words[0]);
	dprintf(1, "# run %s\n", words[0]);
	status = run(words);
	dprintf(1, "# end %s %d\n", words[0], status);
	return status != 0;
}

int main(void)
{
	int failed = 0;
	char *rest;
	int fd;

	open_console();
	/* Linux is told there which processes are to be spared. */
	mkdir("/proc", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	fd = open("/list", O_RDONLY);
	if (fd < 0 || read(fd, list, sizeof(list) - 1) < 0)
		dprintf(1, "# /list: %m\n");
	close(fd);
	for (char *line = strtok_r(list, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		failed += run_line(line);
	dprintf(1, "# all have ended, %d failed\n", failed);
	reboot(RB_POWER_OFF);
	return failed ? 1 : 0;
}
