// SPDX-License-Identifier: MIT
/*
 * Who waits for which word: queues by a hash of its address. A queue holds
 * waiters of several words in the order in which they came.
 */
#include <ahoy/errno.h>
#include <ahoy/hangs.h>
#include <ahoy/init.h>
#include <ahoy/printk.h>
#include <ahoy/sched.h>
#include <ahoy/section.h>
#include <ahoy/smp.h>
#include <ahoy/spinlock.h>
#include <ahoy/timer.h>
#include <ahoy/wait.h>
#include <asm/current.h>

#define QUEUES 32

static struct list_head queues[QUEUES] __noinit;
static struct spinlock lock;

static __always_inline struct list_head *queue_of(const u32 *word)
{
	/* The golden ratio spreads neighbours; its high bits are the mixed ones. */
	return &queues[((unsigned long)word / sizeof(*word) * 0x9e3779b97f4a7c15UL) >> 59];
}
BUILD_BUG_ON(QUEUES != 1 << (64 - 59));

/* End @thread's wait, which is in a queue. Lock held. */
static __always_inline void leave_queue(struct thread *thread, int result)
{
	lockdep_assert_held(&lock);
	list_del(&thread->wait_link);
	thread->wait_word = NULL;
	thread->wait_result = result;
}

static void end_wait(struct thread *thread, int result)
{
	leave_queue(thread, result);
	sched_ready(thread);
}

#ifdef CONFIG_TIMERS
struct wait_timer {
	struct timer timer;
	struct thread *thread;
};

static void time_is_up(struct timer *timer)
{
	struct thread *thread = container_of(timer, struct wait_timer, timer)->thread;
	unsigned long flags = spin_lock(&lock);

	if (thread->wait_word)
		end_wait(thread, -ETIMEDOUT);
	spin_unlock(&lock, flags);
}
#endif

static int wait_common(const u32 *word, u32 expected, u64 deadline, bool interruptible)
{
	struct thread *thread = thread_current();
	unsigned long flags;
	int result = 0;

	might_sleep();
	flags = spin_lock(&lock);
	if (interruptible && READ_ONCE(thread->work) & WORK_NOTIFIED)
		result = -EINTR;
	else if (READ_ONCE(*word) != expected)
		result = -EAGAIN;
	else if (IS_ENABLED(CONFIG_TIMERS) && deadline != TIME_NEVER && deadline <= time_now())
		result = -ETIMEDOUT;
	if (!result) {
#ifdef CONFIG_TIMERS
		struct wait_timer timer = { .thread = thread };

		timer_init(&timer.timer, time_is_up);
		if (deadline != TIME_NEVER)
			timer_arm(&timer.timer, deadline);
#endif
		thread->wait_word = word;
		thread->interruptible = interruptible;
		thread->state = THREAD_WAITING;
		list_add_tail(&thread->wait_link, queue_of(word));
		/* Interrupts stay masked: from here on others may make it ready. */
		spin_unlock_masked(&lock);
		schedule();
#ifdef CONFIG_TIMERS
		/* Without the lock, for which the timer's function may be waiting */
		if (deadline != TIME_NEVER)
			timer_cancel(&timer.timer);
#endif
		spin_lock_masked(&lock);
		result = thread->wait_result;
	}
	spin_unlock(&lock, flags);
	return result;
}

int wait_on(const u32 *word, u32 expected, u64 deadline)
{
	return wait_common(word, expected, deadline, false);
}

int wait_on_interruptible(const u32 *word, u32 expected, u64 deadline)
{
	return wait_common(word, expected, deadline, true);
}

unsigned int wake(const u32 *word, unsigned int n)
{
	unsigned long flags = spin_lock(&lock);
	struct list_head *queue = queue_of(word);
	struct thread *thread, *next;
	unsigned int woken = 0;

	list_for_each_entry_safe(thread, next, queue, wait_link)
	{
		if (woken == n)
			break;
		if (thread->wait_word == word) {
			end_wait(thread, 0);
			woken++;
		}
	}
	spin_unlock(&lock, flags);
	return woken;
}

void wake_joiner(struct thread *thread)
{
	struct thread *joiner, *next;

	spin_lock_masked(&lock);
	WRITE_ONCE(thread->ended, 1);
	list_for_each_entry_safe(joiner, next, queue_of(&thread->ended), wait_link)
	{
		if (joiner->wait_word == &thread->ended) {
			leave_queue(joiner, 0);
			sched_ready_here(joiner);
			break;
		}
	}
	spin_unlock_masked(&lock);
}

void thread_notify(struct thread *thread)
{
	unsigned long flags = spin_lock(&lock);

	__atomic_fetch_or(&thread->work, WORK_NOTIFIED, __ATOMIC_RELEASE);
	if (thread->wait_word && thread->interruptible)
		end_wait(thread, -EINTR);
	spin_unlock(&lock, flags);
	/* Its program may be running. */
	if (IS_ENABLED(CONFIG_USERSPACE) && thread->hart != this_hart())
		smp_reschedule(thread->hart);
}

bool thread_attend(void)
{
	return __atomic_fetch_and(&thread_current()->work, ~WORK_NOTIFIED, __ATOMIC_ACQUIRE) &
	       WORK_NOTIFIED;
}

#ifdef CONFIG_DEADLOCK_REPORT
void wait_show_all(void)
{
	struct thread *thread, *next;
	unsigned int i;

	for (i = 0; i < QUEUES; i++)
		list_for_each_entry_safe(thread, next, &queues[i], wait_link)
			console_printf("thread %s waits for the word at %p\n", thread->name,
				       (const void *)thread->wait_word);
}
#endif

static void wait_init(void)
{
	unsigned int i;

	for (i = 0; i < QUEUES; i++)
		list_init(&queues[i]);
}
INIT(mm, wait_init);
