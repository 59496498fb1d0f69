/* SPDX-License-Identifier: MIT */
/*
 * The kernel's threads know where musl's part of them is; the thread pointer is not
 * musl's, and nothing lies above it.
 */
#include <ahoy/libc.h>

static inline uintptr_t __get_tp(void)
{
	return (uintptr_t)libc_thread();
}
