// SPDX-License-Identifier: MIT
/* Threads on all harts take memory of random sizes and give it back, each other's too. */
#include <ahoy/compiler.h>
#include <ahoy/ktest.h>
#include <ahoy/page_alloc.h>
#include <ahoy/sched.h>
#include <ahoy/slab.h>
#include <ahoy/smp.h>
#include <ahoy/spinlock.h>
#include <ahoy/string.h>
#include <ahoy/thread.h>
#include <asm/page.h>

#define WORKERS 8
#define SHELVES 64
/* Of each worker, times ktest.scale: 1,000 makes ten million of all. */
#define OPERATIONS 1250

/* What some worker has left for whoever comes next. */
static struct shelf {
	struct spinlock lock;
	u8 *p;
	size_t size;
	unsigned int order;
	bool is_block; /* of pages */
	u8 mark;
} shelves[SHELVES];

static u32 corrupted;

static u64 next_random(u64 *state)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return *state >> 33;
}

/* Fill both ends and some of the middle: all of it would be the test's own time. */
static void mark(u8 *p, size_t size, u8 value)
{
	size_t step = size / 8 + 1, i;

	for (i = 0; i < size; i += step)
		p[i] = value;
	p[size - 1] = value;
}

static bool is_marked(const u8 *p, size_t size, u8 value)
{
	size_t step = size / 8 + 1, i;

	for (i = 0; i < size; i += step)
		if (p[i] != value)
			return false;
	return p[size - 1] == value;
}

static void release(struct shelf *item)
{
	if (!item->p)
		return;
	if (!is_marked(item->p, item->size, item->mark))
		__atomic_add_fetch(&corrupted, 1, __ATOMIC_RELAXED);
	if (item->is_block)
		page_free(virt_to_page(item->p), item->order);
	else
		kfree(item->p);
}

static struct shelf take(u64 *state)
{
	struct shelf item = { .mark = (u8)next_random(state) };

	item.is_block = next_random(state) % 8 == 0;
	if (item.is_block) {
		struct page *page;

		item.order = next_random(state) % 4;
		item.size = (size_t)PAGE_SIZE << item.order;
		page = page_alloc(item.order);
		item.p = page ? page_to_virt(page) : NULL;
	} else {
		item.size = 1 + next_random(state) % (next_random(state) % 16 ? 300 : 5000);
		item.p = kmalloc(item.size);
	}
	if (item.p)
		mark(item.p, item.size, item.mark);
	return item;
}

static int work(void *arg)
{
	u64 state = (unsigned long)arg;
	u32 operations = ktest_scaled(OPERATIONS), i;

	for (i = 0; i < operations; i++) {
		struct shelf *shelf = &shelves[next_random(&state) % SHELVES];
		struct shelf mine = take(&state), old;
		unsigned long flags = spin_lock(&shelf->lock);

		old = *shelf;
		shelf->p = mine.p;
		shelf->size = mine.size;
		shelf->order = mine.order;
		shelf->is_block = mine.is_block;
		shelf->mark = mine.mark;
		spin_unlock(&shelf->lock, flags);
		release(&old);
		cond_resched();
	}
	return 0;
}

KTEST(alloc, stress)
{
	struct thread *workers[WORKERS];
	size_t before, round;
	unsigned int i;

	smp_wait();
	/* The first round leaves slabs, which stay. */
	for (round = 0; round < 2; round++) {
		thread_free_spare_stacks();
		before = page_alloc_counts().used;
		for (i = 0; i < WORKERS; i++) {
			workers[i] =
				thread_create("stress", work, (void *)(i + 1UL), PRIORITY_DEFAULT);
			KTEST_ASSERT(workers[i]);
		}
		for (i = 0; i < WORKERS; i++)
			thread_join(workers[i]);
		for (i = 0; i < SHELVES; i++) {
			release(&shelves[i]);
			shelves[i].p = NULL;
		}
	}
	thread_free_spare_stacks();
	KTEST_EXPECT(corrupted == 0);
	/* Not more than what a cache may keep of each size. */
	KTEST_EXPECT(page_alloc_counts().used <= before + 16);
}
