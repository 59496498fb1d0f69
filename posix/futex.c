// SPDX-License-Identifier: MIT
/*
 * futex(): threads wait for a word of their program's memory to change. Who waits
 * is in a list by address; what they sleep on is a word of the list's entry. A
 * word is known by its address in a process's memory: one that processes share
 * at several addresses cannot be waited for.
 */
#include "futex.h"
#include "process.h"
#include "syscall.h"
#include <ahoy/compiler.h>
#include <ahoy/list.h>

#define FUTEX_WAIT	  0u
#define FUTEX_WAKE	  1u
#define FUTEX_REQUEUE	  3u
#define FUTEX_CMP_REQUEUE 4u
#define FUTEX_WAIT_BITSET 9u
#define FUTEX_WAKE_BITSET 10u
#define FUTEX_PRIVATE	  128u

#define MATCH_ANY 0xffffffffu

/* A thread that waits; on its stack */
struct waiter {
	struct list_head link;
	struct memory *memory;
	unsigned long addr;
	u32 bits;
	u32 woken; /* changed under the lock: then it is in no list */
};

static struct lock futex_lock;
static struct list_head lists[64];

/* The list of those who wait for @addr. Locked. */
static struct list_head *list_of(unsigned long addr)
{
	struct list_head *list = &lists[(addr / 4 ^ addr / 4096) % ARRAY_SIZE(lists)];

	/* All are zero at first. */
	if (!list->next)
		list_init(list);
	return list;
}

static struct memory *own_memory(void)
{
	return current_process()->memory;
}

/* Is there a word, which this process alone has, or which it says nobody else looks at? */
static int check_word(unsigned int __user *word, bool private)
{
	unsigned long addr = (unsigned long)word, start = addr, end;
	unsigned int flags;

	if (!IS_ALIGNED(addr, 4))
		return -EINVAL;
	if (private)
		return addr < user_end ? 0 : -EFAULT;
	if (!address_space_find(own_memory()->space, &start, &end, &flags) || start > addr)
		return -EFAULT;
	return flags & VM_SHARED ? -ENOSYS : 0;
}

/* --- waking. Locked. ----------------------------------------------------------------------- */

static bool is_for(const struct waiter *waiter, unsigned long addr, u32 bits)
{
	return waiter->addr == addr && waiter->memory == own_memory() && waiter->bits & bits;
}

static void wake_waiter(struct waiter *waiter)
{
	list_del(&waiter->link);
	__atomic_store_n(&waiter->woken, 1, __ATOMIC_RELEASE);
	/* It waits for the lock before it goes. */
	wake(&waiter->woken, 1);
}

static unsigned int wake_some(unsigned long addr, unsigned int n, u32 bits)
{
	struct waiter *waiter, *next;
	struct list_head *list = list_of(addr);
	unsigned int woken = 0;

	list_for_each_entry_safe(waiter, next, list, link)
	{
		if (woken == n)
			break;
		if (is_for(waiter, addr, bits)) {
			wake_waiter(waiter);
			woken++;
		}
	}
	return woken;
}

static unsigned int move_some(unsigned long from, unsigned long to, unsigned int n)
{
	struct waiter *waiter, *next;
	struct list_head *list = list_of(from);
	unsigned int moved = 0;

	list_for_each_entry_safe(waiter, next, list, link)
	{
		if (moved == n)
			break;
		if (!is_for(waiter, from, MATCH_ANY))
			continue;
		moved++;
		/* Behind the others it would be met again. */
		if (from == to)
			continue;
		list_del(&waiter->link);
		waiter->addr = to;
		list_add_tail(&waiter->link, list_of(to));
	}
	return moved;
}

long futex_wake(unsigned int __user *word, unsigned int n)
{
	long woken;

	lock(&futex_lock);
	woken = wake_some((unsigned long)word, n, MATCH_ANY);
	unlock(&futex_lock);
	return woken;
}

/* --- waiting ---------------------------------------------------------------------------------- */

/*
 * Lock, and see that the word has the value @expected. Return: 0, locked; -EAGAIN,
 * -EFAULT, not locked.
 */
static int lock_if(unsigned int __user *word, u32 expected)
{
	u32 value;

	for (;;) {
		lock(&futex_lock);
		if (!copy_from_user_nofault(&value, word, sizeof(value)))
			break;
		unlock(&futex_lock);
		/* No fault may be waited for under the lock. */
		if (copy_from_user(&value, word, sizeof(value)))
			return -EFAULT;
	}
	if (value == expected)
		return 0;
	unlock(&futex_lock);
	return -EAGAIN;
}

static long wait_word(unsigned int __user *word, u32 expected, u32 bits, u64 deadline)
{
	struct waiter waiter = { .memory = own_memory(),
				 .addr = (unsigned long)word,
				 .bits = bits };
	int err;

	if (!bits)
		return -EINVAL;
	err = lock_if(word, expected);
	if (err)
		return err;
	list_add_tail(&waiter.link, list_of(waiter.addr));
	unlock(&futex_lock);
	do {
		err = wait_on_interruptible(&waiter.woken, 0, deadline);
	} while (!err && !__atomic_load_n(&waiter.woken, __ATOMIC_ACQUIRE));
	lock(&futex_lock);
	if (waiter.woken)
		err = 0;
	else
		list_del(&waiter.link);
	unlock(&futex_lock);
	return err;
}

struct timespec {
	s64 seconds, nanoseconds;
};

/* When the wait ends. Return: 0, -EFAULT, -EINVAL. */
static int get_deadline(const struct timespec __user *user, bool absolute, u64 *deadline)
{
	struct timespec time;
	u64 ns, now = absolute ? 0 : time_now();

	*deadline = TIME_NEVER;
	if (!user)
		return 0;
	if (copy_from_user(&time, user, sizeof(time)))
		return -EFAULT;
	if (time.seconds < 0 || time.nanoseconds < 0 || time.nanoseconds >= 1000000000)
		return -EINVAL;
	/* Centuries are for ever. */
	if ((u64)time.seconds > U64_MAX / 2 / 1000000000)
		return 0;
	ns = (u64)time.seconds * 1000000000 + (u64)time.nanoseconds;
	*deadline = now + ns;
	return 0;
}

/* --- the system call --------------------------------------------------------------------------- */

static long requeue(unsigned int __user *word, unsigned int n, unsigned int moved,
		    unsigned int __user *to, bool compare, u32 expected)
{
	long woken;
	int err = check_word(to, true);

	if (!err && ((int)n < 0 || (int)moved < 0))
		err = -EINVAL;
	if (err)
		return err;
	if (compare) {
		err = lock_if(word, expected);
		if (err)
			return err;
	} else {
		lock(&futex_lock);
	}
	woken = wake_some((unsigned long)word, n, MATCH_ANY);
	moved = move_some((unsigned long)word, (unsigned long)to, moved);
	unlock(&futex_lock);
	return woken + (compare ? (long)moved : 0);
}

static long wake_bits(unsigned int __user *word, unsigned int n, u32 bits)
{
	long woken;

	if (!bits)
		return -EINVAL;
	lock(&futex_lock);
	woken = wake_some((unsigned long)word, n, bits);
	unlock(&futex_lock);
	return woken;
}

SYSCALL6(098, futex, unsigned int __user *, word, unsigned int, op, u32, value, unsigned long, time,
	 unsigned int __user *, other, u32, value3)
{
	unsigned int command = op & ~FUTEX_PRIVATE;
	int err = check_word(word, op & FUTEX_PRIVATE);
	u64 deadline = TIME_NEVER;

	if (err)
		return err;
	if (command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET)
		err = get_deadline((const struct timespec __user *)time,
				   command == FUTEX_WAIT_BITSET, &deadline);
	if (err)
		return err;
	switch (command) {
	case FUTEX_WAIT:
		return wait_word(word, value, MATCH_ANY, deadline);
	case FUTEX_WAIT_BITSET:
		return wait_word(word, value, value3, deadline);
	case FUTEX_WAKE:
		return wake_bits(word, value, MATCH_ANY);
	case FUTEX_WAKE_BITSET:
		return wake_bits(word, value, value3);
	case FUTEX_REQUEUE:
		return requeue(word, value, (unsigned int)time, other, false, 0);
	case FUTEX_CMP_REQUEUE:
		return requeue(word, value, (unsigned int)time, other, true, value3);
	default:
		return -ENOSYS;
	}
}

/* --- robust futexes: those that a thread holds when it ends ---------------------------------------- */

/* So many may be in a list, which may be a circle. */
#define ROBUST_MAX 2048

#define FUTEX_WAITERS	 0x80000000u
#define FUTEX_OWNER_DIED 0x40000000u
#define FUTEX_TID_MASK	 0x3fffffffu

struct robust_list {
	unsigned long first;
	s64 offset;
	unsigned long pending;
};

/* Say in the word that its owner is gone, if that was the current thread. */
static void give_up(unsigned long entry, s64 offset, int tid)
{
	unsigned int __user *word = (unsigned int __user *)((entry & ~1UL) + (u64)offset);
	u32 value;

	if (!IS_ALIGNED((unsigned long)word, 4) || copy_from_user(&value, word, sizeof(value)) ||
	    (value & FUTEX_TID_MASK) != (u32)tid)
		return;
	/*
	 * Others change a word that has an owner only to say that they wait. One that
	 * does so just now may sleep already, and what he said is written over.
	 */
	value = (value & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
	if (!copy_to_user(word, &value, sizeof(value)))
		futex_wake(word, 1);
}

void futex_task_ends(struct task *task)
{
	const struct robust_list __user *head = task->robust_list;
	struct robust_list list;
	unsigned long entry;

	if (!head || copy_from_user(&list, head, sizeof(list)))
		return;
	entry = list.first;
	for (unsigned int i = 0; i < ROBUST_MAX && (entry & ~1UL) != (unsigned long)head; i++) {
		unsigned long next;

		if (copy_from_user(&next, (const void __user *)(entry & ~1UL), sizeof(next)))
			break;
		if (entry != list.pending)
			give_up(entry, list.offset, task->tid);
		entry = next;
	}
	if (list.pending)
		give_up(list.pending, list.offset, task->tid);
}
