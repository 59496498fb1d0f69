/* SPDX-License-Identifier: MIT */
/* In the place of the architecture's own */
#ifndef ASM_WORD_H
#define ASM_WORD_H

void *personality_word(void);

#endif
