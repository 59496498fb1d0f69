/* SPDX-License-Identifier: MIT */
/*
 * The current program's memory: the only ways to it. Implemented by arch, and part of
 * the core's interface. Context: any thread, no spinlock held; those that resolve no
 * faults: any.
 */
#ifndef AHOY_USER_MEMORY_H
#define AHOY_USER_MEMORY_H

#include <ahoy/types.h>

/* Marks addresses that are the program's: only the copies below reach them. */
#ifdef __CHECKER__
#define __user	__attribute__((noderef, address_space(1)))
#define __force __attribute__((force))
#else
#define __user
#ifndef __force
#define __force
#endif
#endif

/* Pages of user memory, on all implementations. */
#define USER_PAGE_SIZE 4096UL

/* User addresses are between USER_PAGE_SIZE and this: 2^38, 2^47 or 2^56. */
extern unsigned long user_end;

/*
 * Copy @n bytes from user memory at @src, to it at @dst, or zeroes to it. What
 * was copied before a failure stays copied. Return: 0, or -EFAULT if not all of
 * it is there and may be accessed in this way.
 */
int copy_from_user(void *dst, const void __user *src, size_t n);
int copy_to_user(void __user *dst, const void *src, size_t n);
int clear_user(void __user *dst, size_t n);

/* The same without the resolution of faults, for who holds locks: -EFAULT may be temporary. */
int copy_from_user_nofault(void *dst, const void __user *src, size_t n);
int copy_to_user_nofault(void __user *dst, const void *src, size_t n);

/*
 * Copy a string from user memory at @src, with its NUL, if that is among the
 * first @size bytes. Return: the length without NUL; @size if there is no NUL
 * so far, and then the copy has none either; -EFAULT.
 */
long strncpy_from_user(char *dst, const char __user *src, size_t size);

#endif
