/* SPDX-License-Identifier: MIT */
/* Nothing here has a personality. */
#ifndef ASM_WORD_H
#define ASM_WORD_H

void *personality_word(void);

#endif
