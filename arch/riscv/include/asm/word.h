/* SPDX-License-Identifier: MIT */
/* The personality's word of the current thread, which system calls begin with. */
#ifndef ASM_WORD_H
#define ASM_WORD_H

#include <ahoy/compiler.h>
#include <asm/user.h>

/* Context: any thread. */
static __always_inline void *personality_word(void)
{
	void *word;

	/* Not volatile: who sets it does not ask for it before. */
	__asm__("ld %0, %1(tp)" : "=r"(word) : "i"(THREAD_WORD));
	return word;
}

#endif
