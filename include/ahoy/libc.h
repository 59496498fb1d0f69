/* SPDX-License-Identifier: MIT */
/*
 * The kernel's C library, where it is musl (CONFIG_KERNEL_LIBC_MUSL): what each side
 * calls of the other one. musl's files in lib/musl/ include this too, and so it uses
 * nothing but C's own types.
 */
#ifndef AHOY_LIBC_H
#define AHOY_LIBC_H

/* --- what the kernel offers ---------------------------------------------------------------- */

/*
 * A system call of the C library: Linux's number of it for 64-bit RISC-V, and its
 * arguments. Return: its result, or a negative errno; -ENOSYS where the kernel has
 * no such call. Context: what the call needs; none needs a thread of a program.
 */
long musl_syscall(long nr, long a, long b, long c, long d, long e, long f);

/*
 * The current thread's libc_thread, ready for use. In an interrupt it is that of the
 * thread that was interrupted. Context: any, also before there are threads.
 */
void *libc_thread(void);

/* --- what the C library offers --------------------------------------------------------------- */

/* Bytes, aligned to 16, that each thread keeps for the C library: errno and the like. */
#define LIBC_THREAD_SIZE 256

/* That of the kernel's first thread, which is ready from the start. */
extern void *const libc_boot_thread;

/* Make @thread, LIBC_THREAD_SIZE bytes, that of the thread with number @tid (1 to 2^30 - 1). */
void libc_thread_init(void *thread, int tid);

/* From now on there may be several threads: locks are to be taken. Context: boot. */
void libc_threads_start(void);

/*
 * C's own, with C's own meaning. printf() prints on the console, and so do stdout and
 * stderr. Context: threads, as it takes a lock; errno is the thread's.
 */
int printf(const char *fmt, ...) __attribute__((__format__(__printf__, 1, 2)));
unsigned long long strtoull(const char *s, char **end, int base);
int *__errno_location(void);

#endif
