// SPDX-License-Identifier: MIT
/*
 * What musl keeps for each thread, and how its threads wait for each other: errno, and
 * the locks of stdio and malloc.
 */
#include "musl_emu.h"
#include <ahoy/compiler.h>
#include <ahoy/errno.h>
#include <ahoy/init.h>
#include <ahoy/libc.h>
#include <ahoy/thread.h>
#include <ahoy/time.h>
#include <ahoy/wait.h>
#include <asm/current.h>

#define FUTEX_WAIT    0u
#define FUTEX_WAKE    1u
#define FUTEX_REQUEUE 3u
#define FUTEX_PRIVATE 128u

/* Numbers of threads: musl's locks name who holds them, with 30 bits. */
#define TID_MASK 0x3fffffffu

/* Not zero. They come again after a thousand million threads. */
static int next_tid(void)
{
	static u32 last = 1;
	u32 tid;

	do {
		tid = __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED) & TID_MASK;
	} while (tid <= 1);
	return (int)tid;
}

__used void *libc_thread(void)
{
	struct thread *thread = thread_current();

	if (thread == &boot_thread)
		return libc_boot_thread;
	if (!thread->libc_ready) {
		libc_thread_init(thread->libc, next_tid());
		thread->libc_ready = true;
	}
	return thread->libc;
}

/* From init level mm on there may be threads. */
INIT(mm, libc_threads_start);

/*
 * Waiting for a word, as musl's locks do. Those who are to be moved to another word are woken:
 * they look at it themselves.
 */
MUSL_CALL(98, futex)
{
	const u32 *word = (const u32 *)arg[0];
	const struct timespec *timeout = (const struct timespec *)arg[3];
	u64 deadline = TIME_NEVER;

	switch ((u32)arg[1] & ~FUTEX_PRIVATE) {
	case FUTEX_WAIT:
		if (timeout && !IS_ENABLED(CONFIG_TIMERS)) {
			/* Who waits looks at the clock, and comes again. */
			thread_yield();
			return -EAGAIN;
		}
		if (timeout)
			deadline = musl_deadline(timeout);
		return wait_on(word, (u32)arg[2], deadline);
	case FUTEX_WAKE:
		return wake(word, (u32)arg[2]);
	case FUTEX_REQUEUE:
		return wake(word, (u32)arg[2] + (u32)arg[3]);
	default:
		return -ENOSYS;
	}
}

MUSL_CALL(124, sched_yield)
{
	thread_yield();
	return 0;
}
