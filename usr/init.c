// SPDX-License-Identifier: MIT
/*
 * A first program that runs others, one after another: those in its arguments,
 * ";" between them, or those in /etc/commands, one a line. What they leave behind
 * is reaped. At the end the machine is switched off; if a program failed, that is
 * done by ending with the status of the first one that did.
 */
#include "raw.h"

#define LIST	   "/etc/commands"
#define LIST_SIZE  16384
#define MAX_WORDS  64
#define STATUS_RUN 127 /* of a program that cannot be run, as shells have it */

/* Of Linux's ABI */
#define AT_FDCWD	     -100
#define SIGCHLD		     17
#define ENOENT		     2
#define ECHILD		     10
#define REBOOT_MAGIC1	     0xfee1deadU
#define REBOOT_MAGIC2	     672274793
#define REBOOT_CMD_POWER_OFF 0x4321fedc

void init_main(long *stack) __attribute__((noreturn));

RAW_START(init_main);

static int first_failure;
static char **environment;

/* Print the texts up to NULL in one go, so that no other program's come between. */
static void say(const char *const texts[])
{
	char line[256];
	size_t n = 0;

	for (; *texts; texts++)
		for (const char *p = *texts; *p && n < sizeof(line) - 1; p++)
			line[n++] = *p;
	line[n++] = '\n';
	raw_write(1, line, n);
}

/* @value in decimal, in @buf of 12 bytes. */
static const char *decimal(int value, char *buf)
{
	unsigned int rest = value < 0 ? 0U - (unsigned int)value : (unsigned int)value;
	char *p = buf + 11;

	*p = '\0';
	do
		*--p = (char)('0' + rest % 10);
	while (rest /= 10);
	if (value < 0)
		*--p = '-';
	return p;
}

/* What a shell would have in $? after a program with this wait status; say what went wrong. */
static int exit_status(const char *name, int status)
{
	int signal = status & 0x7f, code = status >> 8 & 0xff;
	char buf[12];

	if (signal) {
		say((const char *[]){ "init: ", name, ": ended by signal ", decimal(signal, buf),
				      NULL });
		return 128 + signal;
	}
	if (code)
		say((const char *[]){ "init: ", name, ": exit status ", decimal(code, buf), NULL });
	return code;
}

/* In the child: become the program. */
static void __attribute__((noreturn)) run(char **words)
{
	long err = raw_call(NR_execve, (long)words[0], (long)words, (long)environment, 0);
	char buf[12];

	say((const char *[]){ "init: ", words[0], ": cannot be run: error ",
			      decimal((int)-err, buf), NULL });
	raw_exit(STATUS_RUN);
}

/* Run a program to its end, reap others that end meanwhile. Return: its status, for a shell. */
static int run_and_wait(char **words)
{
	long pid = raw_call(NR_clone, SIGCHLD, 0, 0, 0), ended;
	char buf[12];
	int status;

	if (pid < 0) {
		say((const char *[]){ "init: no new process: error ", decimal((int)-pid, buf),
				      NULL });
		return STATUS_RUN;
	}
	if (!pid)
		run(words);
	do
		ended = raw_call(NR_wait4, -1, (long)&status, 0, 0);
	while (ended >= 0 && ended != pid);
	return ended == pid ? exit_status(words[0], status) : STATUS_RUN;
}

/* @words ends with NULL; none: nothing is run. */
static void do_command(char **words)
{
	int status = words[0] ? run_and_wait(words) : 0;

	if (!first_failure)
		first_failure = status;
}

/* Commands with ";" between them. */
static void do_arguments(char **words)
{
	char **first = words;

	for (; *words; words++) {
		if (words[0][0] == ';' && !words[0][1]) {
			*words = NULL;
			do_command(first);
			first = words + 1;
		}
	}
	do_command(first);
}

/* One line; words are apart by blanks, and from "#" on it means nothing. */
static void do_line(char *line)
{
	char *words[MAX_WORDS + 1];
	size_t count = 0;

	for (; *line && *line != '#' && count < MAX_WORDS; line++) {
		int blank = *line == ' ' || *line == '\t';

		if (blank)
			*line = '\0';
		else if (!count || !line[-1])
			words[count++] = line;
	}
	*line = '\0';
	words[count] = NULL;
	do_command(words);
}

static void do_list(void)
{
	/* In front of the text, so that each word has a NUL before it. */
	static char text[1 + LIST_SIZE + 1];
	long fd = raw_call(NR_openat, AT_FDCWD, (long)LIST, 0, 0), n;
	char *line = text + 1, *end = line;
	char buf[12];

	if (fd < 0) {
		say((const char *[]){ "init: no command line and no " LIST ": error ",
				      decimal((int)-fd, buf), NULL });
		first_failure = STATUS_RUN;
		return;
	}
	while ((n = raw_call(NR_read, fd, (long)end, text + 1 + LIST_SIZE - end, 0)) > 0)
		end += n;
	raw_call(NR_close, fd, 0, 0, 0);
	for (char *p = line; p <= end; p++) {
		if (p == end || *p == '\n') {
			*p = '\0';
			do_line(line);
			line = p + 1;
		}
	}
}

void init_main(long *stack)
{
	long argc = stack[0];
	char **argv = (char **)(stack + 1);

	environment = argv + argc + 1;
	if (argc > 1)
		do_arguments(argv + 1);
	else
		do_list();
	/* Only the first process may; an ordinary program just ends. */
	if (!first_failure && raw_call(NR_getpid, 0, 0, 0, 0) == 1)
		raw_call(NR_reboot, (long)REBOOT_MAGIC1, REBOOT_MAGIC2, REBOOT_CMD_POWER_OFF, 0);
	raw_exit(first_failure);
}
