/* SPDX-License-Identifier: MIT */
/* Instructions that do nothing, and that an emulator's plugin knows by their number. */
#ifndef ASM_MARKER_H
#define ASM_MARKER_H

/*
 * Mark a place with @n, a constant from 0 to 2047. Nothing that touches memory
 * is moved across it. (Unprivileged Architecture, 2.9: hints)
 */
#define marker(n) __asm__ __volatile__("slti x0, x0, %0" : : "i"(n) : "memory")

#endif
