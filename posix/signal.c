// SPDX-License-Identifier: MIT
/*
 * Signals without handlers: each ends a process, stops nothing, or is ignored.
 * One that is blocked waits until it is not.
 */
#include "signal.h"
#include "message.h"
#include "process.h"
#include "syscall.h"
#include <ahoy/compiler.h>
#include <ahoy/kconfig.h>
#include <ahoy/string.h>

/* What they do by default */
#define DEFAULT_STOP   (SIG_BIT(SIGSTOP) | SIG_BIT(SIGTSTP) | SIG_BIT(SIGTTIN) | SIG_BIT(SIGTTOU))
#define DEFAULT_IGNORE (SIG_BIT(SIGCHLD) | SIG_BIT(SIGCONT) | SIG_BIT(SIGURG) | SIG_BIT(SIGWINCH))
/* And what nobody can change or put off */
#define UNBLOCKABLE (SIG_BIT(SIGKILL) | SIG_BIT(SIGSTOP))

/* --- sending ------------------------------------------------------------------------ */

/* Is it of no use to keep @signal? One that is blocked may find another disposition later. */
static bool of_no_effect(const struct process *process, sigset blocked, unsigned int signal)
{
	/* Nothing ends the first process but what it does itself. */
	if (process == first_process)
		return true;
	if (blocked & SIG_BIT(signal))
		return false;
	return (process->signals.ignored | DEFAULT_IGNORE | DEFAULT_STOP) & SIG_BIT(signal);
}

void signal_task(struct task *task, unsigned int signal)
{
	struct process *process = task->process;

	if (process->zombie || of_no_effect(process, READ_ONCE(task->signals.blocked), signal))
		return;
	if (signal == SIGKILL) {
		signal_process(process, signal);
		return;
	}
	task->signals.pending |= SIG_BIT(signal);
	if (task->thread)
		thread_notify(task->thread);
}

void signal_process(struct process *process, unsigned int signal)
{
	struct task *task, *next, *taker = NULL;

	if (process->zombie || list_empty(&process->tasks))
		return;
	list_for_each_entry_safe(task, next, &process->tasks,
				 link) if (!taker && !(READ_ONCE(task->signals.blocked) &
						       SIG_BIT(signal))) taker = task;
	if (of_no_effect(process, taker ? 0 : SIG_BIT(signal), signal))
		return;
	process->signals.pending |= SIG_BIT(signal);
	if (signal == SIGKILL)
		process_end(process, signal);
	if (taker && taker->thread)
		thread_notify(taker->thread);
}

/* --- taking --------------------------------------------------------------------------- */

/* The lowest of those that have arrived and do something, which is not pending any more; or 0. */
static unsigned int take_signal(struct task *task)
{
	struct process *process = task->process;
	sigset open, *from;
	unsigned int signal = 1;

	process->signals.pending &= ~(process->signals.ignored & ~UNBLOCKABLE);
	task->signals.pending &= ~(process->signals.ignored & ~UNBLOCKABLE);
	from = task->signals.pending & ~task->signals.blocked ? &task->signals.pending
							      : &process->signals.pending;
	open = *from & ~task->signals.blocked;
	if (!open)
		return 0;
	while (!(open & SIG_BIT(signal)))
		signal++;
	*from &= ~SIG_BIT(signal);
	return signal;
}

void signal_attend(void)
{
	struct task *task = current_task();
	struct process *process = task->process;
	unsigned int signal;
	u32 status;

	lock(&processes_lock);
	do {
		signal = process->ending ? 0 : take_signal(task);
	} while (signal && (DEFAULT_IGNORE | DEFAULT_STOP) & SIG_BIT(signal));
	if (signal)
		process_end(process, signal);
	status = process->status;
	if (process->ending || (process->successor && process->successor != task)) {
		unlock(&processes_lock);
		task_exit(status);
	}
	unlock(&processes_lock);
}

void personality_attention(struct user_regs *regs __maybe_unused)
{
	signal_attend();
}

void signal_fatal(unsigned int signal)
{
	process_exit(signal);
}

/* --- faults ----------------------------------------------------------------------------- */

static unsigned int signal_of(enum user_fault fault, int error)
{
	switch (fault) {
	case USER_FAULT_ILLEGAL:
		return SIGILL;
	case USER_FAULT_BREAKPOINT:
		return SIGTRAP;
	case USER_FAULT_MISALIGNED:
		return SIGBUS;
	default:
		break;
	}
	/* What is mapped, but cannot be had; without memory Linux ends somebody by SIGKILL. */
	if (error == -ENOMEM)
		return SIGKILL;
	return error == -EFAULT || error == -EACCES ? SIGSEGV : SIGBUS;
}

void personality_fault(struct user_regs *regs, enum user_fault fault, unsigned long addr,
		       unsigned int access, int error)
{
	unsigned int signal = signal_of(fault, error);

	print_user_fault(regs, signal, addr, access);
	/* Nobody can handle it, and ignoring or blocking it would only make it come again. */
	signal_fatal(signal);
}
