/* SPDX-License-Identifier: MIT */
/* What the compiler offers, under short names. Freestanding; compiles on the host too. */
#ifndef AHOY_COMPILER_H
#define AHOY_COMPILER_H

/* The host's C library defines some of these names as well. */
#undef __always_inline
#undef __packed
#undef __used

#define __always_inline	     inline __attribute__((__always_inline__))
#define noinline	     __attribute__((__noinline__))
#define __noreturn	     __attribute__((__noreturn__))
#define __used		     __attribute__((__used__))
#define __maybe_unused	     __attribute__((__unused__))
#define __must_check	     __attribute__((__warn_unused_result__))
#define __section(name)	     __attribute__((__section__(name)))
#define __aligned(n)	     __attribute__((__aligned__(n)))
#define __packed	     __attribute__((__packed__))
#define __printf(fmt, first) __attribute__((__format__(__printf__, fmt, first)))
#define fallthrough	     __attribute__((__fallthrough__))

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* The compiler keeps memory accesses on their side of this line. */
#define barrier() __asm__ __volatile__("" ::: "memory")

/* The compiler forgets what it knows of the variable's value. */
#define OPTIMIZER_HIDE_VAR(var) __asm__("" : "+r"(var))

/* One access, neither torn, repeated nor left out. */
#define READ_ONCE(x)	 (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))

#define BUILD_BUG_ON(cond) _Static_assert(!(cond), "BUILD_BUG_ON failed: " #cond)

/* Zero; does not compile when @e is not zero. */
#define BUILD_BUG_ON_ZERO(e) ((int)sizeof(struct { int : (-!!(e)); }))

#define __same_type(a, b) __builtin_types_compatible_p(__typeof__(a), __typeof__(b))

/* Elements of an array; does not compile for a pointer. */
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]) + BUILD_BUG_ON_ZERO(__same_type((a), &(a)[0])))

#define container_of(ptr, type, member)                                                            \
	({                                                                                         \
		const __typeof__(((type *)0)->member) *__member = (ptr);                           \
		(type *)((char *)(uintptr_t)__member - offsetof(type, member));                    \
	})

/*
 * Both sides must have one type: comparing pointers to them warns otherwise.
 * Names are unique, so that one may stand inside another without -Wshadow.
 */
#define __paste2(a, b) a##b
#define __paste(a, b)  __paste2(a, b)
#define __pick_once(op, a, b, x, y)                                                                \
	({                                                                                         \
		__typeof__(a) x = (a);                                                             \
		__typeof__(b) y = (b);                                                             \
		(void)(&x == &y);                                                                  \
		x op y ? x : y;                                                                    \
	})
#define __pick(op, a, b)                                                                           \
	__pick_once(op, a, b, __paste(__pick_, __COUNTER__), __paste(__pick_, __COUNTER__))
#define min(a, b)	  __pick(<, a, b)
#define max(a, b)	  __pick(>, a, b)
#define min_t(type, a, b) min((type)(a), (type)(b))
#define max_t(type, a, b) max((type)(a), (type)(b))

/* @a: a power of two. */
/* Left alone by clang-format, of which old versions take the minus for a sign. */
/* clang-format off */
#define __align_mask(x, a) ((__typeof__(x))((a) - 1))
#define ALIGN_DOWN(x, a)   ((x) & ~__align_mask(x, a))
#define ALIGN(x, a)	   ALIGN_DOWN((x) + __align_mask(x, a), a)
#define IS_ALIGNED(x, a)   (((x) & __align_mask(x, a)) == 0)
/* clang-format on */

#define BIT(n)	      (1UL << (n))
#define GENMASK(h, l) ((~0UL << (l)) & (~0UL >> (63 - (h))))

#endif
