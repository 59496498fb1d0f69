// SPDX-License-Identifier: MIT
/* What comes upon a copy to user memory cannot reach that memory. */
#include <ahoy/address_space.h>
#include <ahoy/compiler.h>
#include <ahoy/ktest.h>
#include <ahoy/slab.h>
#include <ahoy/thread.h>
#include <ahoy/timer.h>
#include <ahoy/wait.h>
#include <asm/page.h>
#include <asm/uaccess.h>

#define BASE 0x10000000UL
#define SIZE (16 * PAGE_SIZE)
#define HITS 40

static bool open_in_interrupt, open_in_thread, open_in_fill;
static bool copying;
static unsigned int interrupts; /* of copies */
static struct timer timer;
static u32 never;

static void look(struct timer *self)
{
	interrupts += copying;
	open_in_interrupt |= user_access_open();
	if (interrupts < HITS)
		timer_arm(self, time_now() + 50 * NSEC_PER_USEC + interrupts * 37 % 1000);
}

/* More urgent than who copies: it runs in the middle of that. */
static int look_often(void *arg)
{
	while (READ_ONCE(interrupts) < HITS) {
		open_in_thread |= user_access_open();
		wait_on(&never, 0, time_now() + 200 * NSEC_PER_USEC);
	}
	return 0;
}

static int fill(void *owner, u64 offset, void *page)
{
	open_in_fill |= user_access_open();
	return 0;
}

KTEST(user_access, closed_elsewhere)
{
	struct address_space *space = address_space_create();
	struct memory_object *object = memory_object_create(SIZE, fill, NULL);
	void *buffer = kzalloc(SIZE);
	unsigned long addr = BASE;
	struct thread *thread;

	KTEST_ASSERT(space && object && buffer);
	KTEST_EXPECT(address_space_map(space, &addr, SIZE, object, 0, VM_READ | VM_WRITE) == 0);
	address_space_enter(space);
	interrupts = 0;
	timer_init(&timer, look);
	thread = thread_create("look", look_often, NULL, PRIORITY_DEFAULT - 1);
	timer_arm(&timer, time_now());
	while (READ_ONCE(interrupts) < HITS) {
		WRITE_ONCE(copying, true);
		KTEST_EXPECT(copy_to_user((void __user __force *)BASE, buffer, SIZE) == 0);
		WRITE_ONCE(copying, false);
	}
	KTEST_ASSERT(thread);
	thread_join(thread);
	KTEST_EXPECT(!open_in_interrupt && !open_in_thread && !open_in_fill);
	address_space_enter(NULL);
	address_space_destroy(space);
	memory_object_put(object);
	kfree(buffer);
}
