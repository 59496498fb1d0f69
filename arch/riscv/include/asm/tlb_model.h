/* SPDX-License-Identifier: MIT */
/*
 * A model of what harts' translation caches may hold of user memory, which
 * finds fences that are missing where the machine does not show it.
 */
#ifndef ASM_TLB_MODEL_H
#define ASM_TLB_MODEL_H

#include <ahoy/compiler.h>
#include <ahoy/types.h>

struct user_tables;

#define TLB_MODEL_ASID_BITS 5

#ifdef CONFIG_DEBUG_TLB

/*
 * Changes of @tables begin and end: all that was taken away in between must be
 * fenced, on each hart that has them loaded, when they end. Context: any.
 */
void tlb_model_begin(struct user_tables *tables);
void tlb_model_end(struct user_tables *tables);

/* An entry that maps [@start, @start + @size) permits less now, or maps another page. */
void tlb_model_changed(struct user_tables *tables, unsigned long start, unsigned long size);

/* @hart does not translate user addresses any more, or from now on by @tables, remembering under @asid. */
void tlb_model_leave(unsigned int hart);
void tlb_model_load(unsigned int hart, unsigned int asid, struct user_tables *tables);

/* @hart has forgotten [@start, @end) under @asid, or all there is. */
void tlb_model_flush(unsigned int hart, unsigned int asid, unsigned long start, unsigned long end);
void tlb_model_flush_all(unsigned int hart);

/* Several harts have, a bit each, under any ASID. */
void tlb_model_flush_harts(u64 harts, unsigned long start, unsigned long end);

/* @tables are no more. */
void tlb_model_gone(struct user_tables *tables);

/*
 * For tests: from now on, leave fences out or not, and count what is found
 * instead of ending in a panic. Return: how much was found since the last call.
 */
unsigned int tlb_model_test(bool omit_fences, bool count);
bool tlb_model_omits_fences(void);

#else

static __always_inline void tlb_model_begin(struct user_tables *tables)
{
}

static __always_inline void tlb_model_end(struct user_tables *tables)
{
}

static __always_inline void tlb_model_changed(struct user_tables *tables, unsigned long start,
					      unsigned long size)
{
}

static __always_inline void tlb_model_leave(unsigned int hart)
{
}

static __always_inline void tlb_model_load(unsigned int hart, unsigned int asid,
					   struct user_tables *tables)
{
}

static __always_inline void tlb_model_flush(unsigned int hart, unsigned int asid,
					    unsigned long start, unsigned long end)
{
}

static __always_inline void tlb_model_flush_all(unsigned int hart)
{
}

static __always_inline void tlb_model_flush_harts(u64 harts, unsigned long start, unsigned long end)
{
}

static __always_inline void tlb_model_gone(struct user_tables *tables)
{
}

static __always_inline bool tlb_model_omits_fences(void)
{
	return false;
}

#endif
#endif
