/* SPDX-License-Identifier: MIT */
#ifndef AHOY_STACKPROTECTOR_H
#define AHOY_STACKPROTECTOR_H

#include <ahoy/types.h>

#ifdef CONFIG_STACKPROTECTOR
/*
 * Choose the word that guards stack frames, from the time counter and from
 * what stackprotector_add_entropy() was given. Must be called from a function
 * that never returns, while no guarded function is active. Context: boot.
 */
void stackprotector_init(void);

/* Mix @len bytes at @seed into the next choice. Context: boot. */
void stackprotector_add_entropy(const u8 *seed, size_t len);
#else
static inline void stackprotector_init(void)
{
}

static inline void stackprotector_add_entropy(const u8 *seed, size_t len)
{
}
#endif
#endif
