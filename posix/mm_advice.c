// SPDX-License-Identifier: MIT
/*
 * What programs say of their memory, and ask: hints, which nobody needs; pages
 * that they give up; which pages are there.
 */
#include "mm.h"
#include "process.h"
#include "syscall.h"
#include <ahoy/compiler.h>

enum advice {
	MADV_NORMAL,
	MADV_RANDOM,
	MADV_SEQUENTIAL,
	MADV_WILLNEED,
	MADV_DONTNEED,
	MADV_FREE = 8,
	MADV_HUGEPAGE = 14,
	MADV_NOHUGEPAGE,
	MADV_DONTDUMP,
	MADV_DODUMP,
	MADV_COLD = 20,
	MADV_PAGEOUT,
	MADV_POPULATE_READ,
	MADV_POPULATE_WRITE,
};

static int forget_part(struct memory *memory, unsigned long start, unsigned long end,
		       unsigned int flags __maybe_unused)
{
	return address_space_forget(memory->space, start, end - start);
}

/* -EINVAL where it is not permitted, -EFAULT where it cannot be had, as Linux has it */
static int fault_part(struct memory *memory, unsigned long start, unsigned long end,
		      unsigned int access)
{
	int err = 0;

	for (; start < end && !err; start += USER_PAGE_SIZE)
		err = address_space_fault(memory->space, start, access);
	if (err == -EACCES)
		return -EINVAL;
	return err && err != -ENOMEM ? -EFAULT : err;
}

static int read_part(struct memory *memory, unsigned long start, unsigned long end,
		     unsigned int flags __maybe_unused)
{
	return fault_part(memory, start, end, VM_READ);
}

static int write_part(struct memory *memory, unsigned long start, unsigned long end,
		      unsigned int flags __maybe_unused)
{
	return fault_part(memory, start, end, VM_WRITE);
}

/* What is done for it; *@known: whether there is such an advice at all. */
static for_mapped_fn *way_of(int advice, bool *known)
{
	*known = true;
	switch (advice) {
	case MADV_NORMAL:
	case MADV_RANDOM:
	case MADV_SEQUENTIAL:
	case MADV_WILLNEED:
	case MADV_HUGEPAGE:
	case MADV_NOHUGEPAGE:
	case MADV_DONTDUMP:
	case MADV_DODUMP:
	case MADV_COLD:
	case MADV_PAGEOUT:
		return NULL;
	case MADV_DONTNEED:
	case MADV_FREE:
		return forget_part;
	case MADV_POPULATE_READ:
		return read_part;
	case MADV_POPULATE_WRITE:
		return write_part;
	default:
		*known = false;
		return NULL;
	}
}

SYSCALL3(233, madvise, unsigned long, addr, unsigned long, len, int, advice)
{
	struct memory *memory = current_process()->memory;
	unsigned long size;
	bool known;
	for_mapped_fn *fn = way_of(advice, &known);

	if (!known || !IS_ALIGNED(addr, USER_PAGE_SIZE) || ALIGN(len, USER_PAGE_SIZE) < len ||
	    addr + ALIGN(len, USER_PAGE_SIZE) < addr)
		return -EINVAL;
	if (!len)
		return 0;
	return round_range(addr, len, &size) ? for_mapped(memory, addr, size, fn) : -ENOMEM;
}

#define MS_ASYNC      1
#define MS_INVALIDATE 2
#define MS_SYNC	      4

/* What is written to a mapping is in the object at once. */
SYSCALL3(227, msync, unsigned long, addr, unsigned long, len, int, flags)
{
	unsigned long size;

	if (flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC) ||
	    (flags & MS_ASYNC && flags & MS_SYNC) || !IS_ALIGNED(addr, USER_PAGE_SIZE))
		return -EINVAL;
	if (!round_range(addr, len, &size))
		return -ENOMEM;
	return for_mapped(current_process()->memory, addr, size, NULL);
}

SYSCALL3(232, mincore, unsigned long, addr, unsigned long, len, u8 __user *, vector)
{
	unsigned long size, end;
	u8 byte, there;
	int err;

	if (!IS_ALIGNED(addr, USER_PAGE_SIZE))
		return -EINVAL;
	if (!round_range(addr, len, &size))
		return -ENOMEM;
	err = for_mapped(current_process()->memory, addr, size, NULL);
	if (err)
		return err;
	for (end = addr + size; addr < end; addr += USER_PAGE_SIZE) {
		there = !copy_from_user_nofault(&byte, (const void __user *)addr, 1);
		if (copy_to_user(vector++, &there, 1))
			return -EFAULT;
	}
	return 0;
}

/* --- locked memory: all is, once it is there ------------------------------------------------ */

static long lock_range(unsigned long addr, unsigned long len, for_mapped_fn *fn)
{
	unsigned long size;

	len += addr % USER_PAGE_SIZE;
	addr = ALIGN_DOWN(addr, USER_PAGE_SIZE);
	if (ALIGN(len, USER_PAGE_SIZE) < len)
		return -EINVAL;
	if (!round_range(addr, len, &size))
		return -ENOMEM;
	return for_mapped(current_process()->memory, addr, size, fn);
}

SYSCALL2(228, mlock, unsigned long, addr, unsigned long, len)
{
	return lock_range(addr, len, populate_part);
}

SYSCALL3(284, mlock2, unsigned long, addr, unsigned long, len, unsigned int, flags)
{
	/* MLOCK_ONFAULT: what is not there yet may come later. */
	if (flags & ~1u)
		return -EINVAL;
	return lock_range(addr, len, flags ? NULL : populate_part);
}

SYSCALL2(229, munlock, unsigned long, addr, unsigned long, len)
{
	return lock_range(addr, len, NULL);
}

#define MCL_ONFAULT 4
#define MCL_ALL	    7

SYSCALL1(230, mlockall, int, flags)
{
	return !flags || flags & ~MCL_ALL || flags == MCL_ONFAULT ? -EINVAL : 0;
}

SYSCALL0(231, munlockall)
{
	return 0;
}
