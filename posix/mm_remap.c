// SPDX-License-Identifier: MIT
/* mremap(): mappings that grow, shrink and move with what is in them. */
#include "mm.h"
#include "process.h"
#include "syscall.h"
#include <ahoy/compiler.h>

#define MREMAP_MAYMOVE 1u
#define MREMAP_FIXED   2u

/* Move from @addr to @to, where nothing is, and grow. */
static int move_and_grow(struct memory *memory, unsigned long addr, unsigned long size,
			 unsigned long to, unsigned long new_size)
{
	int err = address_space_move(memory->space, addr, to, size);

	if (!err && addr < memory->map_free)
		memory->map_free = max(addr, memory->map_base);
	if (err || new_size == size)
		return err;
	err = address_space_extend(memory->space, to + size, new_size - size);
	if (err && address_space_move(memory->space, to, addr, size))
		return -EFAULT;
	return err;
}

static long remap_fixed(struct memory *memory, unsigned long addr, unsigned long size,
			unsigned long to, unsigned long new_size)
{
	int err;

	if (!IS_ALIGNED(to, USER_PAGE_SIZE) || to < USER_PAGE_SIZE || to >= user_end ||
	    new_size > user_end - to || (to < addr + size && addr < to + new_size))
		return -EINVAL;
	err = memory_unmap(memory, to, new_size);
	if (!err && new_size < size) {
		err = memory_unmap(memory, addr + new_size, size - new_size);
		size = new_size;
	}
	if (!err)
		err = move_and_grow(memory, addr, size, to, new_size);
	return err ? err : (long)to;
}

static long remap(struct memory *memory, unsigned long addr, unsigned long size,
		  unsigned long new_size, unsigned int flags, unsigned long to)
{
	unsigned long start = addr, end;
	unsigned int access;
	int err;

	if (!address_space_find(memory->space, &start, &end, &access) || start > addr ||
	    size > end - addr)
		return -EFAULT;
	if (new_size > size && !memory_within_limits(memory, new_size - size, access))
		return -ENOMEM;
	if (flags & MREMAP_FIXED)
		return remap_fixed(memory, addr, size, to, new_size);
	if (new_size < size)
		err = memory_unmap(memory, addr + new_size, size - new_size);
	else
		err = new_size == size
			      ? 0
			      : address_space_extend(memory->space, addr + size, new_size - size);
	if (err != -EEXIST && err != -EINVAL)
		return err ? err : (long)addr;
	if (!(flags & MREMAP_MAYMOVE))
		return -ENOMEM;
	err = memory_find_room(memory, new_size, &to);
	if (!err)
		err = move_and_grow(memory, addr, size, to, new_size);
	return err ? err : (long)to;
}

SYSCALL5(216, mremap, unsigned long, addr, unsigned long, old_len, unsigned long, new_len,
	 unsigned int, flags, unsigned long, to)
{
	struct memory *memory = current_process()->memory;
	unsigned long size, new_size;
	long result;

	if (flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED) ||
	    (flags & MREMAP_FIXED && !(flags & MREMAP_MAYMOVE)) ||
	    !IS_ALIGNED(addr, USER_PAGE_SIZE))
		return -EINVAL;
	new_size = ALIGN(new_len, USER_PAGE_SIZE);
	size = ALIGN(old_len, USER_PAGE_SIZE);
	if (!new_size || new_size < new_len || !size || size < old_len)
		return -EINVAL;
	if (new_size > user_end)
		return flags & MREMAP_FIXED ? -EINVAL : -ENOMEM;
	lock(&memory->lock);
	result = remap(memory, addr, size, new_size, flags, to);
	unlock(&memory->lock);
	return result;
}
