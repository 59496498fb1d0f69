/* SPDX-License-Identifier: MIT */
/*
 * Processes and their threads.
 *
 * A task is a thread of a process; the core's personality word of a thread leads
 * to its task. A process has memory, descriptors, and after its end a status
 * that its parent waits for.
 *
 * One lock, processes_lock, is over who exists, who belongs to whom, and signals
 * that have not arrived; it is never held while something is waited for.
 */
#ifndef POSIX_PROCESS_H
#define POSIX_PROCESS_H

#include "lock.h"
#include "signal.h"
#include <ahoy/core.h>
#include <ahoy/list.h>
#include <ahoy/rbtree.h>

struct files;

/* Limits by resource, as of prlimit64(); RLIM_INFINITY: none */
enum rlimit_resource {
	RLIMIT_CPU,
	RLIMIT_FSIZE,
	RLIMIT_DATA,
	RLIMIT_STACK,
	RLIMIT_CORE,
	RLIMIT_RSS,
	RLIMIT_NPROC,
	RLIMIT_NOFILE,
	RLIMIT_MEMLOCK,
	RLIMIT_AS,
	RLIMIT_LOCKS,
	RLIMIT_SIGPENDING,
	RLIMIT_MSGQUEUE,
	RLIMIT_NICE,
	RLIMIT_RTPRIO,
	RLIMIT_RTTIME,
	RLIMITS
};

#define RLIM_INFINITY U64_MAX

struct rlimit {
	u64 cur, max;
};

/*
 * A number that processes, threads, groups and sessions are known by. It is
 * not given again as long as one of them has it.
 */
struct id {
	struct rb_node node;
	int nr;
	unsigned int uses;
	struct process *process; /* the one that has it as its pid; it may be a zombie */
	struct task *task;	 /* the thread that has it as its tid */
	struct list_head group;	 /* the processes of the group with this number */
};

/* What the tasks of a process, or of a vfork() that goes on, have in memory. */
struct memory {
	u32 users;
	struct address_space *space;

	struct lock lock; /* of all changes of what is mapped, and of these */
	unsigned long brk_start, brk;
	unsigned long stack_start, stack_end;
	unsigned long map_base; /* where room for mappings begins */
	unsigned long map_free; /* and where it may; all before is taken */
};

/* A parent that waits until its child has no need of its memory any more. */
struct vfork {
	u32 users;
	u32 busy;
};

struct process {
	/* Set at its start; memory and files change at execve() alone, by the only task */
	int pid;
	int ppid; /* read without lock, changed under processes_lock */
	struct memory *memory;
	struct files *files;

	/* Under processes_lock */
	struct id *id, *group, *session;
	struct process *parent;
	struct list_head children, sibling, group_link;
	struct list_head tasks;
	unsigned int task_count;
	unsigned int exit_signal; /* that its parent gets, 0: none */
	u32 status;		  /* as wait4() tells it, once it is a zombie */
	bool zombie;
	bool ending;		/* all tasks end, with status */
	bool executed;		/* it has made execve() since its fork */
	struct task *successor; /* all tasks but this one end: for execve() */
	struct signals signals;
#ifdef CONFIG_RESOURCE_LIMITS
	struct rlimit limits[RLIMITS];
#endif

	u32 child_events; /* counts what wait4() may be waiting for */
	u32 task_events;  /* and ends of tasks */
};

struct task {
	struct process *process;
	struct id *id;
	int tid;
	unsigned int __user *clear_child_tid;
	void __user *robust_list;
	struct vfork *vfork; /* of the one that made it */
	char name[16];	     /* as of prctl() */

	/* Under processes_lock */
	struct thread *thread;
	struct list_head link; /* in process->tasks */
	struct task_signals signals;
};

extern struct lock processes_lock;

/* Process 1, which gets the children of those that end before them. */
extern struct process *first_process;

static inline struct task *current_task(void)
{
	return personality_word();
}

static inline struct process *current_process(void)
{
	return current_task()->process;
}

/* --- limits.c ------------------------------------------------------------------------ */

/* What the first process may have; others inherit it. */
#define STACK_LIMIT  (8ULL << 20)
#define NOFILE_LIMIT 1024ULL

#ifdef CONFIG_RESOURCE_LIMITS
/* Give a new process the limits of @parent, or the first ones if that is NULL. */
void limits_inherit(struct process *process, const struct process *parent);

/* How much of @resource @process may have. Context: any. */
static inline u64 limit_of(const struct process *process, enum rlimit_resource resource)
{
	return READ_ONCE(process->limits[resource].cur);
}
#else
static __always_inline void limits_inherit(struct process *process, const struct process *parent)
{
}

static __always_inline u64 limit_of(const struct process *process, enum rlimit_resource resource)
{
	return resource == RLIMIT_STACK	   ? STACK_LIMIT
	       : resource == RLIMIT_NOFILE ? NOFILE_LIMIT
					   : RLIM_INFINITY;
}
#endif

/* How much of @resource the current process may have. Context: any. */
static inline u64 process_limit(enum rlimit_resource resource)
{
	return limit_of(current_process(), resource);
}

/* --- process.c -------------------------------------------------------------------- */

/*
 * A process with one task, for nobody to see yet; what it has is the caller's
 * to fill in. @parent: whose group, session, limits and ignored signals it has;
 * NULL for the first one. Return: NULL without memory.
 */
struct process *process_create(struct process *parent, struct task **task);

/* Free what process_create() made and process_publish() did not get. */
void process_discard(struct process *process, struct task *task);

/* Another task for @process, in the same way; and to undo it. */
struct task *task_create(struct process *process);
void task_discard(struct task *task);

/*
 * Give @task a number, and its @process too if it is the first; from here on
 * others see both. Return: 0; -EAGAIN: there are too many, -ENOMEM. processes_lock held.
 */
int task_publish(struct task *task);

/* The memory of a task that task_withdraw() has taken away */
void task_free(struct task *task);

/* Undo that. processes_lock held. */
void task_withdraw(struct task *task);

/* How many there are, of all processes. Context: any. */
unsigned int task_total(void);

/* The only task of its process gets its number, if it was another that had it. processes_lock held. */
void task_take_pid(struct task *task);

/* Memory for one user, with an empty space or a copy of @from's. Return: NULL without memory. */
struct memory *memory_create(void);
struct memory *memory_clone(struct memory *from);

/* Give up @memory; with the last user its space goes. */
void memory_put(struct memory *memory);

/* The process, or the thread, with this number; NULL if there is none. processes_lock held. */
struct id *id_find(int nr);

/* The process behind @process, in order of numbers; NULL: the first; or no more. processes_lock held. */
struct process *process_next(struct process *process);

/* Have @process be in the group, or session, of @id. processes_lock held. */
void process_set_group(struct process *process, struct id *id);
void process_set_session(struct process *process, struct id *id);

/* The zombie @process goes for good. processes_lock held. */
void process_reap(struct process *process);

/* --- ids.c -------------------------------------------------------------------------- */

/* The number of its group. */
int process_group(struct process *process);

/* --- exit.c ------------------------------------------------------------------------- */

/* The current thread ends; if it is the last one its process ends with @status, as of wait4(). */
void task_exit(u32 status) __noreturn;

/* The current process ends with @status, as of wait4(), or with that of another who was faster. */
void process_exit(u32 status) __noreturn;

/* All tasks of @process end, with @status. processes_lock held. */
void process_end(struct process *process, u32 status);

/*
 * All tasks of the current process but this one end. Return: 0, and then it is
 * the only one and has the number of the process; -EAGAIN if this one is to end itself.
 */
int process_single_out(void);

/* Tell its parent that the zombie @process is one; it may be gone then. processes_lock held. */
void process_tell_parent(struct process *process);

/* The parent of a vfork() may go on. */
void vfork_done(struct task *task);
void vfork_put(struct vfork *vfork);

/* --- print_fault.c ------------------------------------------------------------------------ */

#ifdef CONFIG_PRINT_USER_FAULTS
/* The current program with @regs gets @signal for an access of the kind @access to @addr. */
void print_user_fault(const struct user_regs *regs, unsigned int signal, unsigned long addr,
		      unsigned int access);
#else
static inline void print_user_fault(const struct user_regs *regs, unsigned int signal,
				    unsigned long addr, unsigned int access)
{
}
#endif

/* --- exec.c --------------------------------------------------------------------------- */

/* Load the first program into the current process, which has none yet. Return: 0 or an error. */
int exec_first(const char *path, struct user_regs *regs);

#endif
