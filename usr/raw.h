/* SPDX-License-Identifier: MIT */
/* System calls of Linux's riscv64 ABI for programs without a C library. */
#ifndef USR_RAW_H
#define USR_RAW_H

#include <stddef.h>
#include <stdint.h>

enum {
	NR_openat = 56,
	NR_close = 57,
	NR_read = 63,
	NR_write = 64,
	NR_exit_group = 94,
	NR_reboot = 142,
	NR_getpid = 172,
	NR_clone = 220,
	NR_execve = 221,
	NR_wait4 = 260,
};

/* System call @nr: what it returns, an error as a negative number. */
static inline long raw_call(long nr, long arg0, long arg1, long arg2, long arg3)
{
	register long a0 __asm__("a0") = arg0;
	register long a1 __asm__("a1") = arg1;
	register long a2 __asm__("a2") = arg2;
	register long a3 __asm__("a3") = arg3;
	register long a7 __asm__("a7") = nr;

	__asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a3), "r"(a7) : "memory");
	return a0;
}

static inline long raw_write(int fd, const void *data, size_t size)
{
	return raw_call(NR_write, fd, (long)data, (long)size, 0);
}

static inline void __attribute__((noreturn)) raw_exit(int status)
{
	for (;;)
		raw_call(NR_exit_group, status, 0, 0, 0);
}

/*
 * The program's first instructions: main_fn(stack), where the kernel has put the
 * number of arguments, their pointers, NULL, the environment's, NULL.
 */
#define RAW_START(main_fn)                                                                         \
	__asm__(".text\n"                                                                          \
		".globl _start\n"                                                                  \
		"_start:\n"                                                                        \
		".option push\n"                                                                   \
		".option norelax\n"                                                                \
		"	lla	gp, __global_pointer$\n"                                                     \
		".option pop\n"                                                                    \
		"	mv	a0, sp\n"                                                                     \
		"	tail	" #main_fn "\n")

#endif
