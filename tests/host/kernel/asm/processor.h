/* SPDX-License-Identifier: MIT */
/* In place of the kernel's: tests keep their own counter. */
#ifndef ASM_PROCESSOR_H
#define ASM_PROCESSOR_H

unsigned long read_time(void);

#endif
