/* SPDX-License-Identifier: MIT */
/* Ranges of a process's memory. */
#ifndef POSIX_MM_H
#define POSIX_MM_H

#include "process.h"
#include <ahoy/types.h>

/* What is done with a part of a range, [@start, @end), which is mapped with @flags of VM_. */
typedef int for_mapped_fn(struct memory *memory, unsigned long start, unsigned long end,
			  unsigned int flags);

/*
 * Call @fn, if there is one, for each part of the range that is mapped. Return: 0,
 * -ENOMEM if not all of it is, or what @fn returned, after which it ends. What is
 * mapped stays as it is only while memory's lock is held.
 */
int for_mapped(struct memory *memory, unsigned long addr, unsigned long size, for_mapped_fn *fn);

/* Make what is mapped be there. Return: 0, or as address_space_fault(). No lock held. */
for_mapped_fn populate_part;

/* Is the range, rounded up to pages in *@size, one of user addresses? It may be empty. */
bool round_range(unsigned long addr, unsigned long len, unsigned long *size);

/* May so many bytes more be mapped with @flags of VM_, as the process's limits are? Memory locked. */
bool memory_within_limits(struct memory *memory, u64 size, unsigned int flags);

/* As address_space_unmap(); the range is room for others then. Memory locked. */
int memory_unmap(struct memory *memory, unsigned long addr, unsigned long size);

/*
 * Find room for @size bytes, which stays free as long as memory is locked.
 * Return: 0, and where it is in *@addr; -ENOMEM.
 */
int memory_find_room(struct memory *memory, unsigned long size, unsigned long *addr);

#endif
