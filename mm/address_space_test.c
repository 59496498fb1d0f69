// SPDX-License-Identifier: MIT
/*
 * User memory as its users see it. The thread that runs the tests enters the
 * spaces, and reaches them by the copy functions as any part of the kernel.
 */
#include "address_space.h"
#include <ahoy/compiler.h>
#include <ahoy/errno.h>
#include <ahoy/fail_alloc.h>
#include <ahoy/ktest.h>
#include <ahoy/page_alloc.h>
#include <ahoy/slab.h>
#include <ahoy/smp.h>
#include <ahoy/string.h>
#include <ahoy/thread.h>
#include <asm/page.h>
#include <asm/uaccess.h>

#define BASE 0x10000000UL
#define RW   (VM_READ | VM_WRITE)

static void __user *at(unsigned long addr)
{
	return (void __user __force *)addr;
}

static int put(unsigned long addr, u64 value)
{
	return copy_to_user(at(addr), &value, sizeof(value));
}

/* What is at @addr; ~0: it cannot be read. */
static u64 get(unsigned long addr)
{
	u64 value;

	return copy_from_user(&value, at(addr), sizeof(value)) ? ~0ULL : value;
}

/* The same, without a fault. */
static u64 peek(unsigned long addr)
{
	u64 value;

	return copy_from_user_nofault(&value, at(addr), sizeof(value)) ? ~0ULL : value;
}

static int map(struct address_space *space, unsigned long addr, size_t size, unsigned int flags)
{
	return address_space_map(space, &addr, size, NULL, 0, flags);
}

static int map_object(struct address_space *space, unsigned long addr, size_t size,
		      struct memory_object *object, u64 offset, unsigned int flags)
{
	return address_space_map(space, &addr, size, object, offset, flags);
}

static unsigned int count_mappings(const struct address_space *space)
{
	const struct rb_node *node;
	unsigned int count = 0;

	for (node = rb_first(&space->mappings); node; node = rb_next(node))
		count++;
	return count;
}

static struct address_space *enter_new(void)
{
	struct address_space *space = address_space_create();

	if (space)
		address_space_enter(space);
	return space;
}

static void leave(struct address_space *space)
{
	address_space_enter(NULL);
	address_space_destroy(space);
}

/* What the heap keeps for next time must not look like a leak. */
static size_t warm_up(void)
{
	struct address_space *space = enter_new();

	if (space) {
		if (!map(space, BASE, 2 * PAGE_SIZE, RW)) {
			put(BASE, 1);
			get(BASE + PAGE_SIZE);
		}
		leave(space);
	}
	return page_alloc_counts().used;
}

/* --- zeroes on demand ----------------------------------------------------------------- */

KTEST(address_space, demand_zero)
{
	size_t used = warm_up(), before;
	struct address_space *space = enter_new();

	KTEST_ASSERT(space);
	KTEST_EXPECT(get(BASE) == ~0ULL);
	KTEST_EXPECT(map(space, BASE, 16 * PAGE_SIZE, RW) == 0);
	before = page_alloc_counts().used;
	KTEST_EXPECT(page_alloc_counts().used == before);
	KTEST_EXPECT(peek(BASE) == ~0ULL);
	KTEST_EXPECT(get(BASE + 8) == 0);
	KTEST_EXPECT(peek(BASE + 8) == 0);
	/* What was only read takes tables, but no page. */
	before = page_alloc_counts().used;
	KTEST_EXPECT(get(BASE + PAGE_SIZE) == 0);
	KTEST_EXPECT(page_alloc_counts().used == before);
	KTEST_EXPECT(put(BASE + PAGE_SIZE, 5) == 0);
	KTEST_EXPECT(page_alloc_counts().used == before + 1);
	KTEST_EXPECT(get(BASE + PAGE_SIZE) == 5);
	KTEST_EXPECT(get(BASE) == 0);
	KTEST_EXPECT(put(BASE + 16 * PAGE_SIZE - 8, 6) == 0);
	KTEST_EXPECT(put(BASE + 16 * PAGE_SIZE - 7, 6) == -EFAULT);
	KTEST_EXPECT(get(BASE - 8) == ~0ULL);
	leave(space);
	KTEST_EXPECT(page_alloc_counts().used == used);
	KTEST_EXPECT(get(BASE) == ~0ULL);
}

KTEST(address_space, refusals)
{
	struct address_space *space = enter_new();
	struct memory_object *object = memory_object_create(PAGE_SIZE, NULL, NULL);
	unsigned long addr = BASE;

	KTEST_ASSERT(space && object);
	KTEST_EXPECT(map(space, 0, PAGE_SIZE, RW) == -EINVAL);
	KTEST_EXPECT(map(space, BASE + 1, PAGE_SIZE, RW) == -EINVAL);
	KTEST_EXPECT(map(space, BASE, PAGE_SIZE + 1, RW) == -EINVAL);
	KTEST_EXPECT(map(space, BASE, 0, RW) == -EINVAL);
	KTEST_EXPECT(map(space, user_end, PAGE_SIZE, RW) == -EINVAL);
	KTEST_EXPECT(map(space, user_end - PAGE_SIZE, 2 * PAGE_SIZE, RW) == -EINVAL);
	KTEST_EXPECT(map(space, (unsigned long)_start, PAGE_SIZE, RW) == -EINVAL);
	KTEST_EXPECT(map(space, BASE, -(size_t)PAGE_SIZE, RW) == -EINVAL);
	KTEST_EXPECT(map(space, BASE, PAGE_SIZE, RW | VM_SHARED) == -EINVAL);
	KTEST_EXPECT(map(space, BASE, PAGE_SIZE, 1u << 16) == -EINVAL);
	KTEST_EXPECT(map_object(space, BASE, PAGE_SIZE, object, 1, RW) == -EINVAL);
	KTEST_EXPECT(map_object(space, BASE, PAGE_SIZE, object, ~0ULL << 12, RW) == -EINVAL);
	KTEST_EXPECT(address_space_map(space, &addr, user_end, NULL, 0, VM_ANYWHERE) == -ENOMEM);
	KTEST_EXPECT(address_space_unmap(space, BASE, 1) == -EINVAL);
	KTEST_EXPECT(address_space_protect(space, BASE, PAGE_SIZE, 8) == -EINVAL);
	KTEST_EXPECT(address_space_protect(space, BASE, PAGE_SIZE, RW) == -ENOMEM);
	KTEST_EXPECT(count_mappings(space) == 0);

	KTEST_EXPECT(map(space, user_end - PAGE_SIZE, PAGE_SIZE, RW) == 0);
	KTEST_EXPECT(map(space, PAGE_SIZE, PAGE_SIZE, RW) == 0);
	KTEST_EXPECT(put(user_end - 8, 1) == 0 && put(PAGE_SIZE, 2) == 0);
	KTEST_EXPECT(put(user_end - 4, 1) == -EFAULT);
	KTEST_EXPECT(get(0) == ~0ULL);
	KTEST_EXPECT(map(space, BASE, 4 * PAGE_SIZE, VM_READ) == 0);
	KTEST_EXPECT(map(space, BASE + PAGE_SIZE, PAGE_SIZE, RW) == -EEXIST);
	KTEST_EXPECT(map(space, BASE - PAGE_SIZE, 2 * PAGE_SIZE, RW) == -EEXIST);
	KTEST_EXPECT(put(BASE, 1) == -EFAULT);
	KTEST_EXPECT(address_space_fault(space, BASE, VM_WRITE) == -EACCES);
	KTEST_EXPECT(address_space_fault(space, BASE, VM_EXEC) == -EACCES);
	KTEST_EXPECT(address_space_fault(space, BASE + 4 * PAGE_SIZE, VM_READ) == -EFAULT);
	KTEST_EXPECT(address_space_protect(space, BASE, 5 * PAGE_SIZE, RW) == -ENOMEM);
	KTEST_EXPECT(put(BASE, 1) == -EFAULT);
	/* Where there is room: behind what is there, or from the start on. */
	addr = BASE;
	KTEST_EXPECT(address_space_map(space, &addr, PAGE_SIZE, NULL, 0, RW | VM_ANYWHERE) == 0);
	KTEST_EXPECT(addr == BASE + 4 * PAGE_SIZE);
	addr = user_end - PAGE_SIZE;
	KTEST_EXPECT(address_space_map(space, &addr, PAGE_SIZE, NULL, 0, VM_READ | VM_ANYWHERE) ==
		     0);
	KTEST_EXPECT(addr == 2 * PAGE_SIZE);
	leave(space);
	memory_object_put(object);
}

/* Copies that run from what is mapped into what is not. */
KTEST(address_space, copy_up_to_the_end)
{
	struct address_space *space = enter_new();
	unsigned long end = BASE + 2 * PAGE_SIZE;
	static char text[3 * PAGE_SIZE];
	char back[16];

	KTEST_ASSERT(space);
	KTEST_EXPECT(map(space, BASE, 2 * PAGE_SIZE, RW) == 0);
	memset(text, 'x', sizeof(text));
	KTEST_EXPECT(copy_to_user(at(BASE + 3), text, 2 * PAGE_SIZE - 3) == 0);
	KTEST_EXPECT(copy_to_user(at(BASE + 3), text, 2 * PAGE_SIZE - 2) == -EFAULT);
	KTEST_EXPECT(copy_from_user(text, at(BASE + 1), 2 * PAGE_SIZE) == -EFAULT);
	KTEST_EXPECT(copy_from_user_nofault(text, at(BASE), 2 * PAGE_SIZE) == 0);
	KTEST_EXPECT(text[0] == 0 && text[3] == 'x' && text[2 * PAGE_SIZE - 1] == 'x');
	/* A string may end with the memory, if it ends. */
	KTEST_EXPECT(strncpy_from_user(back, at(end - 4), sizeof(back)) == -EFAULT);
	KTEST_EXPECT(strncpy_from_user(back, at(end - 4), 4) == 4);
	KTEST_EXPECT(copy_to_user(at(end - 1), "", 1) == 0);
	KTEST_EXPECT(strncpy_from_user(back, at(end - 4), sizeof(back)) == 3);
	KTEST_EXPECT(!memcmp(back, "xxx", 4));
	KTEST_EXPECT(strncpy_from_user(back, at(end - 1), sizeof(back)) == 0);
	KTEST_EXPECT(strncpy_from_user_nofault(back, at(end - 3), sizeof(back)) == 2);
	KTEST_EXPECT(clear_user(at(BASE), 2 * PAGE_SIZE) == 0 && get(end - 8) == 0);
	KTEST_EXPECT(clear_user(at(end - 7), 8) == -EFAULT);
	/* Nobody reads what may only be executed. */
	KTEST_EXPECT(address_space_protect(space, BASE, PAGE_SIZE, VM_EXEC) == 0);
	KTEST_EXPECT(get(BASE) == ~0ULL && get(BASE + PAGE_SIZE) == 0);
	KTEST_EXPECT(address_space_fault(space, BASE, VM_EXEC) == 0);
	leave(space);
}

/* A hint is one, wherever it points. */
KTEST(address_space, hint_at_the_top)
{
	struct address_space *space = address_space_create();
	unsigned long addr = -4096UL;

	KTEST_ASSERT(space);
	KTEST_EXPECT(address_space_map(space, &addr, 2UL << 20, NULL, 0, RW | VM_ANYWHERE) == 0);
	KTEST_EXPECT(addr >= PAGE_SIZE && addr < user_end);
	address_space_destroy(space);
}

/* --- all operations against a model of what they do ------------------------------------- */

#define PAGES 48

static struct model_page {
	bool mapped;
	u8 access;
	bool own; /* not written: what the object says */
	u16 object_page;
	u64 value;
} model[2][PAGES];

static u64 object_values[PAGES];

/* Each mapping shows either zeroes or, from the page with the same number on, the object. */
static bool zeroes(const struct model_page *page)
{
	return page->object_page == PAGES;
}

static u64 expected(const struct model_page *page)
{
	if (!page->mapped || !(page->access & VM_READ))
		return ~0ULL;
	return page->own || zeroes(page) ? page->value : object_values[page->object_page];
}

static void check_model(struct address_space *space, struct model_page *pages)
{
	unsigned int i, runs = 0;

	for (i = 0; i < PAGES; i++) {
		const struct model_page *page = &pages[i], *below = page - 1;

		KTEST_EXPECT(get(BASE + i * PAGE_SIZE) == expected(page));
		if (!page->mapped)
			continue;
		runs += i == 0 || !below->mapped || below->access != page->access ||
			zeroes(below) != zeroes(page) ||
			(!zeroes(page) && below->object_page + 1 != page->object_page);
	}
	KTEST_EXPECT(count_mappings(space) == runs);
}

static void move_pages(struct address_space *space, struct model_page *pages, unsigned int first,
		       unsigned int n)
{
	unsigned int to = ktest_random(PAGES - n + 1), i;
	bool overlap = to < first + n && first < to + n, all = true, any = false;

	for (i = 0; i < n; i++) {
		all &= pages[first + i].mapped;
		any |= pages[to + i].mapped;
	}
	KTEST_EXPECT(address_space_move(space, BASE + first * PAGE_SIZE, BASE + to * PAGE_SIZE,
					n * PAGE_SIZE) == (overlap ? -EINVAL
							   : any   ? -EEXIST
							   : all   ? 0
								   : -EFAULT));
	if (overlap || any || !all)
		return;
	for (i = 0; i < n; i++) {
		pages[to + i] = pages[first + i];
		pages[first + i].mapped = false;
	}
}

static void random_operation(struct address_space *space, struct model_page *pages,
			     struct memory_object *object)
{
	unsigned int first = ktest_random(PAGES), n = 1 + ktest_random(PAGES - first), i;
	unsigned int access = ktest_random(3) ? RW : ktest_random(2) ? VM_READ : 0;
	unsigned int from = ktest_random(2) ? PAGES : ktest_random(PAGES - n + 1);
	unsigned long addr = BASE + first * PAGE_SIZE;
	bool all = true, any = false;
	u64 value = 1 + ktest_random(1000000);

	for (i = first; i < first + n; i++) {
		all &= pages[i].mapped;
		any |= pages[i].mapped;
	}
	switch (ktest_random(7)) {
	case 0:
		KTEST_EXPECT(map_object(space, addr, n * PAGE_SIZE, from == PAGES ? NULL : object,
					from == PAGES ? 0 : from * PAGE_SIZE,
					access | VM_REPLACE) == 0);
		for (i = 0; i < n; i++)
			pages[first + i] = (struct model_page){
				.mapped = true,
				.access = (u8)access,
				.object_page = (u16)(from == PAGES ? PAGES : from + i),
			};
		break;
	case 1:
		n = min(n, 6U);
		KTEST_EXPECT(address_space_unmap(space, addr, n * PAGE_SIZE) == 0);
		for (i = first; i < first + n; i++)
			pages[i].mapped = false;
		break;
	case 2:
		KTEST_EXPECT(address_space_protect(space, addr, n * PAGE_SIZE, access) ==
			     (all ? 0 : -ENOMEM));
		for (i = first; all && i < first + n; i++)
			pages[i].access = (u8)access;
		break;
	case 3:
		KTEST_EXPECT(map(space, addr, n * PAGE_SIZE, RW) == (any ? -EEXIST : 0));
		for (i = first; !any && i < first + n; i++)
			pages[i] = (struct model_page){ .mapped = true,
							.access = RW,
							.object_page = PAGES };
		break;
	case 4:
		move_pages(space, pages, first, min(n, 6U));
		break;
	case 5:
		KTEST_EXPECT(address_space_forget(space, addr, n * PAGE_SIZE) ==
			     (all ? 0 : -ENOMEM));
		for (i = first; all && i < first + n; i++) {
			pages[i].own = false;
			pages[i].value = 0;
		}
		break;
	default:
		all = pages[first].mapped && pages[first].access & VM_WRITE;
		KTEST_EXPECT(put(addr, value) == (all ? 0 : -EFAULT));
		if (all) {
			pages[first].own = true;
			pages[first].value = value;
		}
	}
}

static int fill_model(void *owner, u64 offset, void *page)
{
	KTEST_EXPECT(owner == object_values);
	KTEST_EXPECT(offset % PAGE_SIZE == 0);
	*(u64 *)page = object_values[offset / PAGE_SIZE];
	return 0;
}

/* Two spaces, of which one becomes the other's clone now and then; neither sees the other's writes. */
KTEST(address_space, random)
{
	size_t used = warm_up();
	struct memory_object *object =
		memory_object_create(PAGES * PAGE_SIZE, fill_model, object_values);
	struct address_space *spaces[2];
	unsigned int i;

	for (i = 0; i < PAGES; i++)
		object_values[i] = 1000000000 + i;
	memset(model, 0, sizeof(model));
	spaces[0] = address_space_create();
	spaces[1] = address_space_create();
	KTEST_ASSERT(object && spaces[0] && spaces[1]);
	for (i = 0; i < 2000; i++) {
		unsigned int which = ktest_random(2);

		if (!ktest_random(20)) {
			address_space_destroy(spaces[which]);
			spaces[which] = address_space_clone(spaces[!which]);
			KTEST_ASSERT(spaces[which]);
			memcpy(model[which], model[!which], sizeof(model[0]));
		}
		address_space_enter(spaces[which]);
		random_operation(spaces[which], model[which], object);
		if (!ktest_random(4))
			check_model(spaces[which], model[which]);
		address_space_enter(NULL);
	}
	address_space_destroy(spaces[0]);
	address_space_destroy(spaces[1]);
	memory_object_put(object);
	KTEST_EXPECT(page_alloc_counts().used <= used + 2);
}

/* --- objects ---------------------------------------------------------------------------- */

static unsigned int fills;

static int fill_pattern(void *owner, u64 offset, void *page)
{
	fills++;
	if (offset == 3 * PAGE_SIZE)
		return -EIO;
	*(u64 *)page = offset + 7;
	return 0;
}

KTEST(address_space, objects)
{
	size_t used = warm_up();
	struct address_space *space = enter_new();
	struct memory_object *object =
		memory_object_create(5 * PAGE_SIZE - 100, fill_pattern, NULL);
	unsigned long private = BASE, shared = BASE + 8 * PAGE_SIZE, again = BASE + 16 * PAGE_SIZE;
	u64 value = 0;

	KTEST_ASSERT(space && object);
	KTEST_EXPECT(map_object(space, private, 6 * PAGE_SIZE, object, 0, RW) == 0);
	KTEST_EXPECT(map_object(space, shared, 6 * PAGE_SIZE, object, 0, RW | VM_SHARED) == 0);
	KTEST_EXPECT(map_object(space, again, PAGE_SIZE, object, PAGE_SIZE, VM_READ | VM_SHARED) ==
		     0);
	fills = 0;
	KTEST_EXPECT(get(private) == 7 && get(shared) == 7 && fills == 1);
	KTEST_EXPECT(get(again) == PAGE_SIZE + 7 && fills == 2);
	/* Written by one, seen by all who share; a copy keeps to itself. */
	KTEST_EXPECT(put(shared + PAGE_SIZE, 100) == 0);
	KTEST_EXPECT(get(again) == 100 && get(private + PAGE_SIZE) == 100 && fills == 2);
	KTEST_EXPECT(put(private + PAGE_SIZE, 200) == 0);
	KTEST_EXPECT(get(again) == 100 && get(private + PAGE_SIZE) == 200);
	KTEST_EXPECT(put(again, 1) == -EFAULT);
	KTEST_EXPECT(put(private + 2 * PAGE_SIZE, 300) == 0 && fills == 3);
	KTEST_EXPECT(get(shared + 2 * PAGE_SIZE) == 2 * PAGE_SIZE + 7);
	KTEST_EXPECT(address_space_fault(space, shared + 3 * PAGE_SIZE, VM_READ) == -EIO);
	KTEST_EXPECT(address_space_fault(space, shared + 5 * PAGE_SIZE, VM_READ) == -ENXIO);
	KTEST_EXPECT(get(shared + 5 * PAGE_SIZE) == ~0ULL);
	/* Reads and writes without a mapping see the same, up to the end. */
	KTEST_EXPECT(memory_object_read(object, PAGE_SIZE, &value, 8) == 8 && value == 100);
	KTEST_EXPECT(memory_object_read(object, 3 * PAGE_SIZE, &value, 8) == -EIO);
	KTEST_EXPECT(memory_object_read(object, 5 * PAGE_SIZE - 104, &value, 8) == 4);
	KTEST_EXPECT(memory_object_read(object, 5 * PAGE_SIZE, &value, 8) == 0);
	KTEST_EXPECT(!memory_object_view(object, 0, 8));
	value = 400;
	KTEST_EXPECT(memory_object_write(object, 2 * PAGE_SIZE, &value, 8) == 8);
	KTEST_EXPECT(get(shared + 2 * PAGE_SIZE) == 400 && get(private + 2 * PAGE_SIZE) == 300);
	leave(space);
	memory_object_put(object);
	KTEST_EXPECT(page_alloc_counts().used <= used + 1);
}

KTEST(address_space, truncation)
{
	struct address_space *space = enter_new(), *child;
	struct memory_object *object = memory_object_create(4 * PAGE_SIZE, NULL, NULL);
	unsigned long private = BASE, shared = BASE + 8 * PAGE_SIZE;
	size_t used;
	unsigned int i;

	KTEST_ASSERT(space && object);
	KTEST_EXPECT(map_object(space, private, 4 * PAGE_SIZE, object, 0, RW) == 0);
	KTEST_EXPECT(map_object(space, shared, 3 * PAGE_SIZE, object, PAGE_SIZE, RW | VM_SHARED) ==
		     0);
	for (i = 0; i < 3; i++)
		KTEST_EXPECT(put(shared + i * PAGE_SIZE, i + 1) == 0);
	KTEST_EXPECT(put(shared + 0x800, 9) == 0);
	KTEST_EXPECT(put(private + 3 * PAGE_SIZE, 50) == 0);
	child = address_space_clone(space);
	KTEST_ASSERT(child);
	used = page_alloc_counts().used;
	KTEST_EXPECT(memory_object_resize(object, PAGE_SIZE + 0x400) == 0);
	/* Two pages of the object, and the copy of one that parent and child had. */
	KTEST_EXPECT(page_alloc_counts().used <= used - 3);
	KTEST_EXPECT(get(shared) == 1 && peek(shared + PAGE_SIZE) == ~0ULL);
	KTEST_EXPECT(get(shared + PAGE_SIZE) == ~0ULL && get(private + 3 * PAGE_SIZE) == ~0ULL);
	KTEST_EXPECT(put(private + 3 * PAGE_SIZE, 1) == -EFAULT);
	address_space_enter(child);
	KTEST_EXPECT(get(private + 3 * PAGE_SIZE) == ~0ULL && get(private + PAGE_SIZE) == 1);
	address_space_enter(space);
	/* What comes back is zero, on the page with the end, too. */
	KTEST_EXPECT(memory_object_resize(object, 4 * PAGE_SIZE) == 0);
	KTEST_EXPECT(get(shared) == 1 && get(shared + 0x800) == 0);
	KTEST_EXPECT(get(shared + PAGE_SIZE) == 0 && get(private + 3 * PAGE_SIZE) == 0);
	address_space_destroy(child);
	leave(space);
	memory_object_put(object);
}

/* --- clones -------------------------------------------------------------------------------- */

KTEST(address_space, clone)
{
	size_t used = warm_up(), before;
	struct address_space *parent = enter_new(), *child;
	struct memory_object *object = memory_object_create(PAGE_SIZE, NULL, NULL);
	unsigned long shared = BASE + 16 * PAGE_SIZE;
	unsigned int i;

	KTEST_ASSERT(parent && object);
	KTEST_EXPECT(map(parent, BASE, 8 * PAGE_SIZE, RW) == 0);
	KTEST_EXPECT(map_object(parent, shared, PAGE_SIZE, object, 0, RW | VM_SHARED) == 0);
	for (i = 0; i < 4; i++)
		KTEST_EXPECT(put(BASE + i * PAGE_SIZE, i + 1) == 0);
	KTEST_EXPECT(put(shared, 77) == 0);
	before = page_alloc_counts().used;
	child = address_space_clone(parent);
	KTEST_ASSERT(child);
	/* Tables, and what the heap may take. */
	KTEST_EXPECT(page_alloc_counts().used <= before + 7);
	KTEST_EXPECT(put(BASE, 10) == 0 && get(BASE + PAGE_SIZE) == 2);
	address_space_enter(child);
	KTEST_EXPECT(get(BASE) == 1);
	KTEST_EXPECT(put(BASE + PAGE_SIZE, 20) == 0 && put(BASE + 4 * PAGE_SIZE, 50) == 0);
	KTEST_EXPECT(put(shared, 78) == 0);
	address_space_enter(parent);
	KTEST_EXPECT(get(BASE) == 10 && get(BASE + PAGE_SIZE) == 2);
	KTEST_EXPECT(get(BASE + 4 * PAGE_SIZE) == 0 && get(shared) == 78);
	address_space_destroy(child);
	/* The last user of a page writes to it as it is. */
	before = page_alloc_counts().used;
	KTEST_EXPECT(put(BASE + 2 * PAGE_SIZE, 30) == 0);
	KTEST_EXPECT(page_alloc_counts().used == before);
	leave(parent);
	memory_object_put(object);
	KTEST_EXPECT(page_alloc_counts().used <= used + 1);
}

/* Where there is much memory, taking all of it takes long, and shows nothing else. */
static bool much_memory(void)
{
	return page_alloc_counts().total > 1UL << 16;
}

/* All pages, linked by next. */
static struct page *take_pages(void)
{
	struct page *list = NULL, *page;

	for (unsigned int order = PAGE_ORDER_MAX + 1; order-- > 0;) {
		while ((page = page_alloc(order))) {
			page->next = list;
			list = page;
		}
	}
	return list;
}

static void give_pages(struct page *list)
{
	while (list) {
		struct page *page = list;

		list = page->next;
		page_free(page, page->order);
	}
}

/* However much memory there is, a clone comes to be as a whole or not at all. */
KTEST(address_space, clone_without_memory)
{
	struct address_space *parent = enter_new(), *child = NULL;
	struct page *singles[64], *pages;
	unsigned int spare, i;

	KTEST_ASSERT(parent);
	for (i = 0; i < 6; i++) {
		KTEST_EXPECT(map(parent, BASE + i * (1UL << 30), PAGE_SIZE, RW) == 0);
		KTEST_EXPECT(put(BASE + i * (1UL << 30), i) == 0);
	}
	for (i = 0; i < ARRAY_SIZE(singles); i++)
		singles[i] = page_alloc(0);
	pages = much_memory() ? NULL : take_pages();
	/* A page more each time */
	for (spare = 0; spare < ARRAY_SIZE(singles) && !child; spare++) {
		size_t used = page_alloc_counts().used;

		child = address_space_clone(parent);
		if (child)
			break;
		KTEST_EXPECT(page_alloc_counts().used <= used + 1);
		/* No page is shared any more: none is needed. */
		for (i = 0; i < 6; i++)
			KTEST_EXPECT(put(BASE + i * (1UL << 30), spare + 1 + i) == 0);
		if (singles[spare])
			page_free(singles[spare], 0);
	}
	for (i = spare; i < ARRAY_SIZE(singles); i++)
		if (singles[i])
			page_free(singles[i], 0);
	give_pages(pages);
	KTEST_EXPECT(child && (spare > 5 || much_memory()));
	for (i = 0; i < 6; i++)
		KTEST_EXPECT(get(BASE + i * (1UL << 30)) == spare + i);
	if (child)
		address_space_destroy(child);
	leave(parent);
}

/* A fault without memory is an error, and works when there is some. */
KTEST(address_space, fault_without_memory)
{
	struct address_space *space;
	struct memory_object *object;
	struct page *list;

	if (much_memory())
		return;
	space = enter_new();
	object = memory_object_create(PAGE_SIZE, NULL, NULL);
	KTEST_ASSERT(space && object);
	KTEST_EXPECT(map(space, BASE, PAGE_SIZE, RW) == 0);
	KTEST_EXPECT(map_object(space, BASE + PAGE_SIZE, PAGE_SIZE, object, 0, RW) == 0);
	list = take_pages();
	KTEST_EXPECT(address_space_fault(space, BASE, VM_WRITE) == -ENOMEM);
	KTEST_EXPECT(address_space_fault(space, BASE + PAGE_SIZE, VM_READ) == -ENOMEM);
	KTEST_EXPECT(put(BASE, 1) == -EFAULT);
	give_pages(list);
	KTEST_EXPECT(put(BASE, 1) == 0 && get(BASE + PAGE_SIZE) == 0);
	leave(space);
	memory_object_put(object);
}

/* Take what the heap has left of objects of @size bytes. Return: those taken, linked. */
static void **take_objects(size_t size)
{
	void **list = NULL, **object;

	while ((object = kmalloc(size))) {
		*object = list;
		list = object;
	}
	return list;
}

static void give_objects(void **list)
{
	while (list) {
		void **object = list;

		list = *object;
		kfree(object);
	}
}

/* Where a mapping would have to be divided, and cannot be, all stays as it was. */
KTEST(address_space, operations_without_memory)
{
	unsigned long size = 8 * PAGE_SIZE, middle = BASE + 2 * PAGE_SIZE, i;
	struct address_space *space;
	struct page *pages;
	void **objects, **others;

	if (much_memory())
		return;
	space = enter_new();
	KTEST_ASSERT(space);
	KTEST_EXPECT(map(space, BASE, size, RW) == 0);
	for (i = 0; i < 8; i++)
		KTEST_EXPECT(put(BASE + i * PAGE_SIZE, i + 1) == 0);
	pages = take_pages();
	objects = take_objects(sizeof(struct mapping));
	others = take_objects(sizeof(struct memory_object));
	KTEST_EXPECT(map(space, BASE + size, PAGE_SIZE, RW) == -ENOMEM);
	KTEST_EXPECT(map(space, middle, PAGE_SIZE, RW | VM_REPLACE) == -ENOMEM);
	KTEST_EXPECT(address_space_unmap(space, middle, PAGE_SIZE) == -ENOMEM);
	KTEST_EXPECT(address_space_unmap(space, middle, size) == -ENOMEM);
	KTEST_EXPECT(address_space_protect(space, middle, PAGE_SIZE, VM_READ) == -ENOMEM);
	KTEST_EXPECT(address_space_protect(space, BASE, PAGE_SIZE, 0) == -ENOMEM);
	KTEST_EXPECT(!address_space_create() && !address_space_clone(space));
	KTEST_EXPECT(!memory_object_create(PAGE_SIZE, NULL, NULL));
	KTEST_EXPECT(count_mappings(space) == 1);
	for (i = 0; i < 8; i++)
		KTEST_EXPECT(get(BASE + i * PAGE_SIZE) == i + 1 &&
			     put(BASE + i * PAGE_SIZE, i + 2) == 0);
	/* What needs nothing more can be done. */
	KTEST_EXPECT(address_space_protect(space, BASE, size, VM_READ) == 0);
	KTEST_EXPECT(put(BASE, 1) == -EFAULT);
	KTEST_EXPECT(address_space_unmap(space, BASE, size) == 0 && get(BASE) == ~0ULL);
	give_objects(others);
	give_objects(objects);
	give_pages(pages);
	leave(space);
}

/* --- each allocation fails in turn -------------------------------------------------------- */

#ifdef CONFIG_FAIL_ALLOC
static struct memory_object *fail_object;
static struct address_space *fail_clone;

/* Operations of which each allocation may fail. Return: 0, -ENOMEM. */
static int fail_map(struct address_space *space)
{
	return map_object(space, BASE + 8 * PAGE_SIZE, PAGE_SIZE, fail_object, 0, RW);
}

static int fail_replace(struct address_space *space)
{
	return map(space, BASE + 2 * PAGE_SIZE, PAGE_SIZE, VM_READ | VM_REPLACE);
}

static int fail_unmap(struct address_space *space)
{
	return address_space_unmap(space, BASE + 2 * PAGE_SIZE, PAGE_SIZE);
}

static int fail_protect(struct address_space *space)
{
	return address_space_protect(space, BASE + 2 * PAGE_SIZE, PAGE_SIZE, VM_READ);
}

static int fail_cloning(struct address_space *space)
{
	fail_clone = address_space_clone(space);
	return fail_clone ? 0 : -ENOMEM;
}

/* Away, and back, so that the pages are where they are looked for. */
static int fail_move(struct address_space *space)
{
	int err = address_space_move(space, BASE + PAGE_SIZE, BASE + (8UL << 30), 4 * PAGE_SIZE);

	if (!err)
		err = address_space_move(space, BASE + (8UL << 30), BASE + PAGE_SIZE,
					 4 * PAGE_SIZE);
	return err;
}

static int fail_fault(struct address_space *space)
{
	return address_space_fault(space, BASE + 6 * PAGE_SIZE, VM_WRITE);
}

static int fail_object_fault(struct address_space *space)
{
	return address_space_fault(space, BASE + (4UL << 30), VM_WRITE);
}

static int fail_write(struct address_space *space)
{
	u64 value = 1;
	long n = memory_object_write(fail_object, 5 * PAGE_SIZE, &value, sizeof(value));

	return n < 0 ? (int)n : 0;
}

static void fail_each(struct address_space *space, int (*operation)(struct address_space *space))
{
	unsigned int mappings = count_mappings(space), n;
	int err = -ENOMEM;

	for (n = 1; err && n < 100; n++) {
		bool failed;
		unsigned int i;

		fail_alloc_at(n);
		err = operation(space);
		failed = fail_alloc_end();
		KTEST_EXPECT(err == (err ? -ENOMEM : 0) && (!err || failed));
		/* A block that cannot be had may have been replaced by a page. */
		if (!err)
			break;
		KTEST_EXPECT(count_mappings(space) == mappings);
		for (i = 0; i < 6; i++) {
			u64 value;

			KTEST_EXPECT(
				!copy_from_user(&value, at(BASE + i * PAGE_SIZE), sizeof(value)) &&
				value == i + n);
			value++;
			KTEST_EXPECT(
				!copy_to_user(at(BASE + i * PAGE_SIZE), &value, sizeof(value)));
		}
	}
	KTEST_EXPECT(n > 1 && n < 100);
}

KTEST(address_space, each_allocation_fails)
{
	static int (*const operations[])(struct address_space * space) = {
		fail_map,   fail_replace,      fail_unmap, fail_protect, fail_cloning,
		fail_fault, fail_object_fault, fail_write, fail_move,
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(operations); i++) {
		struct address_space *space = enter_new();

		fail_object = memory_object_create(8 * PAGE_SIZE, NULL, NULL);
		KTEST_ASSERT(space && fail_object);
		KTEST_EXPECT(map(space, BASE, 8 * PAGE_SIZE, RW) == 0);
		KTEST_EXPECT(map_object(space, BASE + (4UL << 30), PAGE_SIZE, fail_object, 0,
					RW | VM_SHARED) == 0);
		for (unsigned int j = 0; j < 6; j++)
			KTEST_EXPECT(put(BASE + j * PAGE_SIZE, j + 1) == 0);
		fail_clone = NULL;
		fail_each(space, operations[i]);
		if (fail_clone)
			address_space_destroy(fail_clone);
		leave(space);
		memory_object_put(fail_object);
	}
}

/* Where a block cannot be, a page is; what was made on the way to the one serves the other. */
KTEST(address_space, fault_fails_on_the_way)
{
	for (unsigned int n = 1; n < 8; n++) {
		size_t used = warm_up();
		struct address_space *space = enter_new();
		int err;

		KTEST_ASSERT(space);
		KTEST_EXPECT(map(space, BASE, USER_BLOCK_SIZE, RW) == 0);
		fail_alloc_at(n);
		err = address_space_fault(space, BASE, VM_WRITE);
		fail_alloc_end();
		KTEST_EXPECT(err == 0 || err == -ENOMEM);
		KTEST_EXPECT(put(BASE, n) == 0 && get(BASE) == n);
		leave(space);
		KTEST_EXPECT(page_alloc_counts().used == used);
	}
}
#endif

/* --- mappings that change ------------------------------------------------------------------ */

/* A mapping goes on with what follows in its object, as far as there is room behind it. */
KTEST(address_space, extend)
{
	struct memory_object *object = memory_object_create(4 * PAGE_SIZE, NULL, NULL);
	struct address_space *space = address_space_create();
	unsigned int before;

	KTEST_ASSERT(object && space);
	KTEST_EXPECT(map_object(space, BASE, PAGE_SIZE, object, PAGE_SIZE, RW | VM_SHARED) == 0);
	KTEST_EXPECT(map(space, BASE + 3 * PAGE_SIZE, PAGE_SIZE, RW) == 0);
	before = count_mappings(space);
	KTEST_EXPECT(address_space_extend(space, BASE + PAGE_SIZE, 0) == -EINVAL);
	KTEST_EXPECT(address_space_extend(space, BASE + 2 * PAGE_SIZE, PAGE_SIZE) == -EFAULT);
	KTEST_EXPECT(address_space_extend(space, BASE + PAGE_SIZE, 3 * PAGE_SIZE) == -EEXIST);
	KTEST_EXPECT(address_space_extend(space, BASE + PAGE_SIZE, 2 * PAGE_SIZE) == 0);
	KTEST_EXPECT(count_mappings(space) == before);
	KTEST_EXPECT(address_space_fault(space, BASE + 2 * PAGE_SIZE, VM_WRITE) == 0);
	/* It ends where another one begins now; that one has no neighbour. */
	KTEST_EXPECT(address_space_extend(space, BASE + 3 * PAGE_SIZE, PAGE_SIZE) == -EEXIST);
	KTEST_EXPECT(address_space_extend(space, BASE + 4 * PAGE_SIZE, PAGE_SIZE) == 0);
	KTEST_EXPECT(address_space_fault(space, BASE + 4 * PAGE_SIZE, VM_WRITE) == 0);
	address_space_destroy(space);
	memory_object_put(object);
}

/* What must never be written to stays so, whatever else is permitted. */
KTEST(address_space, no_write)
{
	struct memory_object *object = memory_object_create(PAGE_SIZE, NULL, NULL);
	struct address_space *space = address_space_create();

	KTEST_ASSERT(object && space);
	KTEST_EXPECT(map_object(space, BASE, PAGE_SIZE, object, 0,
				VM_READ | VM_SHARED | VM_NO_WRITE) == 0);
	KTEST_EXPECT(address_space_protect(space, BASE, PAGE_SIZE, RW) == -EACCES);
	KTEST_EXPECT(address_space_protect(space, BASE, PAGE_SIZE, 0) == 0);
	KTEST_EXPECT(address_space_protect(space, BASE, PAGE_SIZE, RW) == -EACCES);
	KTEST_EXPECT(address_space_protect(space, BASE, PAGE_SIZE, VM_READ) == 0);
	KTEST_EXPECT(address_space_fault(space, BASE, VM_READ) == 0);
	KTEST_EXPECT(address_space_fault(space, BASE, VM_WRITE) == -EACCES);
	address_space_destroy(space);
	memory_object_put(object);
}

/* --- images ------------------------------------------------------------------------------ */

#ifdef CONFIG_USERSPACE
/* Is the page at @addr the one at @data itself? */
static bool is_in_place(struct address_space *space, unsigned long addr, const void *data)
{
	struct user_leaf leaf;

	return user_leaf_find(&space->tables, addr, &leaf) && leaf.pa == virt_to_phys(data);
}

/* Whole pages are mapped where they are; the rest is copied, with nothing behind it. */
KTEST(address_space, image)
{
	struct page *page = page_alloc(2);
	struct address_space *space = enter_new();
	struct memory_object *whole, *shifted;
	u64 *data, buffer = 0;
	unsigned int i;

	KTEST_ASSERT(space && page);
	data = page_to_virt(page);
	for (i = 0; i < 4 * PAGE_SIZE / sizeof(u64); i++)
		data[i] = i + 1;
	whole = memory_object_create_image(data, 2 * PAGE_SIZE + 16);
	shifted = memory_object_create_image(data + 1, PAGE_SIZE);
	KTEST_ASSERT(whole && shifted);
	KTEST_EXPECT(map_object(space, BASE, 4 * PAGE_SIZE, whole, 0, RW) == 0);
	KTEST_EXPECT(map_object(space, BASE + 4 * PAGE_SIZE, PAGE_SIZE, shifted, 0, VM_READ) == 0);
	KTEST_EXPECT(get(BASE) == 1 && is_in_place(space, BASE, data));
	KTEST_EXPECT(get(BASE + 2 * PAGE_SIZE + 8) == data[1025]);
	KTEST_EXPECT(get(BASE + 2 * PAGE_SIZE + 16) == 0);
	KTEST_EXPECT(get(BASE + 3 * PAGE_SIZE) == ~0ULL);
	KTEST_EXPECT(get(BASE + 4 * PAGE_SIZE) == 2);
	KTEST_EXPECT(!is_in_place(space, BASE + 4 * PAGE_SIZE, data));
	KTEST_EXPECT(put(BASE, 7) == 0 && get(BASE) == 7 && data[0] == 1);
	KTEST_EXPECT(memory_object_read(whole, 2 * PAGE_SIZE + 8, &buffer, 100) == 8 &&
		     buffer == data[1025]);
	KTEST_EXPECT(memory_object_view(whole, 8, 2 * PAGE_SIZE + 8) == data + 1);
	KTEST_EXPECT(!memory_object_view(whole, 9, 2 * PAGE_SIZE + 8));
	KTEST_EXPECT(!memory_object_view(whole, ~0ULL, 2));
	KTEST_EXPECT(memory_object_view(shifted, 0, 1) == data + 1);
	KTEST_EXPECT(memory_object_resize(whole, PAGE_SIZE) == -EINVAL);
	leave(space);
	memory_object_put(whole);
	memory_object_put(shifted);
	page_free(page, 2);
}

/* The pages around one that is in place come with it; around a copy there is something else. */
KTEST(address_space, image_from_its_end)
{
	struct page *page = page_alloc(2);
	struct address_space *space = enter_new();
	struct memory_object *image;
	u64 *data;
	unsigned int i;

	KTEST_ASSERT(space && page);
	data = page_to_virt(page);
	for (i = 0; i < 4 * PAGE_SIZE / sizeof(u64); i++)
		data[i] = i + 1;
	image = memory_object_create_image(data, 2 * PAGE_SIZE + 16);
	KTEST_ASSERT(image);
	KTEST_EXPECT(map_object(space, BASE, 3 * PAGE_SIZE, image, 0, VM_READ) == 0);
	KTEST_EXPECT(get(BASE + 2 * PAGE_SIZE) == data[1024]);
	KTEST_EXPECT(get(BASE + PAGE_SIZE) == data[512] && get(BASE) == data[0]);
	KTEST_EXPECT(is_in_place(space, BASE, data));
	leave(space);
	memory_object_put(image);
	page_free(page, 2);
}
#endif

/* --- blocks of 2 MiB -------------------------------------------------------------------------- */

#ifdef CONFIG_HUGE_PAGES
#define BLOCK USER_BLOCK_SIZE

static bool is_block(struct address_space *space, unsigned long addr)
{
	struct user_leaf leaf;

	return user_leaf_find(&space->tables, addr, &leaf) && leaf.block;
}

static void expect_pages(unsigned long addr, unsigned int first, unsigned int n, u64 value)
{
	for (unsigned int i = first; i < first + n; i++)
		KTEST_EXPECT(get(addr + i * PAGE_SIZE) == value + i);
}

KTEST(address_space, blocks)
{
	size_t used = warm_up();
	struct address_space *parent = enter_new(), *child;
	unsigned int i;

	KTEST_ASSERT(parent);
	/* One page before the first block, three behind the second. */
	KTEST_EXPECT(map(parent, BASE - PAGE_SIZE, 2 * BLOCK + 4 * PAGE_SIZE, RW) == 0);
	KTEST_EXPECT(put(BASE + 5 * PAGE_SIZE, 5) == 0);
	if (!is_block(parent, BASE)) {
		/* A machine without 2 MiB in one piece */
		leave(parent);
		return;
	}
	KTEST_EXPECT(put(BASE - 8, 1) == 0 && !is_block(parent, BASE - PAGE_SIZE));
	KTEST_EXPECT(put(BASE + 2 * BLOCK, 1) == 0 && !is_block(parent, BASE + 2 * BLOCK));
	for (i = 0; i < 512; i++)
		KTEST_EXPECT(put(BASE + i * PAGE_SIZE, i) == 0);
	child = address_space_clone(parent);
	KTEST_ASSERT(child);
	KTEST_EXPECT(is_block(parent, BASE) && is_block(child, BASE));
	/* A write divides the writer's, and copies a page of it. */
	address_space_enter(child);
	KTEST_EXPECT(put(BASE, 1000) == 0 && put(BASE + 511 * PAGE_SIZE, 1511) == 0);
	KTEST_EXPECT(is_block(parent, BASE) && !is_block(child, BASE));
	expect_pages(BASE, 1, 510, 0);
	address_space_enter(parent);
	expect_pages(BASE, 0, 512, 0);
	/* So does what covers a part of it. */
	KTEST_EXPECT(address_space_protect(parent, BASE + 100 * PAGE_SIZE, 100 * PAGE_SIZE,
					   VM_READ) == 0);
	KTEST_EXPECT(!is_block(parent, BASE));
	KTEST_EXPECT(put(BASE + 100 * PAGE_SIZE, 1) == -EFAULT);
	KTEST_EXPECT(put(BASE + 200 * PAGE_SIZE, 200) == 0);
	KTEST_EXPECT(address_space_unmap(parent, BASE + 300 * PAGE_SIZE, 100 * PAGE_SIZE) == 0);
	KTEST_EXPECT(get(BASE + 300 * PAGE_SIZE) == ~0ULL && get(BASE + 399 * PAGE_SIZE) == ~0ULL);
	expect_pages(BASE, 0, 300, 0);
	expect_pages(BASE, 400, 112, 0);
	address_space_enter(child);
	expect_pages(BASE, 1, 510, 0);
	address_space_enter(parent);
	address_space_destroy(child);
	/* A block that cannot be divided for want of memory stays as it is. */
	KTEST_EXPECT(address_space_protect(parent, BASE + BLOCK, BLOCK, RW) == 0);
	KTEST_EXPECT(put(BASE + BLOCK, 7) == 0);
	if (!much_memory() && is_block(parent, BASE + BLOCK)) {
		struct page *pages = take_pages();

		KTEST_EXPECT(address_space_unmap(parent, BASE + BLOCK + PAGE_SIZE, PAGE_SIZE) ==
			     -ENOMEM);
		KTEST_EXPECT(is_block(parent, BASE + BLOCK) && put(BASE + BLOCK, 8) == 0);
		give_pages(pages);
	}
	/* All of it is free again, and a block can be there again. */
	KTEST_EXPECT(address_space_unmap(parent, BASE - PAGE_SIZE, 2 * BLOCK + 4 * PAGE_SIZE) == 0);
	KTEST_EXPECT(map(parent, BASE, BLOCK, RW) == 0);
	KTEST_EXPECT(get(BASE) == 0 && is_block(parent, BASE));
	leave(parent);
	KTEST_EXPECT(page_alloc_counts().used <= used + 1);
}

/* An image in RAM is shown where it is. */
KTEST(address_space, fixed_object)
{
	struct page *page = page_alloc(PAGE_ORDER_MAX);
	struct address_space *space;
	struct memory_object *object;
	u64 *memory;
	unsigned int i;

	/* A small machine has none. */
	if (!page)
		return;
	memory = page_to_virt(page);
	for (i = 0; i < 1024; i++)
		memory[i * PAGE_SIZE / 8] = i;
	KTEST_EXPECT(!memory_object_create_fixed(page_to_phys(page) + 8, PAGE_SIZE));
	object = memory_object_create_fixed(page_to_phys(page), 2 * BLOCK);
	space = enter_new();
	KTEST_ASSERT(object && space);
	KTEST_EXPECT(memory_object_resize(object, 0) == -EINVAL);
	KTEST_EXPECT(map_object(space, BASE, BLOCK, object, BLOCK, RW) == 0);
	KTEST_EXPECT(map_object(space, BASE + 2 * BLOCK, BLOCK, object, BLOCK, RW | VM_SHARED) ==
		     0);
	/* Not aligned as its memory is */
	KTEST_EXPECT(map_object(space, BASE + 4 * BLOCK, BLOCK, object, PAGE_SIZE, VM_READ) == 0);
	KTEST_EXPECT(get(BASE) == 512 && get(BASE + 2 * BLOCK) == 512 &&
		     get(BASE + 4 * BLOCK) == 1);
	KTEST_EXPECT(is_block(space, BASE) && is_block(space, BASE + 2 * BLOCK));
	KTEST_EXPECT(!is_block(space, BASE + 4 * BLOCK));
	KTEST_EXPECT(put(BASE + PAGE_SIZE, 1) == 0 &&
		     put(BASE + 2 * BLOCK + 2 * PAGE_SIZE, 2) == 0);
	KTEST_EXPECT(!is_block(space, BASE) && is_block(space, BASE + 2 * BLOCK));
	KTEST_EXPECT(memory[513 * PAGE_SIZE / 8] == 513 && memory[514 * PAGE_SIZE / 8] == 2);
	KTEST_EXPECT(get(BASE + PAGE_SIZE) == 1 && get(BASE + 2 * PAGE_SIZE) == 2);
	leave(space);
	memory_object_put(object);
	page_free(page, PAGE_ORDER_MAX);
}
#endif

/* --- the model of what harts remember ---------------------------------------------------------- */

#ifdef CONFIG_DEBUG_TLB
static struct memory_object *tlb_object;

static void tlb_protect(struct address_space *space)
{
	address_space_protect(space, BASE, PAGE_SIZE, VM_READ);
}

static void tlb_unmap(struct address_space *space)
{
	address_space_unmap(space, BASE, PAGE_SIZE);
}

static void tlb_clone(struct address_space *space)
{
	struct address_space *child = address_space_clone(space);

	if (child)
		address_space_destroy(child);
}

static void tlb_copy(struct address_space *space)
{
	put(BASE + PAGE_SIZE, 2);
}

static void tlb_truncate(struct address_space *space)
{
	memory_object_resize(tlb_object, 0);
}

static void tlb_replace(struct address_space *space)
{
	map(space, BASE + 2 * PAGE_SIZE, PAGE_SIZE, RW | VM_REPLACE);
}

/* What is changed in a space that no hart has loaded is found when one loads it. */
static void tlb_unloaded(struct address_space *space)
{
	address_space_enter(NULL);
	tlb_unmap(space);
	address_space_enter(space);
}

/* How many fences the model misses in @change. */
static unsigned int missed(void (*change)(struct address_space *space), bool omit)
{
	struct address_space *space = enter_new();
	unsigned int result;

	if (!space)
		return 0;
	tlb_object = memory_object_create(PAGE_SIZE, NULL, NULL);
	KTEST_EXPECT(map(space, BASE, 2 * PAGE_SIZE, RW) == 0);
	KTEST_EXPECT(map_object(space, BASE + 2 * PAGE_SIZE, PAGE_SIZE, tlb_object, 0,
				RW | VM_SHARED) == 0);
	KTEST_EXPECT(put(BASE, 1) == 0 && get(BASE + PAGE_SIZE) == 0);
	KTEST_EXPECT(put(BASE + 2 * PAGE_SIZE, 3) == 0);
	tlb_model_test(omit, true);
	change(space);
	result = tlb_model_test(false, true);
	/* The next ones that get its ASID would find what is left of it: hence all at once. */
	leave(space);
	memory_object_put(tlb_object);
	tlb_model_test(false, false);
	return result;
}

KTEST(address_space, missing_fences)
{
	static void (*const changes[])(struct address_space * space) = {
		tlb_protect,  tlb_unmap,   tlb_clone,	 tlb_copy,
		tlb_truncate, tlb_replace, tlb_unloaded,
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(changes); i++) {
		KTEST_EXPECT(missed(changes[i], false) == 0);
		KTEST_EXPECT(missed(changes[i], true) > 0);
	}
}
#endif
