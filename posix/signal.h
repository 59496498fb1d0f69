/* SPDX-License-Identifier: MIT */
/*
 * Signals: those that end a process, and those that nobody minds. A program
 * cannot handle any yet.
 */
#ifndef POSIX_SIGNAL_H
#define POSIX_SIGNAL_H

#include <ahoy/types.h>

struct process;
struct task;
struct user_regs;

#define SIGILL	 4
#define SIGTRAP	 5
#define SIGBUS	 7
#define SIGKILL	 9
#define SIGSEGV	 11
#define SIGPIPE	 13
#define SIGCHLD	 17
#define SIGCONT	 18
#define SIGSTOP	 19
#define SIGTSTP	 20
#define SIGTTIN	 21
#define SIGTTOU	 22
#define SIGURG	 23
#define SIGWINCH 28
#define SIGNALS	 64

/* A set of signals, as programs have it: bit n - 1 for signal n. */
typedef u64 sigset;

#define SIG_BIT(signal) (1ULL << ((signal)-1))

/* Of a process, under processes_lock */
struct signals {
	sigset pending; /* for whichever task takes them */
	sigset ignored;
	bool reap_children; /* SA_NOCLDWAIT */
};

/* Of a task */
struct task_signals {
	sigset pending;
	sigset blocked; /* changed by the task itself */
};

/* Send @signal to all of @process, or to @task. processes_lock held. */
void signal_process(struct process *process, unsigned int signal);
void signal_task(struct task *task, unsigned int signal);

/* Do what signals that have arrived for the current task want. */
void signal_attend(void);

/* The current process ends by @signal, which its program caused. */
void signal_fatal(unsigned int signal) __attribute__((__noreturn__));

#endif
