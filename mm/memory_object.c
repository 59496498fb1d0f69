// SPDX-License-Identifier: MIT
#include "address_space.h"
#include <ahoy/errno.h>
#include <ahoy/page_alloc.h>
#include <ahoy/slab.h>
#include <ahoy/string.h>
#include <asm/page.h>

static struct memory_object *object_create(u64 size)
{
	struct memory_object *object;

	if (size > MEMORY_OBJECT_MAX)
		return NULL;
	object = kzalloc(sizeof(*object));
	if (!object)
		return NULL;
	object->holds = 1;
	object->size = size;
	list_init(&object->mappings);
	return object;
}

struct memory_object *memory_object_create(u64 size,
					   int (*fill)(void *owner, u64 offset, void *page),
					   void *owner)
{
	struct memory_object *object = object_create(size);

	if (!object)
		return NULL;
	object->fill = fill;
	object->owner = owner;
	return object;
}

struct memory_object *memory_object_create_fixed(phys_addr_t pa, u64 size)
{
	struct memory_object *object;

	if (!IS_ALIGNED(pa | size, PAGE_SIZE))
		return NULL;
	object = object_create(size);
	if (!object)
		return NULL;
	object->fixed = true;
	object->pa = pa;
	object->in_place = size;
	return object;
}

#ifdef CONFIG_USERSPACE
/* What is not in place is copied from where it is. */
static int copy_in(void *data, u64 offset, void *page)
{
	const struct memory_object *object = data;
	u64 n = min_t(u64, object->size - offset, PAGE_SIZE);

	memcpy(page, (const u8 *)phys_to_virt(object->pa) + offset, n);
	return 0;
}

struct memory_object *memory_object_create_image(const void *image, u64 size)
{
	struct memory_object *object = object_create(size);

	if (!object)
		return NULL;
	object->fixed = true;
	object->pa = virt_to_phys(image);
	if (IS_ALIGNED(object->pa, PAGE_SIZE))
		object->in_place = ALIGN_DOWN(size, PAGE_SIZE);
	object->fill = copy_in;
	object->owner = object;
	return object;
}
#endif

void memory_object_get(struct memory_object *object)
{
	__atomic_fetch_add(&object->holds, 1, __ATOMIC_RELAXED);
}

/* Nobody maps the pages from @number on any more. Locked, or without a hold on the object. */
static void free_pages(struct memory_object *object, u64 number)
{
	struct page *page;

	while ((page = page_index_take(&object->pages, number)))
		page_free(page, 0);
}

void memory_object_put(struct memory_object *object)
{
	if (__atomic_fetch_sub(&object->holds, 1, __ATOMIC_ACQ_REL) != 1)
		return;
	free_pages(object, 0);
	kfree(object);
}

/* --- pages ------------------------------------------------------------------------- */

int memory_object_find(struct memory_object *object, u64 offset, phys_addr_t *pa)
{
	struct page *page;
	int err = 0;

	mutex_lock(&object->lock);
	if (offset >= object->size) {
		err = -ENXIO;
	} else if (offset < object->in_place) {
		*pa = object->pa + ALIGN_DOWN(offset, PAGE_SIZE);
	} else {
		page = page_index_get(&object->pages, offset >> PAGE_SHIFT);
		if (page)
			*pa = page_to_phys(page);
		else
			err = -EAGAIN;
	}
	mutex_unlock(&object->lock);
	return err;
}

/* Make @page the one at @offset, unless there is one, or the object has been truncated since. */
static int add_page(struct memory_object *object, u64 offset, struct page *page, u32 truncations)
{
	u64 number = offset >> PAGE_SHIFT;
	int err = -EEXIST;

	mutex_lock(&object->lock);
	if (object->truncations == truncations && !page_index_get(&object->pages, number))
		err = page_index_set(&object->pages, number, page);
	mutex_unlock(&object->lock);
	return err;
}

int memory_object_fill(struct memory_object *object, u64 offset)
{
	struct page *page = page_alloc(0);
	u32 truncations;
	bool beyond;
	int err = 0;

	if (!page)
		return -ENOMEM;
	mutex_lock(&object->lock);
	truncations = object->truncations;
	beyond = offset >= object->size;
	mutex_unlock(&object->lock);

	memset(page_to_virt(page), 0, PAGE_SIZE);
	if (beyond)
		err = -ENXIO;
	else if (object->fill)
		err = object->fill(object->owner, ALIGN_DOWN(offset, PAGE_SIZE),
				   page_to_virt(page));
	if (!err) {
		err = add_page(object, offset, page, truncations);
		if (!err)
			return 0;
		/* Somebody was faster: who asks looks again. */
		if (err == -EEXIST)
			err = 0;
	}
	page_free(page, 0);
	return err;
}

/* --- size --------------------------------------------------------------------------- */

/* Take out the leaves of all mappings that show what is at or behind @offset. */
static void unmap_from(struct memory_object *object, u64 offset)
{
	struct list_head *link;

	lockdep_assert_held(&object->mappings_lock);
	for (link = object->mappings.next; link != &object->mappings; link = link->next) {
		struct mapping *mapping = list_entry(link, struct mapping, link);
		u64 size = mapping->end - mapping->start;
		u64 from = offset > mapping->offset ? offset - mapping->offset : 0;

		if (from >= size)
			continue;
		tables_lock(mapping->space);
		tables_zap(mapping->space, mapping->start + from, mapping->end, NO_TABLES);
		tables_unlock(mapping->space);
	}
}

/* What is behind the end on its page must be zero when the object grows again. */
static void clear_tail(struct memory_object *object, u64 size)
{
	struct page *page = page_index_get(&object->pages, size >> PAGE_SHIFT);
	size_t keep = size % PAGE_SIZE;

	lockdep_assert_held(&object->lock);
	if (page && keep)
		memset((u8 *)page_to_virt(page) + keep, 0, PAGE_SIZE - keep);
}

int memory_object_resize(struct memory_object *object, u64 size)
{
	u64 last = ALIGN(size, PAGE_SIZE);
	bool shrinks;

	if (object->fixed || size > MEMORY_OBJECT_MAX)
		return -EINVAL;
	mutex_lock(&object->mappings_lock);
	shrinks = size < object->size;
	/* First nobody finds the pages any more, then nobody reaches them, then they go. */
	mutex_lock(&object->lock);
	object->size = size;
	object->truncations += shrinks;
	mutex_unlock(&object->lock);
	if (shrinks) {
		unmap_from(object, last);
		mutex_lock(&object->lock);
		clear_tail(object, size);
		free_pages(object, last >> PAGE_SHIFT);
		mutex_unlock(&object->lock);
	}
	mutex_unlock(&object->mappings_lock);
	return 0;
}

/* --- contents ----------------------------------------------------------------------- */

/*
 * Copy up to @n bytes, within a page, from the page at @offset to @to or, if
 * that is NULL, from @from to it. Return: how many, 0 at the end, -EAGAIN if the
 * page is nowhere.
 */
static long copy_part(struct memory_object *object, u64 offset, void *to, const void *from,
		      size_t n)
{
	struct page *page;
	u8 *at;

	lockdep_assert_held(&object->lock);
	n = min(n, PAGE_SIZE - (size_t)(offset % PAGE_SIZE));
	if (offset >= object->size)
		return 0;
	n = min_t(u64, n, object->size - offset);
	if (object->fixed) {
		at = phys_to_virt(object->pa + offset);
	} else {
		page = page_index_get(&object->pages, offset >> PAGE_SHIFT);
		if (!page)
			return -EAGAIN;
		at = (u8 *)page_to_virt(page) + offset % PAGE_SIZE;
	}
	if (to)
		memcpy(to, at, n);
	else
		memcpy(at, from, n);
	return (long)n;
}

static long copy(struct memory_object *object, u64 offset, u8 *to, const u8 *from, size_t n)
{
	size_t done = 0;

	while (done < n) {
		long part;

		mutex_lock(&object->lock);
		part = copy_part(object, offset + done, to ? to + done : NULL,
				 from ? from + done : NULL, n - done);
		mutex_unlock(&object->lock);
		if (part == -EAGAIN) {
			int err = memory_object_fill(object, offset + done);

			if (!err)
				continue;
			/* Without an owner to say so, the object has become smaller. */
			return done || err == -ENXIO ? (long)done : err;
		}
		if (!part)
			break;
		done += part;
	}
	return (long)done;
}

long memory_object_read(struct memory_object *object, u64 offset, void *buffer, size_t n)
{
	return copy(object, offset, buffer, NULL, n);
}

long memory_object_write(struct memory_object *object, u64 offset, const void *buffer, size_t n)
{
	return copy(object, offset, NULL, buffer, n);
}

/* Of what a fixed one is nothing changes: no lock is needed. */
const void *memory_object_view(const struct memory_object *object, u64 offset, size_t n)
{
	if (!object->fixed || offset > object->size || n > object->size - offset)
		return NULL;
	return (const u8 *)phys_to_virt(object->pa) + offset;
}
