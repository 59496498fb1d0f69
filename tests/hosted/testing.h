/* SPDX-License-Identifier: MIT */
/* For tests on the hosted core: each runs in a process of its own, as the first program. */
#ifndef TESTS_HOSTED_TESTING_H
#define TESTS_HOSTED_TESTING_H

#include "hosted.h"
#include <ahoy/errno.h>

#define SYS_getcwd	  17
#define SYS_dup		  23
#define SYS_dup3	  24
#define SYS_fcntl	  25
#define SYS_ioctl	  29
#define SYS_mkdirat	  34
#define SYS_faccessat	  48
#define SYS_chdir	  49
#define SYS_openat	  56
#define SYS_close	  57
#define SYS_pipe2	  59
#define SYS_getdents64	  61
#define SYS_lseek	  62
#define SYS_read	  63
#define SYS_write	  64
#define SYS_readv	  65
#define SYS_writev	  66
#define SYS_pread64	  67
#define SYS_readlinkat	  78
#define SYS_newfstatat	  79
#define SYS_fstat	  80
#define SYS_exit	  93
#define SYS_exit_group	  94
#define SYS_futex	  98
#define SYS_nanosleep	  101
#define SYS_clock_gettime 113
#define SYS_sched_yield	  124
#define SYS_kill	  129
#define SYS_getpid	  172
#define SYS_gettid	  178
#define SYS_brk		  214
#define SYS_munmap	  215
#define SYS_mremap	  216
#define SYS_clone	  220
#define SYS_execve	  221
#define SYS_mmap	  222
#define SYS_mprotect	  226
#define SYS_madvise	  233
#define SYS_wait4	  260
#define SYS_prlimit64	  261
#define SYS_getrandom	  278
#define SYS_close_range	  436

#define CWD -100

/* --- archives ---------------------------------------------------------------------------- */

/* Add a file to the archive that is being made; @rdev: of a device, major << 8 | minor. */
void archive_add(const char *name, unsigned int mode, const void *data, size_t size,
		 unsigned int rdev);

/* End it. It stays until the process ends. Return: it, and its size. */
const void *archive_end(size_t *size);

/* A program of one page at 0x10000, which does nothing but be there */
size_t archive_elf(unsigned char *elf);

/* --- checks ------------------------------------------------------------------------------- */

/* The process ends at the first one that fails. */
#define CHECK_EQ(got, want)                                                                        \
	check_equal((long)(got), (long)(want), #got " == " #want, __FILE__, __LINE__)
#define CHECK(what) CHECK_EQ(!!(what), 1)

void check_equal(long got, long want, const char *text, const char *file, int line);

/* --- user memory ----------------------------------------------------------------------------- */

/* So many bytes of new memory. */
unsigned long user_alloc(size_t size);

/* Write, and read, what must be there. */
unsigned long user_write(unsigned long addr, const void *data, size_t size);
void user_read(void *data, unsigned long addr, size_t size);

/* A string, at @addr. Return: @addr. */
unsigned long user_text(unsigned long addr, const char *text);

/* --- running ------------------------------------------------------------------------------------ */

/* Run @fn in a process of its own, after the standard archive was started. Return: whether it passed. */
bool run_hosted(void (*fn)(void));

/* The standard archive: /init, /text (10,000 bytes), links, folders. */
void standard_archive(void);

#define TEXT_SIZE 10000

#endif
