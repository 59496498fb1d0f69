// SPDX-License-Identifier: MIT
/* Memory of the hosted core: the heap, objects, address spaces and copies. One lock is over all. */
#include "hosted.h"
#include "internal.h"
#include <ahoy/errno.h>

#define PAGE USER_PAGE_SIZE
/* All that there is for programs, in pages */
#define PAGES_MAX 4096

unsigned long user_end = 1UL << 38;

static pthread_mutex_t memory_lock = PTHREAD_MUTEX_INITIALIZER;
static struct hosted_counts counts;
static long fail_after = -1;

/* --- the heap --------------------------------------------------------------------------- */

struct hosted_counts hosted_counts(void)
{
	struct hosted_counts now = {
		.blocks = __atomic_load_n(&counts.blocks, __ATOMIC_ACQUIRE),
		.pages = __atomic_load_n(&counts.pages, __ATOMIC_ACQUIRE),
		.objects = __atomic_load_n(&counts.objects, __ATOMIC_ACQUIRE),
		.spaces = __atomic_load_n(&counts.spaces, __ATOMIC_ACQUIRE),
		.threads = hosted_threads(),
	};
	return now;
}

static void count(long *counter, long n)
{
	__atomic_add_fetch(counter, n, __ATOMIC_ACQ_REL);
}

void hosted_fail_after(long n)
{
	__atomic_store_n(&fail_after, n, __ATOMIC_RELAXED);
}

bool hosted_fails(void)
{
	long left = __atomic_load_n(&fail_after, __ATOMIC_RELAXED);

	if (left < 0)
		return false;
	if (!left)
		return true;
	__atomic_store_n(&fail_after, left - 1, __ATOMIC_RELAXED);
	return false;
}

void *krealloc(void *p, size_t size)
{
	void *block;

	if (!size || size > KMALLOC_MAX || hosted_fails())
		return NULL;
	block = realloc(p, size);
	if (block && !p)
		count(&counts.blocks, 1);
	return block;
}

void *kmalloc(size_t size)
{
	char *block = krealloc(NULL, size);

	/* What it holds is undefined: nobody is to rely on zeroes. */
	if (block)
		memset(block, 0xa5, size);
	return block;
}

void *kzalloc(size_t size)
{
	void *block = kmalloc(size);

	return block ? memset(block, 0, size) : NULL;
}

void *kcalloc(size_t n, size_t size)
{
	size_t total;

	return __builtin_mul_overflow(n, size, &total) ? NULL : kzalloc(total);
}

void kfree(const void *p)
{
	if (p)
		count(&counts.blocks, -1);
	free((void *)p);
}

/* --- pages ------------------------------------------------------------------------------- */

static u8 *page_alloc(void)
{
	u8 *page;

	if (hosted_fails() || __atomic_load_n(&counts.pages, __ATOMIC_RELAXED) >= PAGES_MAX)
		return NULL;
	page = calloc(1, PAGE);
	if (page)
		count(&counts.pages, 1);
	return page;
}

static void page_free(u8 *page)
{
	count(&counts.pages, -1);
	free(page);
}

void memory_pages(size_t *total, size_t *available)
{
	*total = PAGES_MAX;
	*available = PAGES_MAX - (size_t)__atomic_load_n(&counts.pages, __ATOMIC_RELAXED);
}

/* Pages by their place */
struct frame {
	struct frame *next;
	u64 at;
	u8 *data;
};

#define BUCKETS 64

static struct frame **frame_place(struct frame **table, u64 at)
{
	struct frame **link = &table[at / PAGE % BUCKETS];

	while (*link && (*link)->at != at)
		link = &(*link)->next;
	return link;
}

static u8 *frame_find(struct frame **table, u64 at)
{
	struct frame *frame = *frame_place(table, at);

	return frame ? frame->data : NULL;
}

static bool frame_add(struct frame **table, u64 at, u8 *data)
{
	struct frame **link = frame_place(table, at), *frame = malloc(sizeof(*frame));

	if (!frame)
		return false;
	*frame = (struct frame){ .at = at, .data = data };
	*link = frame;
	return true;
}

/* Remove those from @start to @end. */
static void frames_drop(struct frame **table, u64 start, u64 end)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		struct frame **link = &table[i], *frame;

		while ((frame = *link)) {
			if (frame->at < start || frame->at >= end) {
				link = &frame->next;
				continue;
			}
			*link = frame->next;
			page_free(frame->data);
			free(frame);
		}
	}
}

/* --- objects ------------------------------------------------------------------------------ */

struct memory_object {
	unsigned int refs; /* under memory_lock, as all of it */
	u64 size;
	int (*fill)(void *owner, u64 offset, void *page);
	void *owner;
	const u8 *image; /* of the archive, of which it is a part */
	struct frame *pages[BUCKETS];
};

struct memory_object *memory_object_create(u64 size, int (*fill)(void *, u64, void *), void *owner)
{
	struct memory_object *object;

	if (size > MEMORY_OBJECT_MAX || hosted_fails())
		return NULL;
	object = calloc(1, sizeof(*object));
	if (!object)
		return NULL;
	count(&counts.objects, 1);
	object->refs = 1;
	object->size = size;
	object->fill = fill;
	object->owner = owner;
	return object;
}

static const u8 *archive;
static size_t archive_size;

void hosted_set_archive(const void *start, size_t size)
{
	archive = start;
	archive_size = size;
}

struct memory_object *initramfs_object(u64 offset, u64 size)
{
	struct memory_object *object;

	if (offset > archive_size || size > archive_size - offset)
		return NULL;
	object = memory_object_create(size, NULL, NULL);
	if (object)
		object->image = archive + offset;
	return object;
}

static void object_put_locked(struct memory_object *object)
{
	if (--object->refs)
		return;
	frames_drop(object->pages, 0, U64_MAX);
	count(&counts.objects, -1);
	free(object);
}

void memory_object_get(struct memory_object *object)
{
	pthread_mutex_lock(&memory_lock);
	object->refs++;
	pthread_mutex_unlock(&memory_lock);
}

void memory_object_put(struct memory_object *object)
{
	pthread_mutex_lock(&memory_lock);
	object_put_locked(object);
	pthread_mutex_unlock(&memory_lock);
}

/* What @object has at first at @offset. memory_lock not held. */
static int object_fill(struct memory_object *object, u64 offset, u8 *page)
{
	if (object->image)
		memcpy(page, object->image + offset, min_t(u64, PAGE, object->size - offset));
	return object->fill ? object->fill(object->owner, offset, page) : 0;
}

/* Its page at @offset, filled if need be. memory_lock held, but given up meanwhile. */
static u8 *object_page(struct memory_object *object, u64 offset, int *err)
{
	u8 *page = frame_find(object->pages, offset);

	*err = -ENXIO;
	if (offset >= ALIGN(object->size, PAGE))
		return NULL;
	if (page)
		return page;
	*err = -ENOMEM;
	page = page_alloc();
	if (!page)
		return NULL;
	object->refs++;
	pthread_mutex_unlock(&memory_lock);
	*err = object_fill(object, offset, page);
	pthread_mutex_lock(&memory_lock);
	/* Meanwhile another may have filled it, or it may lie beyond the end. */
	if (!*err && !frame_find(object->pages, offset) && offset < ALIGN(object->size, PAGE)) {
		if (!frame_add(object->pages, offset, page))
			abort();
	} else {
		page_free(page);
	}
	page = *err ? NULL : frame_find(object->pages, offset);
	if (!page && !*err)
		*err = -ENXIO;
	object_put_locked(object);
	return page;
}

static long object_copy(struct memory_object *object, u64 offset, u8 *buffer, size_t n, bool write)
{
	size_t done = 0;
	int err = 0;

	pthread_mutex_lock(&memory_lock);
	while (done < n && offset + done < object->size) {
		u64 at = offset + done;
		size_t piece =
			min_t(u64, min_t(u64, n - done, PAGE - at % PAGE), object->size - at);
		u8 *page = object_page(object, ALIGN_DOWN(at, PAGE), &err);

		if (!page)
			break;
		if (write)
			memcpy(page + at % PAGE, buffer + done, piece);
		else
			memcpy(buffer + done, page + at % PAGE, piece);
		done += piece;
	}
	pthread_mutex_unlock(&memory_lock);
	return done || !err || err == -ENXIO ? (long)done : err;
}

long memory_object_read(struct memory_object *object, u64 offset, void *buffer, size_t n)
{
	return object_copy(object, offset, buffer, n, false);
}

long memory_object_write(struct memory_object *object, u64 offset, const void *buffer, size_t n)
{
	return object_copy(object, offset, (u8 *)buffer, n, true);
}

const void *memory_object_view(const struct memory_object *object, u64 offset, size_t n)
{
	if (!object->image || offset > object->size || n > object->size - offset)
		return NULL;
	return object->image + offset;
}

/* --- address spaces ------------------------------------------------------------------------- */

struct mapping {
	struct mapping *next;
	unsigned long start, end;
	unsigned int flags;
	struct memory_object *object;
	u64 offset;
};

struct address_space {
	unsigned int refs; /* who made it, and threads inside */
	struct address_space *next;
	struct mapping *mappings;      /* by address */
	struct frame *frames[BUCKETS]; /* private pages */
};

static struct address_space *spaces;

struct address_space *address_space_create(void)
{
	struct address_space *space = hosted_fails() ? NULL : calloc(1, sizeof(*space));

	if (!space)
		return NULL;
	count(&counts.spaces, 1);
	space->refs = 1;
	pthread_mutex_lock(&memory_lock);
	space->next = spaces;
	spaces = space;
	pthread_mutex_unlock(&memory_lock);
	return space;
}

static void mapping_free(struct mapping *mapping)
{
	if (mapping->object)
		object_put_locked(mapping->object);
	free(mapping);
}

static void space_put(struct address_space *space)
{
	struct address_space **link = &spaces;
	struct mapping *mapping;

	pthread_mutex_lock(&memory_lock);
	if (!--space->refs) {
		while (*link != space)
			link = &(*link)->next;
		*link = space->next;
		while ((mapping = space->mappings)) {
			space->mappings = mapping->next;
			mapping_free(mapping);
		}
		frames_drop(space->frames, 0, U64_MAX);
		count(&counts.spaces, -1);
		free(space);
	}
	pthread_mutex_unlock(&memory_lock);
}

void address_space_destroy(struct address_space *space)
{
	space_put(space);
}

void hosted_space_hold(struct address_space *space)
{
	pthread_mutex_lock(&memory_lock);
	space->refs++;
	pthread_mutex_unlock(&memory_lock);
}

void address_space_enter(struct address_space *space)
{
	struct address_space **current = hosted_space(), *before = *current;

	if (space)
		hosted_space_hold(space);
	*current = space;
	if (before)
		space_put(before);
}

static struct mapping *mapping_copy(const struct mapping *from)
{
	struct mapping *mapping = malloc(sizeof(*mapping));

	if (!mapping)
		abort();
	*mapping = *from;
	mapping->next = NULL;
	if (mapping->object)
		mapping->object->refs++;
	return mapping;
}

/* All private pages are copied at once. */
static bool copy_frames(struct address_space *to, struct address_space *from)
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct frame *frame = from->frames[i]; frame; frame = frame->next) {
			u8 *page = page_alloc();

			if (!page)
				return false;
			memcpy(page, frame->data, PAGE);
			if (!frame_add(to->frames, frame->at, page))
				abort();
		}
	return true;
}

struct address_space *address_space_clone(struct address_space *from)
{
	struct address_space *space = address_space_create();
	struct mapping **link;
	bool copied;

	if (!space)
		return NULL;
	pthread_mutex_lock(&memory_lock);
	link = &space->mappings;
	for (struct mapping *mapping = from->mappings; mapping; mapping = mapping->next) {
		*link = mapping_copy(mapping);
		link = &(*link)->next;
	}
	copied = copy_frames(space, from);
	pthread_mutex_unlock(&memory_lock);
	if (copied)
		return space;
	space_put(space);
	return NULL;
}

static struct mapping *mapping_at(struct address_space *space, unsigned long addr)
{
	struct mapping *mapping = space->mappings;

	while (mapping && mapping->end <= addr)
		mapping = mapping->next;
	return mapping && mapping->start <= addr ? mapping : NULL;
}

/* Is something mapped in the range? */
static bool anything(struct address_space *space, unsigned long start, unsigned long end)
{
	struct mapping *mapping = space->mappings;

	while (mapping && mapping->end <= start)
		mapping = mapping->next;
	return mapping && mapping->start < end;
}

/* Is all of the range mapped? */
static bool everything(struct address_space *space, unsigned long start, unsigned long end)
{
	while (start < end) {
		struct mapping *mapping = mapping_at(space, start);

		if (!mapping)
			return false;
		start = mapping->end;
	}
	return true;
}

/* Have no mapping go across @addr. */
static void split(struct address_space *space, unsigned long addr)
{
	struct mapping *mapping = mapping_at(space, addr), *upper;

	if (!mapping || mapping->start == addr)
		return;
	upper = mapping_copy(mapping);
	upper->next = mapping->next;
	upper->start = addr;
	upper->offset += addr - mapping->start;
	mapping->end = addr;
	mapping->next = upper;
}

/* Neighbours that do not differ become one. */
static void merge(struct address_space *space)
{
	for (struct mapping *m = space->mappings; m && m->next;) {
		struct mapping *next = m->next;

		if (m->end != next->start || m->flags != next->flags || m->object != next->object ||
		    (m->object && m->offset + (m->end - m->start) != next->offset)) {
			m = next;
			continue;
		}
		m->end = next->end;
		m->next = next->next;
		mapping_free(next);
	}
}

static void insert(struct address_space *space, struct mapping *mapping)
{
	struct mapping **link = &space->mappings;

	while (*link && (*link)->start < mapping->start)
		link = &(*link)->next;
	mapping->next = *link;
	*link = mapping;
}

static void remove_range(struct address_space *space, unsigned long start, unsigned long end)
{
	struct mapping **link = &space->mappings, *mapping;

	split(space, start);
	split(space, end);
	while ((mapping = *link)) {
		if (mapping->start >= start && mapping->end <= end) {
			*link = mapping->next;
			mapping_free(mapping);
		} else {
			link = &mapping->next;
		}
	}
	frames_drop(space->frames, start, end);
}

static bool good_range(unsigned long addr, size_t size)
{
	return size && IS_ALIGNED(addr, PAGE) && IS_ALIGNED(size, PAGE) && addr >= PAGE &&
	       size <= user_end && addr <= user_end - size;
}

/* Room for @size bytes from @from on. Return: 0 if there is none. */
static unsigned long find_room(struct address_space *space, unsigned long from, size_t size)
{
	unsigned long at = max(ALIGN(from, PAGE), PAGE);

	for (struct mapping *m = space->mappings; m; m = m->next) {
		if (m->end <= at)
			continue;
		if (m->start >= at && m->start - at >= size)
			break;
		at = m->end;
	}
	return at <= user_end && size <= user_end - at ? at : 0;
}

static int map_locked(struct address_space *space, unsigned long *addr, size_t size,
		      struct memory_object *object, u64 offset, unsigned int flags)
{
	struct mapping mapping = { .object = object, .offset = offset };

	if (flags & VM_ANYWHERE) {
		unsigned long at = find_room(space, *addr, size);

		if (!at)
			at = find_room(space, PAGE, size);
		if (!at)
			return -ENOMEM;
		*addr = at;
	}
	if (!good_range(*addr, size))
		return -EINVAL;
	if (flags & VM_REPLACE)
		remove_range(space, *addr, *addr + size);
	else if (anything(space, *addr, *addr + size))
		return -EEXIST;
	mapping.start = *addr;
	mapping.end = *addr + size;
	mapping.flags = flags & (VM_READ | VM_WRITE | VM_EXEC | VM_SHARED);
	insert(space, mapping_copy(&mapping));
	merge(space);
	return 0;
}

int address_space_map(struct address_space *space, unsigned long *addr, size_t size,
		      struct memory_object *object, u64 offset, unsigned int flags)
{
	int err;

	if (!size || !IS_ALIGNED(size, PAGE) || !IS_ALIGNED(offset, PAGE) || size > user_end)
		return size > user_end ? -ENOMEM : -EINVAL;
	if (hosted_fails())
		return -ENOMEM;
	pthread_mutex_lock(&memory_lock);
	err = map_locked(space, addr, size, object, offset, flags);
	pthread_mutex_unlock(&memory_lock);
	return err;
}

int address_space_unmap(struct address_space *space, unsigned long addr, size_t size)
{
	if (!good_range(addr, size))
		return -EINVAL;
	pthread_mutex_lock(&memory_lock);
	remove_range(space, addr, addr + size);
	pthread_mutex_unlock(&memory_lock);
	return 0;
}

int address_space_protect(struct address_space *space, unsigned long addr, size_t size,
			  unsigned int access)
{
	int err = -ENOMEM;

	if (!good_range(addr, size))
		return -EINVAL;
	pthread_mutex_lock(&memory_lock);
	if (everything(space, addr, addr + size)) {
		split(space, addr);
		split(space, addr + size);
		for (struct mapping *m = space->mappings; m; m = m->next)
			if (m->start >= addr && m->end <= addr + size)
				m->flags = (m->flags & VM_SHARED) | access;
		merge(space);
		err = 0;
	}
	pthread_mutex_unlock(&memory_lock);
	return err;
}

static void move_locked(struct address_space *space, unsigned long from, unsigned long to,
			size_t size)
{
	struct mapping **link = &space->mappings, *mapping, *moved = NULL;

	split(space, from);
	split(space, from + size);
	while ((mapping = *link)) {
		if (mapping->start < from || mapping->end > from + size) {
			link = &mapping->next;
			continue;
		}
		*link = mapping->next;
		mapping->start += to - from;
		mapping->end += to - from;
		mapping->next = moved;
		moved = mapping;
	}
	while ((mapping = moved)) {
		moved = mapping->next;
		insert(space, mapping);
	}
	merge(space);
	for (unsigned long at = 0; at < size; at += PAGE) {
		struct frame **place = frame_place(space->frames, from + at), *frame = *place;

		if (!frame)
			continue;
		*place = frame->next;
		if (!frame_add(space->frames, to + at, frame->data))
			abort();
		free(frame);
	}
}

int address_space_move(struct address_space *space, unsigned long from, unsigned long to,
		       size_t size)
{
	int err = 0;

	if (!good_range(from, size) || !good_range(to, size) ||
	    (from < to + size && to < from + size))
		return -EINVAL;
	pthread_mutex_lock(&memory_lock);
	if (anything(space, to, to + size))
		err = -EEXIST;
	else if (!everything(space, from, from + size))
		err = -EFAULT;
	else
		move_locked(space, from, to, size);
	pthread_mutex_unlock(&memory_lock);
	return err;
}

int address_space_extend(struct address_space *space, unsigned long end, size_t more)
{
	struct mapping *mapping;
	int err = 0;

	if (!good_range(end, more))
		return -EINVAL;
	pthread_mutex_lock(&memory_lock);
	mapping = mapping_at(space, end - 1);
	if (!mapping || mapping->end != end)
		err = -EFAULT;
	else if (anything(space, end, end + more))
		err = -EEXIST;
	else
		mapping->end += more;
	pthread_mutex_unlock(&memory_lock);
	return err;
}

int address_space_forget(struct address_space *space, unsigned long addr, size_t size)
{
	int err = -ENOMEM;

	if (!good_range(addr, size))
		return -EINVAL;
	pthread_mutex_lock(&memory_lock);
	if (everything(space, addr, addr + size)) {
		frames_drop(space->frames, addr, addr + size);
		err = 0;
	}
	pthread_mutex_unlock(&memory_lock);
	return err;
}

bool address_space_find(struct address_space *space, unsigned long *start, unsigned long *end,
			unsigned int *flags)
{
	struct mapping *mapping;

	pthread_mutex_lock(&memory_lock);
	mapping = space->mappings;
	while (mapping && mapping->end <= *start)
		mapping = mapping->next;
	if (mapping) {
		*start = mapping->start;
		*end = mapping->end;
		*flags = mapping->flags;
	}
	pthread_mutex_unlock(&memory_lock);
	return mapping;
}

int memory_object_resize(struct memory_object *object, u64 size)
{
	u64 end = ALIGN(size, PAGE);

	if (object->image || size > MEMORY_OBJECT_MAX)
		return -EINVAL;
	pthread_mutex_lock(&memory_lock);
	object->size = size;
	frames_drop(object->pages, end, U64_MAX);
	if (size % PAGE && frame_find(object->pages, end - PAGE))
		memset(frame_find(object->pages, end - PAGE) + size % PAGE, 0, end - size);
	for (struct address_space *space = spaces; space; space = space->next)
		for (struct mapping *m = space->mappings; m; m = m->next) {
			u64 keep = end > m->offset ? end - m->offset : 0;

			if (m->object == object && keep < m->end - m->start)
				frames_drop(space->frames, m->start + keep, m->end);
		}
	pthread_mutex_unlock(&memory_lock);
	return 0;
}

/* --- accesses --------------------------------------------------------------------------------- */

static bool permitted(const struct mapping *mapping, unsigned int access)
{
	if (access == VM_READ)
		return mapping->flags & (VM_READ | VM_WRITE);
	return mapping->flags & access;
}

/* The page for an access. memory_lock held, but given up where it is filled. */
static u8 *resolve(struct address_space *space, unsigned long addr, unsigned int access, int *err)
{
	struct mapping *mapping = addr < user_end ? mapping_at(space, addr) : NULL;
	unsigned long at = ALIGN_DOWN(addr, PAGE);
	u8 *page, *original = NULL;

	*err = mapping ? -EACCES : -EFAULT;
	if (!mapping || !permitted(mapping, access))
		return NULL;
	if (mapping->object) {
		struct memory_object *object = mapping->object;
		u64 offset = mapping->offset + (at - mapping->start);
		bool there = frame_find(object->pages, offset);

		original = object_page(object, offset, err);
		if (!original)
			return NULL;
		/* What was filled without the lock may be another's now. */
		if (!there)
			return resolve(space, addr, access, err);
		if (mapping->flags & VM_SHARED)
			return original;
	}
	page = frame_find(space->frames, at);
	if (page || (original && access != VM_WRITE))
		return page ? page : original;
	*err = -ENOMEM;
	page = page_alloc();
	if (!page)
		return NULL;
	if (original)
		memcpy(page, original, PAGE);
	if (!frame_add(space->frames, at, page))
		abort();
	return page;
}

int address_space_fault(struct address_space *space, unsigned long addr, unsigned int access)
{
	int err;

	pthread_mutex_lock(&memory_lock);
	if (resolve(space, addr, access, &err))
		err = 0;
	pthread_mutex_unlock(&memory_lock);
	return err;
}

/* @buffer NULL: zeroes */
static int copy(unsigned long addr, void *buffer, size_t n, unsigned int access)
{
	struct address_space *space = *hosted_space();
	size_t done = 0;
	int err = 0;

	if (n > user_end || addr > user_end - n || !space)
		return n ? -EFAULT : 0;
	pthread_mutex_lock(&memory_lock);
	while (done < n) {
		size_t in_page = (addr + done) % PAGE, piece = min(n - done, PAGE - in_page);
		u8 *page = resolve(space, addr + done, access, &err);

		if (!page)
			break;
		if (!buffer)
			memset(page + in_page, 0, piece);
		else if (access == VM_WRITE)
			memcpy(page + in_page, (u8 *)buffer + done, piece);
		else
			memcpy((u8 *)buffer + done, page + in_page, piece);
		done += piece;
	}
	pthread_mutex_unlock(&memory_lock);
	return done < n ? -EFAULT : 0;
}

int copy_from_user(void *dst, const void __user *src, size_t n)
{
	return copy((unsigned long)src, dst, n, VM_READ);
}

int copy_to_user(void __user *dst, const void *src, size_t n)
{
	return copy((unsigned long)dst, (void *)src, n, VM_WRITE);
}

int clear_user(void __user *dst, size_t n)
{
	return copy((unsigned long)dst, NULL, n, VM_WRITE);
}

int copy_from_user_nofault(void *dst, const void __user *src, size_t n)
{
	return copy_from_user(dst, src, n);
}

int copy_to_user_nofault(void __user *dst, const void *src, size_t n)
{
	return copy_to_user(dst, src, n);
}

long strncpy_from_user(char *dst, const char __user *src, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (copy_from_user(dst + i, src + i, 1))
			return -EFAULT;
		if (!dst[i])
			return (long)i;
	}
	return (long)size;
}
