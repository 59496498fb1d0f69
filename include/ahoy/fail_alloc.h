/* SPDX-License-Identifier: MIT */
/* Allocations that fail on purpose, to see what becomes of those who asked. */
#ifndef AHOY_FAIL_ALLOC_H
#define AHOY_FAIL_ALLOC_H

#include <ahoy/types.h>

#ifdef CONFIG_FAIL_ALLOC
/*
 * Have the @n-th allocation of pages or of heap memory that the current thread
 * makes from now on fail; 1 is the next one. Context: any thread; one at a time.
 */
void fail_alloc_at(unsigned long n);

/* Let it be. Return: whether it failed. */
bool fail_alloc_end(void);

/* An allocator asks: is this one to fail? Context: any. */
bool alloc_must_fail(void);
#else
static inline bool alloc_must_fail(void)
{
	return false;
}
#endif
#endif
