// SPDX-License-Identifier: MIT
/*
 * System calls about memory. A process changes what it has mapped under its
 * memory's lock, so that what is found free stays free, and limits hold.
 *
 * How much is mapped nobody counts: it is found out where there is a limit.
 */
#include "mm.h"
#include "file.h"
#include "process.h"
#include "syscall.h"
#include <ahoy/compiler.h>

#define PROT_ACCESS    (VM_READ | VM_WRITE | VM_EXEC) /* the same bits */
#define PROT_SEM       8ul
#define PROT_GROWSDOWN 0x01000000ul
#define PROT_GROWSUP   0x02000000ul

#define MAP_SHARED	    1u
#define MAP_PRIVATE	    2u
#define MAP_SHARED_VALIDATE 3u
#define MAP_TYPE	    15u
#define MAP_FIXED	    0x10u
#define MAP_ANONYMOUS	    0x20u
#define MAP_GROWSDOWN	    0x100u
#define MAP_DENYWRITE	    0x800u
#define MAP_EXECUTABLE	    0x1000u
#define MAP_LOCKED	    0x2000u
#define MAP_NORESERVE	    0x4000u
#define MAP_POPULATE	    0x8000u
#define MAP_NONBLOCK	    0x10000u
#define MAP_STACK	    0x20000u
#define MAP_HUGETLB	    0x40000u
#define MAP_FIXED_NOREPLACE 0x100000u

/* What MAP_SHARED_VALIDATE knows */
#define MAP_KNOWN                                                                                  \
	(MAP_TYPE | MAP_FIXED | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_DENYWRITE | MAP_EXECUTABLE |   \
	 MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE | MAP_NONBLOCK | MAP_STACK |                    \
	 MAP_FIXED_NOREPLACE)

/* Nothing is put so close below the stack unless it is told to. */
#define STACK_GAP (1UL << 20)

static struct memory *current_memory(void)
{
	return current_process()->memory;
}

/* --- ranges ----------------------------------------------------------------------------- */

bool round_range(unsigned long addr, unsigned long len, unsigned long *size)
{
	*size = ALIGN(len, USER_PAGE_SIZE);
	return *size >= len && addr <= user_end && *size <= user_end - addr;
}

int for_mapped(struct memory *memory, unsigned long addr, unsigned long size, for_mapped_fn *fn)
{
	unsigned long end = addr + size, start = addr, stop;
	unsigned int flags;
	int err = 0;

	while (addr < end) {
		if (!address_space_find(memory->space, &start, &stop, &flags) || start >= end)
			return -ENOMEM;
		if (start > addr)
			err = -ENOMEM;
		start = max(start, addr);
		stop = min(stop, end);
		if (fn) {
			int failed = fn(memory, start, stop, flags);

			if (failed)
				return failed;
		}
		addr = stop;
		start = stop;
	}
	return err;
}

int populate_part(struct memory *memory, unsigned long start, unsigned long end, unsigned int flags)
{
	unsigned int access = flags & VM_WRITE && !(flags & VM_SHARED) ? VM_WRITE : VM_READ;
	int err = 0;

	if (!(flags & PROT_ACCESS))
		return 0;
	if (!(flags & VM_READ))
		access = VM_EXEC;
	for (; start < end && !err; start += USER_PAGE_SIZE)
		err = address_space_fault(memory->space, start, access);
	return err;
}

/* --- limits ------------------------------------------------------------------------------- */

/* How much is mapped, apart from the stack, and how much of that private and writable. */
static void count_mapped(struct memory *memory, u64 *all, u64 *data)
{
	unsigned long start = 0, end;
	unsigned int flags;

	*all = 0;
	*data = 0;
	for (; address_space_find(memory->space, &start, &end, &flags); start = end) {
		if (start >= memory->stack_start && end <= memory->stack_end)
			continue;
		*all += end - start;
		if (flags & VM_WRITE && !(flags & VM_SHARED))
			*data += end - start;
	}
}

bool memory_within_limits(struct memory *memory, u64 size, unsigned int flags)
{
	u64 limit = process_limit(RLIMIT_AS), data_limit = process_limit(RLIMIT_DATA), all, data;

	if (!(flags & VM_WRITE) || flags & VM_SHARED)
		data_limit = RLIM_INFINITY;
	if (limit == RLIM_INFINITY && data_limit == RLIM_INFINITY)
		return true;
	count_mapped(memory, &all, &data);
	return all <= limit && size <= limit - all && data <= data_limit &&
	       size <= data_limit - data;
}

int memory_unmap(struct memory *memory, unsigned long addr, unsigned long size)
{
	int err = address_space_unmap(memory->space, addr, size);

	if (!err && addr < memory->map_free)
		memory->map_free = max(addr, memory->map_base);
	return err;
}

/* --- mmap ----------------------------------------------------------------------------------- */

/* What is to be mapped, and where */
struct request {
	unsigned long addr, size;
	unsigned int prot, flags;
	struct memory_object *object;
	u64 offset;
};

static bool in_stack_gap(const struct memory *memory, unsigned long addr, unsigned long size)
{
	return addr < memory->stack_start && addr + size > memory->stack_start - STACK_GAP;
}

static int map_anywhere(struct memory *memory, struct request *request, unsigned int flags)
{
	unsigned long hint = ALIGN(request->addr, USER_PAGE_SIZE), at = hint;
	int err = -EEXIST;

	if (hint >= USER_PAGE_SIZE && hint < user_end && request->size <= user_end - hint &&
	    !in_stack_gap(memory, hint, request->size))
		err = address_space_map(memory->space, &at, request->size, request->object,
					request->offset, flags);
	if (err == -EEXIST) {
		at = memory->map_free;
		err = address_space_map(memory->space, &at, request->size, request->object,
					request->offset, flags | VM_ANYWHERE);
		/* It is the first room, unless there was too little before. */
		if (!err && at == memory->map_free)
			memory->map_free = at + request->size;
	}
	if (!err && in_stack_gap(memory, at, request->size)) {
		address_space_unmap(memory->space, at, request->size);
		err = -ENOMEM;
	}
	request->addr = at;
	return err;
}

int memory_find_room(struct memory *memory, unsigned long size, unsigned long *addr)
{
	struct request request = { .size = size, .flags = MAP_PRIVATE };
	int err = map_anywhere(memory, &request, 0);

	if (err)
		return err;
	*addr = request.addr;
	return memory_unmap(memory, request.addr, size);
}

/* Return: 0, and the address in @request; or an error. Memory locked. */
static int map_request(struct memory *memory, struct request *request)
{
	unsigned int flags = request->prot;
	bool fixed = request->flags & (MAP_FIXED | MAP_FIXED_NOREPLACE);

	if (request->flags & MAP_SHARED)
		flags |= VM_SHARED;
	if (!memory_within_limits(memory, request->size, flags))
		return -ENOMEM;
	if (!fixed)
		return map_anywhere(memory, request, flags);
	if (!(request->flags & MAP_FIXED_NOREPLACE))
		flags |= VM_REPLACE;
	return address_space_map(memory->space, &request->addr, request->size, request->object,
				 request->offset, flags);
}

/* What @file shows; NULL is zeroes. Return: 0, -EACCES, -ENODEV, -ENOMEM. */
static int object_of(struct request *request, struct file *file)
{
	bool shared = request->flags & MAP_SHARED;

	if (!file_readable(file) || (shared && request->prot & VM_WRITE && !file_writable(file)))
		return -EACCES;
	if (file->ops && file->ops->maps_zeroes) {
		request->flags |= MAP_ANONYMOUS;
		return 0;
	}
	if (!node_is(file->node, S_IFREG))
		return -ENODEV;
	request->object = node_object(file->node);
	if (!request->object)
		return -ENOMEM;
	memory_object_get(request->object);
	/* What cannot be written by the descriptor must never be, not after mprotect() either. */
	if (shared && !file_writable(file))
		request->prot |= VM_NO_WRITE;
	return 0;
}

static int get_object(struct request *request, unsigned int number)
{
	if (!(request->flags & MAP_ANONYMOUS)) {
		struct fd fd = fd_get(number);
		int err = fd.file ? object_of(request, fd.file) : -EBADF;

		fd_put(fd);
		if (err || request->object)
			return err;
	}
	request->offset = 0;
	if (!(request->flags & MAP_SHARED))
		return 0;
	request->object = memory_object_create(request->size, NULL, NULL);
	return request->object ? 0 : -ENOMEM;
}

static int check_request(struct request *request, unsigned long len)
{
	unsigned int type = request->flags & MAP_TYPE;

	if (!len)
		return -EINVAL;
	request->size = ALIGN(len, USER_PAGE_SIZE);
	if (request->size < len || request->size > user_end)
		return -ENOMEM;
	if (type != MAP_SHARED && type != MAP_PRIVATE && type != MAP_SHARED_VALIDATE)
		return -EINVAL;
	if (type == MAP_SHARED_VALIDATE && request->flags & ~MAP_KNOWN)
		return -EOPNOTSUPP;
	if (request->flags & MAP_HUGETLB)
		return -EINVAL;
	/* Beyond the largest file, or over the end of numbers */
	if (request->offset + request->size < request->offset ||
	    request->offset + request->size > MEMORY_OBJECT_MAX)
		return -EOVERFLOW;
	if (!(request->flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)))
		return 0;
	if (!IS_ALIGNED(request->addr, USER_PAGE_SIZE))
		return -EINVAL;
	if (request->addr >= user_end || request->size > user_end - request->addr)
		return -ENOMEM;
	/* Nobody has the first page. */
	return request->addr < USER_PAGE_SIZE ? -EPERM : 0;
}

SYSCALL6(222, mmap, unsigned long, addr, unsigned long, len, unsigned long, prot, unsigned int,
	 flags, unsigned int, fd, unsigned long, offset)
{
	struct memory *memory = current_memory();
	struct request request = {
		.addr = addr, .prot = prot & PROT_ACCESS, .flags = flags, .offset = offset
	};
	int err;

	if (!IS_ALIGNED(offset, USER_PAGE_SIZE))
		return -EINVAL;
	err = check_request(&request, len);
	if (!err)
		err = get_object(&request, fd);
	if (err)
		return err;
	lock(&memory->lock);
	err = map_request(memory, &request);
	unlock(&memory->lock);
	if (request.object)
		memory_object_put(request.object);
	if (err)
		return err;
	/* What cannot be had now will be missed later. */
	if (flags & (MAP_POPULATE | MAP_LOCKED) && !(flags & MAP_NONBLOCK))
		for_mapped(memory, request.addr, request.size, populate_part);
	return (long)request.addr;
}

SYSCALL2(215, munmap, unsigned long, addr, unsigned long, len)
{
	struct memory *memory = current_memory();
	unsigned long size;
	int err;

	if (!IS_ALIGNED(addr, USER_PAGE_SIZE) || !round_range(addr, len, &size) || !size)
		return -EINVAL;
	/* Nothing is in the first page. */
	if (!addr) {
		addr += USER_PAGE_SIZE;
		size -= USER_PAGE_SIZE;
	}
	if (!size)
		return 0;
	lock(&memory->lock);
	err = memory_unmap(memory, addr, size);
	unlock(&memory->lock);
	return err;
}

/* --- brk ------------------------------------------------------------------------------------ */

static int move_brk(struct memory *memory, unsigned long brk)
{
	unsigned long from = ALIGN(memory->brk, USER_PAGE_SIZE), to = ALIGN(brk, USER_PAGE_SIZE);

	if (to == from)
		return 0;
	if (to < from)
		return address_space_unmap(memory->space, to, from - to);
	if (in_stack_gap(memory, from, to - from) ||
	    !memory_within_limits(memory, to - from, VM_READ | VM_WRITE))
		return -ENOMEM;
	return address_space_map(memory->space, &from, to - from, NULL, 0, VM_READ | VM_WRITE);
}

SYSCALL1(214, brk, unsigned long, brk)
{
	struct memory *memory = current_memory();
	long result;

	lock(&memory->lock);
	if (brk >= memory->brk_start && brk < user_end && !move_brk(memory, brk))
		memory->brk = brk;
	result = (long)memory->brk;
	unlock(&memory->lock);
	return result;
}

/* --- mprotect -------------------------------------------------------------------------------- */

SYSCALL3(226, mprotect, unsigned long, addr, unsigned long, len, unsigned long, prot)
{
	struct memory *memory = current_memory();
	bool down = prot & PROT_GROWSDOWN;
	unsigned long size;
	int err;

	if (prot & ~(PROT_ACCESS | PROT_SEM | PROT_GROWSDOWN | PROT_GROWSUP) ||
	    (down && prot & PROT_GROWSUP) || !IS_ALIGNED(addr, USER_PAGE_SIZE))
		return -EINVAL;
	if (!len)
		return 0;
	if (!round_range(addr, len, &size) || !addr)
		return -ENOMEM;
	/* Only the stack grows, and it has done so already. */
	if (prot & PROT_GROWSUP ||
	    (down && (addr < memory->stack_start || addr >= memory->stack_end)))
		return -EINVAL;
	if (down) {
		size += addr - memory->stack_start;
		addr = memory->stack_start;
	}
	lock(&memory->lock);
	err = address_space_protect(memory->space, addr, size, prot & PROT_ACCESS);
	unlock(&memory->lock);
	return err;
}
