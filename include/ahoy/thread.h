/* SPDX-License-Identifier: MIT */
/* Kernel threads: what runs, one at a time on a hart. */
#ifndef AHOY_THREAD_H
#define AHOY_THREAD_H

#include <ahoy/core.h> /* thread_yield() */
#include <ahoy/libc.h>
#include <ahoy/list.h>
#include <ahoy/lockdep.h>
#include <ahoy/types.h>
#include <asm/current.h>
#include <asm/switch.h>

/* A smaller number is more urgent. Threads of one priority take turns. */
#define THREAD_PRIORITIES 32
#define PRIORITY_DEFAULT  16
#define PRIORITY_IDLE	  (THREAD_PRIORITIES - 1)

struct address_space;

enum thread_state {
	THREAD_READY, /* in the run queue, or running */
	THREAD_WAITING,
	THREAD_ENDED,
	THREAD_IDLE, /* a hart's own, which runs when nobody else does */
};

struct thread {
	struct switch_frame frame; /* first: the switch finds it there */
	u32 work;		   /* behind it: WORK_ bits, looked at before its program goes on */
#ifdef CONFIG_USERSPACE
	void *word; /* the personality's */
#endif

	/* Under the lock of its hart's run queue */
	struct list_head queue;
	u8 state;
	u8 priority;
	u16 hart; /* index of where it runs, or ran last */

	/* Under the lock of the wait queues */
	struct list_head wait_link;
	const u32 *wait_word;
	int wait_result;
	bool interruptible;

#ifdef CONFIG_ADDRESS_SPACES
	struct address_space *space; /* its user memory, or NULL; its own business */
#endif
#ifdef CONFIG_USERSPACE
	struct user_frame *user; /* of its program, or NULL */
	struct thread *next;	 /* that has ended and is not freed yet */
#endif

	u32 ended; /* 0, then 1: waited for by who joins it */
	bool gone; /* it does not use its stack any more */
	int status;
	const char *name;
	int (*fn)(void *arg);
	void *arg;
	void *stack; /* its lowest address; NULL for the boot stack */
#ifdef CONFIG_KERNEL_LIBC_MUSL
	bool libc_ready;
	u8 libc[LIBC_THREAD_SIZE] __aligned(16);
#endif
	struct lockdep_thread dep;
};

/*
 * Start a thread that calls @fn(@arg) at @priority (0 to PRIORITY_IDLE - 1) and
 * ends when that returns. @name is for reports and must stay. Return: the
 * thread, which thread_join() must take back, or NULL without memory.
 * Context: any thread.
 */
struct thread *thread_create(const char *name, int (*fn)(void *arg), void *arg,
			     unsigned int priority);

/* End the thread that runs this. @status: for thread_join(). */
void thread_exit(int status) __attribute__((__noreturn__));

/* Wait until @thread has ended, and free it. Return: its status. Context: another thread. */
int thread_join(struct thread *thread);

/*
 * Some stacks of threads that have ended are kept for the next ones: give their
 * memory back. Context: any thread.
 */
void thread_free_spare_stacks(void);

#endif
