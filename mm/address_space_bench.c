// SPDX-License-Identifier: MIT
#include <ahoy/address_space.h>
#include <ahoy/bench.h>
#include <ahoy/smp.h>
#include <ahoy/thread.h>
#include <asm/page.h>
#include <asm/uaccess.h>

#define BASE 0x10000000UL
#define RW   (VM_READ | VM_WRITE)

static void __user *page_at(unsigned long n)
{
	return (void __user __force *)(BASE + n * PAGE_SIZE);
}

static void write_page(unsigned long n)
{
	(void)copy_to_user(page_at(n), &n, sizeof(n));
}

/* A space with BENCH_ROUNDS pages, in which the current thread is. Return: NULL without memory. */
static struct address_space *enter_new(void)
{
	struct address_space *space = address_space_create();
	unsigned long addr = BASE;

	if (!space)
		return NULL;
	if (address_space_map(space, &addr, BENCH_ROUNDS * PAGE_SIZE, NULL, 0, RW)) {
		address_space_destroy(space);
		return NULL;
	}
	address_space_enter(space);
	return space;
}

static void leave(struct address_space *space)
{
	address_space_enter(NULL);
	if (space)
		address_space_destroy(space);
}

/* From the copy that faults to its end, with a page cleared in between. */
BENCH(user, fault_zero)
{
	struct address_space *space = enter_new();

	BENCH_LOOP
	{
		write_page(__round);
	}
	leave(space);
	return space ? BENCH_ROUNDS : 0;
}

/* The same with a page copied that a clone has, too. */
BENCH(user, fault_copy)
{
	struct address_space *space = enter_new(), *child = NULL;

	for (unsigned long n = 0; n < BENCH_ROUNDS; n++)
		write_page(n);
	if (space)
		child = address_space_clone(space);
	BENCH_LOOP
	{
		write_page(__round);
	}
	if (child)
		address_space_destroy(child);
	leave(space);
	return space ? BENCH_ROUNDS : 0;
}

BENCH(user, copy_8)
{
	struct address_space *space = enter_new();

	write_page(0);
	BENCH_LOOP
	{
		write_page(0);
	}
	leave(space);
	return space ? BENCH_ROUNDS : 0;
}

BENCH(user, copy_page)
{
	static u8 buffer[PAGE_SIZE] __aligned(8);
	struct address_space *space = enter_new();

	write_page(0);
	BENCH_LOOP
	{
		(void)copy_from_user(buffer, page_at(0), PAGE_SIZE);
	}
	leave(space);
	return space ? BENCH_ROUNDS : 0;
}

BENCH(user, map_unmap)
{
	struct address_space *space = enter_new();

	BENCH_LOOP
	{
		unsigned long addr = 2 * BASE;

		if (space && !address_space_map(space, &addr, PAGE_SIZE, NULL, 0, RW))
			(void)address_space_unmap(space, addr, PAGE_SIZE);
	}
	leave(space);
	return space ? BENCH_ROUNDS : 0;
}

/* Of a space with BENCH_ROUNDS pages, and the end of the clone. */
BENCH(user, clone_destroy)
{
	struct address_space *space = enter_new();

	for (unsigned long n = 0; n < BENCH_ROUNDS; n++)
		write_page(n);
	BENCH_LOOP
	{
		struct address_space *child = space ? address_space_clone(space) : NULL;

		if (child)
			address_space_destroy(child);
	}
	leave(space);
	return space ? BENCH_ROUNDS : 0;
}

static int ping(void *arg)
{
	address_space_enter(arg);
	for (unsigned int i = 0; i < BENCH_ROUNDS; i++) {
		mark_begin();
		thread_yield();
	}
	return 0;
}

static int pong(void *arg)
{
	address_space_enter(arg);
	for (unsigned int i = 0; i < BENCH_ROUNDS; i++) {
		mark_end();
		thread_yield();
	}
	return 0;
}

/* As thread.switch, between threads in two spaces. With more harts they would run side by side. */
BENCH(user, switch_space)
{
	struct address_space *spaces[2];
	struct thread *a, *b;

	if (smp_online() > 1)
		return 0;
	spaces[0] = address_space_create();
	spaces[1] = address_space_create();
	a = thread_create("ping", ping, spaces[0], PRIORITY_DEFAULT + 1);
	b = a ? thread_create("pong", pong, spaces[1], PRIORITY_DEFAULT + 1) : NULL;
	if (a)
		thread_join(a);
	if (b)
		thread_join(b);
	for (unsigned int i = 0; i < 2; i++)
		if (spaces[i])
			address_space_destroy(spaces[i]);
	return b ? BENCH_ROUNDS : 0;
}
