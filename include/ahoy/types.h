/* SPDX-License-Identifier: MIT */
/* The integer types that every room uses. Freestanding; compiles on the host too. */
#ifndef AHOY_TYPES_H
#define AHOY_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed char s8;
typedef short s16;
typedef int s32;
typedef long long s64;

/* A physical address; a plain integer, printed with %llx, or with %pa through a pointer. */
typedef u64 phys_addr_t;

#define U8_MAX	((u8)~0U)
#define U16_MAX ((u16)~0U)
#define U32_MAX ((u32)~0U)
#define U64_MAX ((u64)~0ULL)

/* The compiler's limits.h would want the C library's. */
#ifndef INT_MAX
#define INT_MAX	 ((int)(~0U >> 1))
#define INT_MIN	 (-INT_MAX - 1)
#define UINT_MAX (~0U)
#define LONG_MAX ((long)(~0UL >> 1))
#define LONG_MIN (-LONG_MAX - 1)
#endif

#endif
