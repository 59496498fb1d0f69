// SPDX-License-Identifier: MIT
/*
 * Checks in front of the heap. Each object lies between a head and a tail whose
 * contents are known; one that is freed is filled with a pattern that must still
 * be there when its place is used again.
 */
#include <ahoy/compiler.h>
#include <ahoy/list.h>
#include <ahoy/page_alloc.h>
#include <ahoy/panic.h>
#include <ahoy/printk.h>
#include <ahoy/slab.h>
#include <ahoy/spinlock.h>
#include <ahoy/string.h>
#include <asm/page.h>

#define HEAP_CHECKS
#include "heap.h"

enum magic {
	LIVE = 0x11fe11fe,
	FREED = 0xdeadf4ee,
};

#define RED   0xbb /* before and behind an object */
#define NEW   0x5a /* in an object that nobody has written to */
#define GONE  0x6b /* in one that was freed */
#define TAIL  16
#define GUARD (sizeof(struct head) + TAIL)

struct head {
	u64 heaps; /* the heap writes here what leads to the next free object */
	u32 magic;
	u32 size; /* as asked for */
	const void *caller;
	struct list_head link;
	u8 red[8];
};
BUILD_BUG_ON(sizeof(struct head) % 16);

/* All objects in use. */
static struct list_head objects = { &objects, &objects };
static struct spinlock lock;

static u8 *object_of(const struct head *head)
{
	return (u8 *)(head + 1);
}

static struct head *head_of(const void *p)
{
	return (struct head *)p - 1;
}

/* The first byte of [@p, @p + @size) that is not @value, or NULL. */
static const u8 *differs(const u8 *p, size_t size, u8 value)
{
	for (; size; p++, size--)
		if (*p != value)
			return p;
	return NULL;
}

static void __noreturn report(const struct head *head, const char *what, const u8 *where)
{
	panic("heap: %p of %u bytes, allocated by %pS: %s at %p (offset %ld)", object_of(head),
	      head->size, head->caller, what, where, (long)(where - object_of(head)));
}

/* Make an object of what the heap gave. @room: all of its bytes. */
static void *open(struct head *head, size_t room, size_t size, const void *caller)
{
	const u8 *wrong = NULL;
	unsigned long flags;

	if (!head)
		return NULL;
	/* Only in slabs has a place one object after the other, and nothing else. */
	if (IS_ENABLED(CONFIG_SLAB) && head->magic == FREED &&
	    virt_to_page(head)->state == PAGE_SLAB)
		wrong = differs(object_of(head), head->size, GONE);
	if (wrong)
		report(head, "written after it was freed,", wrong);
	head->magic = LIVE;
	head->size = (u32)size;
	head->caller = caller;
	memset(head->red, RED, sizeof(head->red));
	memset(object_of(head), NEW, size);
	memset(object_of(head) + size, RED, room - sizeof(*head) - size);
	flags = spin_lock(&lock);
	list_add_tail(&head->link, &objects);
	spin_unlock(&lock, flags);
	return object_of(head);
}

/* Check an object that is given back. @room: see open(). */
static struct head *close(const void *p, size_t room)
{
	struct head *head = head_of(p);
	const u8 *wrong;
	unsigned long flags;

	wrong = differs(head->red, sizeof(head->red), RED);
	if (wrong && (head->magic == LIVE || head->magic == FREED))
		report(head, "written before it,", wrong);
	if (head->magic == FREED)
		report(head, "freed twice,", object_of(head));
	if (head->magic != LIVE)
		panic("heap: %p was freed, but never allocated", p);
	wrong = differs(object_of(head) + head->size, room - sizeof(*head) - head->size, RED);
	if (wrong)
		report(head, "written behind it,", wrong);
	flags = spin_lock(&lock);
	list_del(&head->link);
	spin_unlock(&lock, flags);
	head->magic = FREED;
	memset(object_of(head), GONE, head->size);
	return head;
}

/* The largest objects are blocks of pages, which have no room for more. */
static bool is_bare(const void *p)
{
	return (unsigned long)p % PAGE_SIZE == 0 && virt_to_page(p)->state == PAGE_USED;
}

void *kmalloc(size_t size)
{
	struct head *head;

	if (size == 0 || size > KMALLOC_MAX - GUARD)
		return raw_kmalloc(size);
	head = raw_kmalloc(size + GUARD);
	return head ? open(head, raw_ksize(head), size, __builtin_return_address(0)) : NULL;
}

void kfree(const void *p)
{
	if (!p || is_bare(p))
		raw_kfree(p);
	else
		raw_kfree(close(p, raw_ksize(head_of(p))));
}

size_t ksize(const void *p)
{
	return is_bare(p) ? raw_ksize(p) : head_of(p)->size;
}

void heap_set_caller(void *p, const void *caller)
{
	if (p && !is_bare(p))
		head_of(p)->caller = caller;
}

/* --- caches ---------------------------------------------------------------------- */

/* The head's end is aligned as the object is, and the head's beginning with it. */
static size_t guard_before(size_t align)
{
	return ALIGN(sizeof(struct head), align ? align : 1);
}

int kmem_cache_init(struct kmem_cache *cache, const char *name, size_t size, size_t align)
{
	size_t before = guard_before(align);
	int err = raw_kmem_cache_init(cache, name, size, align);

	if (err || before + size + TAIL > PAGE_SIZE)
		return err;
	err = raw_kmem_cache_init(cache, name, before + size + TAIL, align);
	cache->guard = (u16)before;
	cache->object_size = (u16)size;
	return err;
}

void *kmem_cache_alloc(struct kmem_cache *cache)
{
	u8 *chunk = raw_kmem_cache_alloc(cache);
	struct head *head;

	if (!cache->guard || !chunk)
		return chunk;
	head = head_of(chunk + cache->guard);
	return open(head, cache->size - (size_t)((u8 *)head - chunk), cache->object_size,
		    __builtin_return_address(0));
}

void kmem_cache_free(struct kmem_cache *cache, void *object)
{
	if (cache->guard) {
		u8 *chunk = (u8 *)object - cache->guard;

		close(object, cache->size - (size_t)((u8 *)head_of(object) - chunk));
		object = chunk;
	}
	raw_kmem_cache_free(cache, object);
}

/* --- who has what --------------------------------------------------------------- */

static size_t count(const void *caller, size_t *bytes)
{
	const struct list_head *at;
	size_t n = 0;

	*bytes = 0;
	for (at = objects.next; at != &objects; at = at->next) {
		const struct head *head = list_entry(at, struct head, link);

		if (!caller || head->caller == caller) {
			n++;
			*bytes += head->size;
		}
	}
	return n;
}

/* Has somebody before @at in the list the same caller? */
static bool is_told(const struct list_head *at, const void *caller)
{
	const struct list_head *before;

	for (before = objects.next; before != at; before = before->next)
		if (list_entry(before, struct head, link)->caller == caller)
			return true;
	return false;
}

void heap_report(void)
{
	unsigned long flags = spin_lock(&lock);
	const struct list_head *at;
	size_t n, bytes;

	n = count(NULL, &bytes);
	pr_info("heap: %zu objects of %zu bytes in use\n", n, bytes);
	for (at = objects.next; at != &objects; at = at->next) {
		const void *caller = list_entry(at, struct head, link)->caller;

		if (is_told(at, caller))
			continue;
		n = count(caller, &bytes);
		pr_info("heap: %zu objects of %zu bytes, by %pS\n", n, bytes, caller);
	}
	spin_unlock(&lock, flags);
}

size_t heap_objects(void)
{
	unsigned long flags = spin_lock(&lock);
	size_t bytes, n = count(NULL, &bytes);

	spin_unlock(&lock, flags);
	return n;
}
