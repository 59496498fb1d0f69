/* SPDX-License-Identifier: MIT */
/*
 * Copies from and to user memory: the only way to it, since sstatus.SUM is
 * clear but for their duration (Privileged Architecture, 10.1.1.2). Of two
 * forms of each, the first resolves faults as an access of the program itself
 * would, and may sleep; the other one, ..._nofault(), gives up at once.
 *
 * What was copied before a failure stays copied. A number of four or eight bytes
 * that is aligned on both sides is copied in one access.
 */
#ifndef ASM_UACCESS_H
#define ASM_UACCESS_H

#include <ahoy/compiler.h>
#include <ahoy/errno.h>
#include <ahoy/lockdep.h>
#include <ahoy/types.h>
#include <ahoy/user_memory.h>
#include <asm/csr.h>
#include <asm/user_paging.h>

/* Are the @n bytes at @p all user addresses? Whether anything is there is another question. */
static __always_inline bool user_range(const void __user *p, size_t n)
{
	unsigned long start = (unsigned long)p;

	return n <= user_end && start <= user_end - n;
}

/* May this hart reach user memory right now? It must not, but for the duration of a copy. */
static inline bool user_access_open(void)
{
	return csr_read(sstatus) & SSTATUS_SUM;
}

/*
 * What the functions below are made of, without the check of the range. @sleep:
 * whether faults are resolved. It must be the fourth argument: who handles a
 * fault finds it in its register.
 */
int uaccess_copy(void *dst, const void *src, size_t n, unsigned long sleep);
int uaccess_clear(void *dst, size_t n, size_t zero, unsigned long sleep);
long uaccess_string(char *dst, const char *src, size_t n, unsigned long sleep);

/* The same as clear_user() and strncpy_from_user(), without the resolution of faults. */
int clear_user_nofault(void __user *dst, size_t n);
long strncpy_from_user_nofault(char *dst, const char __user *src, size_t size);

#endif
