// SPDX-License-Identifier: MIT
/* User memory under several threads, on as many harts as there are. */
#include "address_space.h"
#include <ahoy/compiler.h>
#include <ahoy/ktest.h>
#include <ahoy/sched.h>
#include <ahoy/smp.h>
#include <ahoy/thread.h>
#include <asm/barrier.h>
#include <asm/irqflags.h>
#include <asm/page.h>
#include <asm/uaccess.h>

#define BASE	0x20000000UL
#define RW	(VM_READ | VM_WRITE)
#define THREADS 4

static void __user *at(unsigned long addr)
{
	return (void __user __force *)addr;
}

static int map(struct address_space *space, unsigned long addr, size_t size)
{
	return address_space_map(space, &addr, size, NULL, 0, RW);
}

static struct address_space *space;
static u32 stop, failures;

/* Run @fn(0) to @fn(THREADS - 1) in threads of their own while @during runs in this one. */
static void run_beside(int (*fn)(void *arg), void (*during)(void))
{
	struct thread *threads[THREADS];
	unsigned long i;

	smp_wait();
	stop = 0;
	failures = 0;
	for (i = 0; i < THREADS; i++)
		threads[i] = thread_create("user", fn, (void *)i, PRIORITY_DEFAULT);
	during();
	WRITE_ONCE(stop, 1);
	for (i = 0; i < THREADS; i++) {
		KTEST_EXPECT(threads[i]);
		if (threads[i])
			thread_join(threads[i]);
	}
	KTEST_EXPECT(failures == 0);
}

static void fail(void)
{
	__atomic_fetch_add(&failures, 1, __ATOMIC_RELAXED);
}

/* --- clones are of one moment ------------------------------------------------------------- */

/* One page goes ahead, the other follows: never is the second one further, nor far behind. */
static int write_pairs(void *arg)
{
	unsigned long first = BASE + (unsigned long)arg * 2 * PAGE_SIZE, second = first + PAGE_SIZE;
	u64 i;

	address_space_enter(space);
	for (i = 1; !READ_ONCE(stop); i++) {
		if (copy_to_user(at(first), &i, sizeof(i)))
			fail();
		mb();
		if (copy_to_user(at(second), &i, sizeof(i)))
			fail();
		if (i % 64 == 0)
			thread_yield();
	}
	return 0;
}

static void read_pairs(u64 *values)
{
	if (copy_from_user(&values[0], at(BASE), sizeof(u64)))
		fail();
	for (unsigned int i = 0; i < 2 * THREADS; i++)
		if (copy_from_user(&values[i], at(BASE + i * PAGE_SIZE), sizeof(u64)))
			fail();
}

static void clone_often(void)
{
	for (unsigned int n = 0; n < 50; n++) {
		struct address_space *child = address_space_clone(space);
		u64 values[2 * THREADS], later[2 * THREADS];

		KTEST_ASSERT(child);
		address_space_enter(child);
		read_pairs(values);
		thread_yield();
		read_pairs(later);
		address_space_enter(NULL);
		address_space_destroy(child);
		for (unsigned int i = 0; i < 2 * THREADS; i++)
			KTEST_EXPECT(values[i] == later[i]);
		for (unsigned int i = 0; i < 2 * THREADS; i += 2)
			KTEST_EXPECT(values[i + 1] <= values[i] && values[i] <= values[i + 1] + 1);
	}
}

KTEST(address_space, clone_beside_writers)
{
	space = address_space_create();
	KTEST_ASSERT(space);
	KTEST_EXPECT(map(space, BASE, 2 * THREADS * PAGE_SIZE) == 0);
	run_beside(write_pairs, clone_often);
	address_space_destroy(space);
}

/* --- what is unmapped is gone everywhere ----------------------------------------------------- */

static u32 mapped; /* 2n: mapped for the nth time, 2n + 1: not any more */

static int read_mapped(void *arg)
{
	address_space_enter(space);
	while (!READ_ONCE(stop)) {
		u32 before = load_acquire(&mapped), after;
		u64 value;
		int err;

		mb();
		err = copy_from_user_nofault(&value, at(BASE), sizeof(value));
		mb();
		after = load_acquire(&mapped);
		/* If it was gone all the time, it cannot have been there. */
		if (before % 2 && before == after && !err)
			fail();
		/* And what is there is what was written this time. */
		if (before % 2 == 0 && before == after && !err && value && value != before)
			fail();
		thread_yield();
	}
	return 0;
}

static void map_often(void)
{
	address_space_enter(space);
	for (u32 n = 2; n < 40; n += 2) {
		u64 value = n;

		KTEST_EXPECT(map(space, BASE, PAGE_SIZE) == 0);
		WRITE_ONCE(mapped, n);
		mb();
		KTEST_EXPECT(copy_to_user(at(BASE), &value, sizeof(value)) == 0);
		thread_yield();
		mb();
		if (n % 4)
			KTEST_EXPECT(address_space_protect(space, BASE, PAGE_SIZE, 0) == 0);
		else
			KTEST_EXPECT(address_space_unmap(space, BASE, PAGE_SIZE) == 0);
		store_release(&mapped, n + 1);
		thread_yield();
		if (n % 4)
			KTEST_EXPECT(address_space_unmap(space, BASE, PAGE_SIZE) == 0);
	}
	address_space_enter(NULL);
}

KTEST(address_space, unmap_beside_readers)
{
	space = address_space_create();
	KTEST_ASSERT(space);
	mapped = 1;
	run_beside(read_mapped, map_often);
	address_space_destroy(space);
}

/* --- truncation against faults ---------------------------------------------------------------- */

static struct memory_object *object;
static u32 epoch; /* grows while the object is empty */

/* What a page holds: where it is and, in the upper half, when it was filled. */
static u64 page_value(u64 offset, u32 when)
{
	return (u64)when << 32 | (offset + 1);
}

static int fill(void *owner, u64 offset, void *page)
{
	u32 when = READ_ONCE(epoch);

	/* Long enough for the object to be truncated and to grow again */
	thread_yield();
	*(u64 *)page = page_value(offset, when);
	return 0;
}

static int touch_object(void *arg)
{
	unsigned long i = (unsigned long)arg;

	address_space_enter(space);
	for (; !READ_ONCE(stop); i++) {
		unsigned long offset = i % 8 * PAGE_SIZE;
		unsigned long addr = BASE + offset + (i / 8 % 2) * 16 * PAGE_SIZE;
		u64 value = page_value(offset, ~0U);
		u32 before = load_acquire(&epoch);

		mb();
		if (i % 3 == 0)
			(void)copy_to_user(at(addr), &value, sizeof(value));
		else if (copy_from_user(&value, at(addr), sizeof(value)))
			continue;
		/* What was there before the object was empty does not come back. */
		if ((u32)value != offset + 1 || value >> 32 < before)
			fail();
		if (i % 16 == 0)
			thread_yield();
	}
	return 0;
}

static void truncate_often(void)
{
	for (unsigned int n = 0; n < 200; n++) {
		KTEST_EXPECT(memory_object_resize(object, ktest_random(9) * PAGE_SIZE) == 0);
		thread_yield();
		KTEST_EXPECT(memory_object_resize(object, 0) == 0);
		store_release(&epoch, epoch + 1);
		KTEST_EXPECT(memory_object_resize(object, 8 * PAGE_SIZE) == 0);
		thread_yield();
	}
}

KTEST(address_space, truncate_beside_users)
{
	unsigned long private = BASE, shared = BASE + 16 * PAGE_SIZE;

	space = address_space_create();
	object = memory_object_create(8 * PAGE_SIZE, fill, NULL);
	KTEST_ASSERT(space && object);
	KTEST_EXPECT(address_space_map(space, &private, 8 * PAGE_SIZE, object, 0, RW) == 0);
	KTEST_EXPECT(address_space_map(space, &shared, 8 * PAGE_SIZE, object, 0, RW | VM_SHARED) ==
		     0);
	epoch = 1;
	run_beside(touch_object, truncate_often);
	address_space_destroy(space);
	memory_object_put(object);
}

/* --- threads find their own space wherever they go on ------------------------------------------ */

static int keep_own(void *arg)
{
	struct address_space *own = address_space_create();
	u64 value = (u64)(unsigned long)arg + 1, found;

	if (!own || map(own, BASE, PAGE_SIZE)) {
		fail();
		return 0;
	}
	address_space_enter(own);
	address_space_destroy(own);
	if (copy_to_user(at(BASE), &value, sizeof(value)))
		fail();
	for (unsigned int i = 0; i < 500; i++) {
		thread_yield();
		if (copy_from_user_nofault(&found, at(BASE), sizeof(found)) || found != value)
			fail();
	}
	return 0;
}

static void nothing(void)
{
}

KTEST(address_space, switching)
{
	run_beside(keep_own, nothing);
}

/* With few ASIDs, or none at all, nobody finds another one's memory either. */
KTEST(address_space, few_asids)
{
	unsigned int bits = user_asid_bits(), few;

	KTEST_EXPECT(bits <= 16);
	for (few = 0; few <= min(bits, 2U); few++) {
		user_asid_limit(few);
		run_beside(keep_own, nothing);
	}
	user_asid_limit(bits);
}

/* --- code that was written is fenced where the space is, elsewhere when it gets there ------- */

#ifdef CONFIG_SMP
KTEST(address_space, code_fence)
{
	struct address_space *here = address_space_create();
	struct user_tables *tables = &here->tables;
	u64 new, told_here, here_stale, told_other, other_stale, nowhere_stale, back_stale;
	unsigned long flags;
	u64 self, other;

	KTEST_ASSERT(here);
	new = tables->stale_code;
	flags = local_irq_save();
	self = 1ULL << this_hart();
	other = 1ULL << (this_hart() + 1) % USER_HARTS;
	address_space_enter(here);
	told_here = user_tables_fence_code(tables, this_hart());
	here_stale = tables->stale_code;
	/* As if it ran there, too */
	tables->loaded |= other;
	tables->stale_code &= ~other;
	told_other = user_tables_fence_code(tables, this_hart());
	other_stale = tables->stale_code;
	tables->loaded &= ~other;
	address_space_enter(NULL);
	user_tables_fence_code(tables, this_hart());
	nowhere_stale = tables->stale_code;
	address_space_enter(here);
	back_stale = tables->stale_code;
	address_space_enter(NULL);
	local_irq_restore(flags);
	address_space_destroy(here);

	KTEST_EXPECT(new == ~0ULL);
	KTEST_EXPECT(told_here == 0 && here_stale == ~self);
	KTEST_EXPECT(told_other == other && other_stale == ~(self | other));
	KTEST_EXPECT(nowhere_stale == ~0ULL);
	KTEST_EXPECT(back_stale == ~self);
}
#endif
