/* SPDX-License-Identifier: MIT */
/*
 * User memory: address spaces and what they map.
 *
 * A memory object is a row of pages: the contents of a file, memory that
 * processes share, an image that lies in RAM already. A mapping shows a part of
 * one, or of nothing but zeroes, at an address. Pages get there when they are
 * first accessed; a private mapping gets a copy of its own when one is first
 * written.
 *
 * Addresses, sizes and offsets are in bytes, those of mappings multiples of
 * PAGE_SIZE. User memory is between PAGE_SIZE and user_end. What fails leaves
 * everything as it was. Context, where nothing else is said: any thread, no
 * spinlock; it sleeps.
 */
#ifndef AHOY_ADDRESS_SPACE_H
#define AHOY_ADDRESS_SPACE_H

#include <ahoy/compiler.h>
#include <ahoy/fault.h>
#include <ahoy/types.h>
#include <asm/user_paging.h>

struct address_space;
struct memory_object;

#ifdef CONFIG_ADDRESS_SPACES

/* --- memory objects ------------------------------------------------------------- */

/* The largest object. */
#define MEMORY_OBJECT_MAX (1ULL << 48)

/*
 * An object of @size bytes, at most MEMORY_OBJECT_MAX. What its pages hold at
 * first is said by @fill, which is called without locks, perhaps by two threads
 * for one page: it writes what there is at @offset (a multiple of PAGE_SIZE)
 * to @page, which holds zeroes, and returns 0 or a negative errno. NULL: they
 * hold zeroes. @owner is for @fill. Return: the object, which the caller has a
 * hold on, or NULL without memory or if it is too large.
 */
struct memory_object *memory_object_create(u64 size,
					   int (*fill)(void *owner, u64 offset, void *page),
					   void *owner);

/*
 * An object that is the RAM at @pa, in the linear map, which nobody uses for
 * anything else as long as it lives; both are multiples of PAGE_SIZE. Return:
 * as memory_object_create().
 */
struct memory_object *memory_object_create_fixed(phys_addr_t pa, u64 size);

/* Have another hold on @object, or give one up; it goes with the last one and the last mapping. */
void memory_object_get(struct memory_object *object);
void memory_object_put(struct memory_object *object);

/*
 * Change its size. What lies beyond goes, in all mappings: accesses there fail
 * with -ENXIO from then on; what comes back with a larger size holds zeroes,
 * or what @fill says. Return: 0, -EINVAL if it is fixed or that is too large.
 */
int memory_object_resize(struct memory_object *object, u64 size);

/*
 * Copy @n bytes at @offset from, or to, @object. @buffer is the kernel's.
 * Return: how many there were before the object's end, or a negative errno.
 */
long memory_object_read(struct memory_object *object, u64 offset, void *buffer, size_t n);
long memory_object_write(struct memory_object *object, u64 offset, const void *buffer, size_t n);

/* --- address spaces --------------------------------------------------------------- */

/* Mappings: VM_READ, VM_WRITE (which includes reading), VM_EXEC, and these */
#define VM_SHARED   8  /* writes go to the object, not to a copy */
#define VM_REPLACE  16 /* in the place of what is mapped there */
#define VM_ANYWHERE 32 /* where there is room, from the address on if possible */

/* An empty space, or one that maps what @space does now. Return: NULL without memory. */
struct address_space *address_space_create(void);
struct address_space *address_space_clone(struct address_space *space);

/* Give up the hold that creating it was; it goes when the last thread has left it. */
void address_space_destroy(struct address_space *space);

/* Have the current thread be in @space from now on, NULL: in none. It leaves the one it was in. */
void address_space_enter(struct address_space *space);

/*
 * Map @size bytes of @object from @offset on at *@addr, or zeroes if @object is
 * NULL. @flags: as above. VM_ANYWHERE puts the address in *@addr. Return: 0;
 * -EINVAL if the numbers make no sense; -EEXIST if something is mapped there;
 * -ENOMEM without memory or room.
 */
int address_space_map(struct address_space *space, unsigned long *addr, size_t size,
		      struct memory_object *object, u64 offset, unsigned int flags);

/* Unmap what is mapped in the range. Return: 0, -EINVAL, -ENOMEM. */
int address_space_unmap(struct address_space *space, unsigned long addr, size_t size);

/*
 * Permit @access (VM_READ, VM_WRITE, VM_EXEC, or nothing) to the range. Return:
 * 0, -EINVAL, -ENOMEM without memory or where something is not mapped.
 */
int address_space_protect(struct address_space *space, unsigned long addr, size_t size,
			  unsigned int access);

/*
 * Do what an access to @addr needs. @access: VM_READ, VM_WRITE or VM_EXEC.
 * Return: 0 if it can be made now; -EFAULT: nothing is mapped; -EACCES: it is
 * not permitted; -ENXIO: beyond the object's end; -ENOMEM; what fill returned.
 */
int address_space_fault(struct address_space *space, unsigned long addr, unsigned int access);

/* For the scheduler: this hart goes on with a thread in @space. Context: interrupts masked. */
void address_space_load(struct address_space *space);

#else

static inline void address_space_enter(struct address_space *space)
{
}

#endif

#endif
