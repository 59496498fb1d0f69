// SPDX-License-Identifier: MIT
/* What the thread sanitizer calls for volatile accesses, which the kernel means to be atomic. */
#define VOLATILE(n)                                                                                \
	void __tsan_volatile_read##n(void *p);                                                     \
	void __tsan_volatile_read##n(void *p)                                                      \
	{                                                                                          \
	}                                                                                          \
	void __tsan_volatile_write##n(void *p);                                                    \
	void __tsan_volatile_write##n(void *p)                                                     \
	{                                                                                          \
	}
VOLATILE(1)
VOLATILE(2)
VOLATILE(4)
VOLATILE(8)
