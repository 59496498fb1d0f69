// SPDX-License-Identifier: MIT
/* Mappings, the program break, and what pages cost. */
#include "ktap.h"
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define RW	(PROT_READ | PROT_WRITE)
#define ANON	(MAP_PRIVATE | MAP_ANONYMOUS)
#define KERNEL	0xffffffff80000000UL
#define NOWHERE 0x4000000000000000UL /* no canonical address */
#define MIB	(1UL << 20)

static long map(void *at, size_t size, int prot, int flags, long fd, long offset)
{
	return sys(SYS_mmap, at, size, prot, flags, fd, offset);
}

static bool failed(long result)
{
	return result < 0 && result > -4096;
}

/* --- mmap ---------------------------------------------------------------------------------- */

TEST(mmap_zeroes)
{
	size_t wrong = 0;
	long p = map(NULL, 10 * PAGE, RW, ANON, -1, 0);

	ASSERT(!failed(p));
	EXPECT_EQ(p % PAGE, 0);
	for (size_t i = 0; i < 10 * PAGE; i++)
		wrong += ((char *)p)[i] != 0;
	EXPECT_EQ(wrong, 0);
	memset((void *)p, 1, 10 * PAGE);
	/* Of a size that is no multiple of the page's */
	p = map(NULL, PAGE + 1, RW, ANON, -1, 0);
	ASSERT(!failed(p));
	((char *)p)[2 * PAGE - 1] = 1;
}

TEST(mmap_errors)
{
	EXPECT_EQ(map(NULL, 0, RW, ANON, -1, 0), -EINVAL);
	EXPECT_EQ(map(NULL, PAGE, RW, MAP_ANONYMOUS, -1, 0), -EINVAL);
	EXPECT_EQ(map(NULL, 1UL << 62, RW, ANON, -1, 0), -ENOMEM);
	EXPECT_EQ(map(NULL, -1, RW, ANON, -1, 0), -ENOMEM);
	EXPECT_EQ(map(NULL, LONG_MIN, RW, ANON, -1, 0), -ENOMEM);
	EXPECT_EQ(map((void *)123, PAGE, RW, ANON | MAP_FIXED, -1, 0), -EINVAL);
	EXPECT_EQ(map((void *)KERNEL, PAGE, RW, ANON | MAP_FIXED, -1, 0), -ENOMEM);
	EXPECT_EQ(map((void *)NOWHERE, PAGE, RW, ANON | MAP_FIXED, -1, 0), -ENOMEM);
	EXPECT_EQ(map((void *)-PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0), -ENOMEM);
	/* Flags without effect */
	EXPECT(!failed(map(NULL, PAGE, RW, ANON | MAP_NORESERVE | MAP_STACK, -1, 0)));
}

TEST(mmap_hint)
{
	long free = map(NULL, 16 * PAGE, RW, ANON, -1, 0);
	long p;

	EXPECT_EQ(sys(SYS_munmap, free, 16 * PAGE), 0);
	p = map((void *)(free + 4 * PAGE), PAGE, RW, ANON, -1, 0);
	EXPECT_EQ(p, free + 4 * (long)PAGE);
	/* Taken: somewhere else */
	p = map((void *)(free + 4 * PAGE), PAGE, RW, ANON, -1, 0);
	EXPECT(!failed(p) && p != free + 4 * (long)PAGE);
	/* Not a multiple of the page size: rounded */
	p = map((void *)(free + 8 * PAGE + 5), PAGE, RW, ANON, -1, 0);
	EXPECT(!failed(p) && p % PAGE == 0);
	/* No address of the program's: somewhere else. qemu-riscv64 refuses. */
	if (!on_qemu_user()) {
		p = map((void *)KERNEL, PAGE, RW, ANON, -1, 0);
		EXPECT(!failed(p));
	}
}

TEST(mmap_fixed)
{
	char *p = private_pages(4);

	memset(p, 1, 4 * PAGE);
	EXPECT_EQ(map(p + PAGE, 2 * PAGE, RW, ANON | MAP_FIXED, -1, 0), p + PAGE);
	EXPECT_EQ(p[PAGE - 1], 1);
	EXPECT_EQ(p[PAGE], 0);
	EXPECT_EQ(p[3 * PAGE - 1], 0);
	EXPECT_EQ(p[3 * PAGE], 1);
	/* A flag that qemu-riscv64 7.2 does not know */
	if (!on_qemu_user()) {
		EXPECT_EQ(map(p, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0), -EEXIST);
		EXPECT_EQ(map(p - PAGE, 2 * PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0), -EEXIST);
	}
	EXPECT_EQ(p[0], 1);
	EXPECT_EQ(sys(SYS_munmap, p, 4 * PAGE), 0);
	EXPECT_EQ(map(p, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0), p);
}

TEST(mmap_permissions)
{
	static const struct {
		int prot, load, store;
	} rows[] = {
		{ PROT_NONE, SIGSEGV, SIGSEGV },
		{ PROT_READ, 0, SIGSEGV },
		{ PROT_READ | PROT_WRITE, 0, 0 },
		{ PROT_READ | PROT_EXEC, 0, SIGSEGV },
		{ PROT_READ | PROT_WRITE | PROT_EXEC, 0, 0 },
		/* There are no pages that can only be written. */
		{ PROT_WRITE, 0, 0 },
		{ PROT_EXEC, SIGSEGV, SIGSEGV },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		long p = map(NULL, PAGE, rows[i].prot, ANON, -1, 0);

		ASSERT(!failed(p));
		/* For qemu-riscv64 what can be executed can be read, and what cannot be read cannot
		 * be written.
		 */
		if (on_qemu_user() && (rows[i].prot == PROT_EXEC || rows[i].prot == PROT_WRITE))
			continue;
		if (!EXPECT_EQ(signal_of_load((void *)p), rows[i].load) ||
		    !EXPECT_EQ(signal_of_store((void *)p), rows[i].store))
			say("# with protection %d", rows[i].prot);
	}
}

TEST(mmap_file)
{
	int fd = open_data("text");
	char *p = (char *)map(NULL, TEXT_SIZE, PROT_READ, MAP_PRIVATE, fd, 0);
	char *second = (char *)map(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, PAGE);
	char *shared = (char *)map(NULL, TEXT_SIZE, PROT_READ, MAP_SHARED, fd, 0);
	size_t wrong = 0;

	ASSERT(!failed((long)p) && !failed((long)second) && !failed((long)shared));
	/* The mapping stays when the descriptor goes. */
	EXPECT_EQ(sys(SYS_close, fd), 0);
	for (size_t i = 0; i < TEXT_SIZE; i++)
		wrong += p[i] != text_byte(i) || shared[i] != text_byte(i);
	for (size_t i = 0; i < PAGE; i++)
		wrong += second[i] != text_byte(PAGE + i);
	/* Behind the end there are zeroes up to the end of the page. */
	for (size_t i = TEXT_SIZE; i < 3 * PAGE; i++)
		wrong += p[i] != 0;
	EXPECT_EQ(wrong, 0);
}

TEST(mmap_file_copy)
{
	int fd = open_data("text");
	char *p = (char *)map(NULL, TEXT_SIZE, RW, MAP_PRIVATE, fd, 0);
	char *again = (char *)map(NULL, TEXT_SIZE, PROT_READ, MAP_PRIVATE, fd, 0);
	char byte;

	ASSERT(!failed((long)p) && !failed((long)again));
	p[10] = '!';
	p[PAGE] = '!';
	p[TEXT_SIZE + 5] = '!';
	EXPECT_EQ(p[11], text_byte(11));
	EXPECT_EQ(p[PAGE + 1], text_byte(PAGE + 1));
	EXPECT_EQ(again[10], text_byte(10));
	EXPECT_EQ(again[PAGE], text_byte(PAGE));
	EXPECT_EQ(again[TEXT_SIZE + 5], 0);
	EXPECT_EQ(sys(SYS_lseek, fd, 10, SEEK_SET), 10);
	EXPECT_EQ(sys(SYS_read, fd, &byte, 1), 1);
	EXPECT_EQ(byte, text_byte(10));
}

TEST(mmap_file_end)
{
	int fd = open_data("text");
	char *p = (char *)map(NULL, 8 * PAGE, RW, MAP_PRIVATE, fd, 0);
	char *empty = (char *)map(NULL, PAGE, PROT_READ, MAP_PRIVATE, open_data("empty"), 0);

	ASSERT(!failed((long)p) && !failed((long)empty));
	EXPECT_EQ(signal_of_load(p + 3 * PAGE - 1), 0);
	EXPECT_EQ(signal_of_load(p + 3 * PAGE), SIGBUS);
	EXPECT_EQ(signal_of_store(p + 3 * PAGE), SIGBUS);
	EXPECT_EQ(signal_of_load(p + 7 * PAGE), SIGBUS);
	EXPECT_EQ(signal_of_load(empty), SIGBUS);
	/* The kernel has no page there either. */
	if (!on_qemu_user())
		EXPECT_EQ(sys(SYS_write, 1, p + 4 * PAGE, 4), -EFAULT);
}

/* The last part of a page may lie elsewhere than the pages before it, which come next. */
TEST(mmap_file_from_its_end)
{
	int fd = (int)sys(SYS_openat, AT_FDCWD, self_path(), O_RDONLY);
	long size = sys(SYS_lseek, fd, 0, SEEK_END), offset = (size & -PAGE) - 2 * PAGE;
	char *space = private_pages(32), *p = (char *)(((long)space + 0xffff) & ~0xffffL);
	char buffer[PAGE];

	ASSERT(fd >= 0 && offset >= 0);
	ASSERT_EQ(map(p, 3 * PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, offset), (long)p);
	for (long at = (size - 1) & -PAGE; at >= offset; at -= PAGE) {
		long n = sys(SYS_pread64, fd, buffer, PAGE, at);

		EXPECT(n > 0 && !memcmp(p + (at - offset), buffer, (size_t)n));
	}
}

TEST(mmap_file_errors)
{
	int fd = open_data("text");
	long null = sys(SYS_openat, AT_FDCWD, "/dev/zero", O_WRONLY);

	EXPECT_EQ(map(NULL, PAGE, PROT_READ, MAP_PRIVATE, -1, 0), -EBADF);
	EXPECT_EQ(map(NULL, PAGE, PROT_READ, MAP_PRIVATE, 99, 0), -EBADF);
	EXPECT_EQ(map(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 100), -EINVAL);
	EXPECT_EQ(map(NULL, PAGE, RW, MAP_SHARED, fd, 0), -EACCES);
	EXPECT_EQ(map(NULL, PAGE, PROT_READ, MAP_PRIVATE, null, 0), -EACCES);
	EXPECT_EQ(map(NULL, PAGE, PROT_READ, 0, fd, 0), -EINVAL);
	EXPECT_EQ(map(NULL, 0, PROT_READ, MAP_PRIVATE, fd, 0), -EINVAL);
	EXPECT_EQ(map(NULL, PAGE, PROT_READ, MAP_PRIVATE, open_data("folder"), 0), -ENODEV);
	/* The end of the range is no offset any more. */
	EXPECT_EQ(map(NULL, 2 * PAGE, PROT_READ, MAP_PRIVATE, fd, -PAGE), -EOVERFLOW);
}

TEST(mmap_shared_with_child)
{
	char *shared = shared_pages(2);
	char *private = private_pages(1);
	pid_t pid;
	int status;

	shared[0] = private[0] = 1;
	pid = fork();
	if (!pid) {
		EXPECT_EQ(shared[0] + private[0], 2);
		shared[0] = private[0] = 2;
		shared[PAGE] = 3;
		EXPECT_EQ(private[0], 2);
		end_child();
	}
	ASSERT_EQ(sys(SYS_wait4, pid, &status, 0, NULL), pid);
	EXPECT_EQ(status, 0);
	EXPECT_EQ(shared[0], 2);
	EXPECT_EQ(shared[PAGE], 3);
	EXPECT_EQ(private[0], 1);
}

/* --- munmap -------------------------------------------------------------------------------- */

TEST(munmap_errors)
{
	char *p = private_pages(2);

	EXPECT_EQ(sys(SYS_munmap, p + 1, PAGE), -EINVAL);
	EXPECT_EQ(sys(SYS_munmap, p, 0), -EINVAL);
	/* qemu-riscv64 7.2 crashes. */
	if (!on_qemu_user()) {
		EXPECT_EQ(sys(SYS_munmap, p, -1), -EINVAL);
		EXPECT_EQ(sys(SYS_munmap, p, LONG_MIN), -EINVAL);
		EXPECT_EQ(sys(SYS_munmap, KERNEL, PAGE), -EINVAL);
		EXPECT_EQ(sys(SYS_munmap, NOWHERE, PAGE), -EINVAL);
		EXPECT_EQ(sys(SYS_munmap, -PAGE, PAGE), -EINVAL);
	}
	p[0] = 1;
	EXPECT_EQ(sys(SYS_munmap, p, 1), 0);
	/* Nothing there: nothing to do */
	EXPECT_EQ(sys(SYS_munmap, p, PAGE), 0);
	EXPECT_EQ(signal_of_load(p), SIGSEGV);
	EXPECT_EQ(signal_of_load(p + PAGE), 0);
}

TEST(munmap_middle)
{
	char *p = private_pages(9);

	for (size_t i = 0; i < 9; i++)
		p[i * PAGE] = (char)i;
	EXPECT_EQ(sys(SYS_munmap, p + 3 * PAGE, 3 * PAGE), 0);
	for (size_t i = 0; i < 9; i++) {
		if (i < 3 || i >= 6)
			EXPECT_EQ(p[i * PAGE], i);
		else
			EXPECT_EQ(signal_of_load(p + i * PAGE), SIGSEGV);
	}
	/* Across the hole, with parts on both sides */
	EXPECT_EQ(sys(SYS_munmap, p + 2 * PAGE, 5 * PAGE), 0);
	EXPECT_EQ(signal_of_load(p + 2 * PAGE), SIGSEGV);
	EXPECT_EQ(signal_of_load(p + 6 * PAGE), SIGSEGV);
	EXPECT_EQ(p[PAGE], 1);
	EXPECT_EQ(p[7 * PAGE], 7);
	/* What comes in its place is new. */
	EXPECT_EQ(map(p + 2 * PAGE, 5 * PAGE, RW, ANON | MAP_FIXED, -1, 0), p + 2 * PAGE);
	EXPECT_EQ(p[2 * PAGE], 0);
}

TEST(munmap_many)
{
	char *p = private_pages(200);
	size_t wrong = 0;

	for (size_t i = 0; i < 200; i += 2)
		EXPECT_EQ(sys(SYS_munmap, p + i * PAGE, PAGE), 0);
	for (size_t i = 1; i < 200; i += 2)
		p[i * PAGE] = (char)i;
	for (size_t i = 1; i < 200; i += 2)
		wrong += p[i * PAGE] != (char)i;
	EXPECT_EQ(wrong, 0);
	EXPECT_EQ(sys(SYS_munmap, p, 200 * PAGE), 0);
	EXPECT_EQ(signal_of_load(p + 199 * PAGE), SIGSEGV);
}

/* --- mprotect ------------------------------------------------------------------------------ */

TEST(mprotect_ways)
{
	char *p = private_pages(3);

	memset(p, 5, 3 * PAGE);
	EXPECT_EQ(sys(SYS_mprotect, p + PAGE, PAGE, PROT_READ), 0);
	EXPECT_EQ(signal_of_store(p + PAGE), SIGSEGV);
	EXPECT_EQ(signal_of_load(p + PAGE), 0);
	EXPECT_EQ(signal_of_store(p), 0);
	EXPECT_EQ(signal_of_store(p + 2 * PAGE), 0);
	EXPECT_EQ(sys(SYS_mprotect, p + PAGE, 1, PROT_NONE), 0);
	EXPECT_EQ(signal_of_load(p + PAGE), SIGSEGV);
	EXPECT_EQ(sys(SYS_write, 1, p + PAGE, 1), -EFAULT);
	EXPECT_EQ(sys(SYS_mprotect, p, 3 * PAGE, RW), 0);
	p[PAGE] = 6;
	EXPECT_EQ(p[PAGE - 1], 5);
	EXPECT_EQ(p[PAGE + 1], 5);
	EXPECT_EQ(p[2 * PAGE], 5);
}

TEST(mprotect_errors)
{
	char *p = private_pages(3);
	int fd = open_data("text");
	char *shared = (char *)map(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);

	EXPECT_EQ(sys(SYS_mprotect, p + 1, PAGE, PROT_READ), -EINVAL);
	/* qemu-riscv64 7.2 knows no empty range. */
	if (!on_qemu_user())
		EXPECT_EQ(sys(SYS_mprotect, p, 0, PROT_READ), 0);
	EXPECT_EQ(sys(SYS_mprotect, p, PAGE, 0x100), -EINVAL);
	EXPECT_EQ(sys(SYS_mprotect, p, -1, PROT_READ), -ENOMEM);
	EXPECT_EQ(sys(SYS_mprotect, KERNEL, PAGE, PROT_READ), -ENOMEM);
	EXPECT_EQ(sys(SYS_mprotect, NOWHERE, PAGE, PROT_READ), -ENOMEM);
	EXPECT_EQ(sys(SYS_munmap, p + PAGE, PAGE), 0);
	EXPECT_EQ(sys(SYS_mprotect, p + PAGE, PAGE, PROT_READ), -ENOMEM);
	EXPECT_EQ(sys(SYS_mprotect, p, 3 * PAGE, RW), -ENOMEM);
	EXPECT_EQ(sys(SYS_mprotect, 0, PAGE, PROT_READ), -ENOMEM);
	/* What was opened for reading is not written to. */
	EXPECT_EQ(sys(SYS_mprotect, shared, PAGE, RW), -EACCES);
	EXPECT_EQ(sys(SYS_mprotect, shared, PAGE, PROT_NONE), 0);
}

TEST(mprotect_file_copy)
{
	int fd = open_data("text");
	char *p = (char *)map(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	char *other = (char *)map(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);

	EXPECT_EQ(p[0], text_byte(0));
	EXPECT_EQ(sys(SYS_mprotect, p, PAGE, RW), 0);
	p[0] = '!';
	EXPECT_EQ(other[0], text_byte(0));
	EXPECT_EQ(p[1], text_byte(1));
}

static void drop_and_load(void *arg)
{
	EXPECT_EQ(sys(SYS_mprotect, arg, PAGE, PROT_NONE), 0);
	(void)*(volatile char *)arg;
}

TEST(mprotect_is_the_childs_own)
{
	char *p = private_pages(1);

	p[0] = 3;
	EXPECT_EQ(signal_of(drop_and_load, p), SIGSEGV);
	p[0]++;
	EXPECT_EQ(p[0], 4);
}

/* --- mremap -------------------------------------------------------------------------------- */

TEST(mremap_grows_and_shrinks)
{
	char *p = private_pages(8);
	long q;

	EXPECT_EQ(sys(SYS_munmap, p + 2 * PAGE, 6 * PAGE), 0);
	p[0] = 1;
	p[PAGE] = 2;
	EXPECT_EQ(sys(SYS_mremap, p, 2 * PAGE, 4 * PAGE, 0), p);
	EXPECT_EQ(p[PAGE], 2);
	EXPECT_EQ(p[2 * PAGE], 0);
	p[3 * PAGE] = 4;
	EXPECT_EQ(sys(SYS_mremap, p, 4 * PAGE, PAGE, 0), p);
	EXPECT_EQ(signal_of_load(p + PAGE), SIGSEGV);
	EXPECT_EQ(sys(SYS_mremap, p, PAGE, 2 * PAGE, 0), p);
	EXPECT_EQ(p[0], 1);
	EXPECT_EQ(p[PAGE], 0);
	/* Somebody is in the way. */
	EXPECT_EQ(map(p + 2 * PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0), p + 2 * PAGE);
	EXPECT_EQ(sys(SYS_mremap, p, 2 * PAGE, 3 * PAGE, 0), -ENOMEM);
	q = sys(SYS_mremap, p, 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE);
	ASSERT(!failed(q));
	EXPECT(q != (long)p);
	EXPECT_EQ(((char *)q)[0], 1);
	((char *)q)[2 * PAGE] = 1;
	EXPECT_EQ(signal_of_load(p), SIGSEGV);
	/* The same size */
	EXPECT_EQ(sys(SYS_mremap, q, 3 * PAGE, 3 * PAGE, 0), q);
}

TEST(mremap_fixed)
{
	char *p = private_pages(8);

	p[0] = 1;
	p[4 * PAGE] = 2;
	EXPECT_EQ(sys(SYS_mremap, p, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p + 4 * PAGE),
		  p + 4 * PAGE);
	EXPECT_EQ(p[4 * PAGE], 1);
	EXPECT_EQ(signal_of_load(p), SIGSEGV);
	EXPECT_EQ(sys(SYS_mremap, p + PAGE, PAGE, PAGE, MREMAP_FIXED, p), -EINVAL);
	EXPECT_EQ(sys(SYS_mremap, p + PAGE, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		      p + 2 * PAGE),
		  -EINVAL);
	EXPECT_EQ(sys(SYS_mremap, p + PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p + 7),
		  -EINVAL);
	/* qemu-riscv64 has other numbers for what is beyond the program's memory. */
	if (!on_qemu_user())
		EXPECT_EQ(sys(SYS_mremap, p + PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
			      KERNEL),
			  -EINVAL);
	p[PAGE] = 1;
}

TEST(mremap_errors)
{
	char *p = private_pages(3);

	EXPECT_EQ(sys(SYS_mremap, p + 1, PAGE, PAGE, 0), -EINVAL);
	EXPECT_EQ(sys(SYS_mremap, p, PAGE, PAGE, 0x100), -EINVAL);
	EXPECT_EQ(sys(SYS_munmap, p + PAGE, PAGE), 0);
	EXPECT_EQ(sys(SYS_mremap, p + PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE), -EFAULT);
	EXPECT_EQ(sys(SYS_mremap, p, 3 * PAGE, 4 * PAGE, MREMAP_MAYMOVE), -EFAULT);
	if (!on_qemu_user()) {
		EXPECT_EQ(sys(SYS_mremap, p, PAGE, 0, 0), -EINVAL);
		EXPECT_EQ(sys(SYS_mremap, KERNEL, PAGE, 2 * PAGE, MREMAP_MAYMOVE), -EFAULT);
		EXPECT_EQ(sys(SYS_mremap, p, PAGE, 1UL << 62, MREMAP_MAYMOVE), -ENOMEM);
	}
	p[0] = 1;
}

TEST(mremap_keeps_file)
{
	char *p = (char *)map(NULL, PAGE, RW, MAP_PRIVATE, open_data("text"), 0);
	char *q;

	ASSERT(!failed((long)p));
	p[0] = '!';
	q = (char *)sys(SYS_mremap, p, PAGE, 64 * PAGE, MREMAP_MAYMOVE);
	ASSERT(!failed((long)q));
	EXPECT_EQ(q[0], '!');
	EXPECT_EQ(q[1], text_byte(1));
	EXPECT_EQ(q[PAGE], text_byte(PAGE));
}

/* --- brk ----------------------------------------------------------------------------------- */

TEST(brk_moves)
{
	long start = sys(SYS_brk, 0);
	long base = (start + (long)PAGE - 1) & -(long)PAGE;
	size_t wrong = 0;

	EXPECT(start > 0);
	EXPECT_EQ(sys(SYS_brk, base + 4 * PAGE), base + 4 * (long)PAGE);
	EXPECT_EQ(sys(SYS_brk, 0), base + 4 * (long)PAGE);
	for (size_t i = 0; i < 4 * PAGE; i++)
		wrong += ((char *)base)[i] != 0;
	EXPECT_EQ(wrong, 0);
	memset((void *)base, 1, 4 * PAGE);
	EXPECT_EQ(sys(SYS_brk, base + 2 * PAGE), base + 2 * (long)PAGE);
	/* qemu-riscv64 keeps the pages. */
	if (!on_qemu_user())
		EXPECT_EQ(signal_of_load((char *)base + 2 * PAGE), SIGSEGV);
	EXPECT_EQ(sys(SYS_brk, base + 3 * PAGE + 5), base + 3 * (long)PAGE + 5);
	EXPECT_EQ(((char *)base)[2 * PAGE], 0);
	EXPECT_EQ(((char *)base)[2 * PAGE - 1], 1);
	EXPECT_EQ(sys(SYS_brk, start), start);
}

TEST(brk_refuses)
{
	long start = sys(SYS_brk, 0);

	EXPECT_EQ(sys(SYS_brk, -1), start);
	EXPECT_EQ(sys(SYS_brk, KERNEL), start);
	EXPECT_EQ(sys(SYS_brk, NOWHERE), start);
	EXPECT_EQ(sys(SYS_brk, 1), start);
	EXPECT_EQ(sys(SYS_brk, PAGE), start);
	EXPECT_EQ(sys(SYS_brk, 0), start);
}

TEST(brk_stops_at_mappings)
{
	long start = sys(SYS_brk, 0);
	long base = (start + (long)PAGE - 1) & -(long)PAGE;
	long wall = base + 16 * (long)PAGE;

	EXPECT_EQ(map((void *)wall, PAGE, RW, ANON | MAP_FIXED, -1, 0), wall);
	*(char *)wall = 7;
	EXPECT_EQ(sys(SYS_brk, wall + PAGE), start);
	EXPECT_EQ(*(char *)wall, 7);
	EXPECT_EQ(sys(SYS_brk, base + 8 * PAGE), base + 8 * (long)PAGE);
}

/* --- madvise ------------------------------------------------------------------------------- */

TEST(madvise_dontneed)
{
	char *p = private_pages(4);

	memset(p, 1, 4 * PAGE);
	EXPECT_EQ(sys(SYS_madvise, p + PAGE, 2 * PAGE, MADV_DONTNEED), 0);
	EXPECT_EQ(p[PAGE - 1], 1);
	EXPECT_EQ(p[PAGE], 0);
	EXPECT_EQ(p[3 * PAGE - 1], 0);
	EXPECT_EQ(p[3 * PAGE], 1);
	/* qemu-riscv64 does it only for memory without a file. */
	if (on_qemu_user())
		return;
	p = (char *)map(NULL, PAGE, RW, MAP_PRIVATE, open_data("text"), 0);
	ASSERT(!failed((long)p));
	p[3] = '!';
	EXPECT_EQ(sys(SYS_madvise, p, PAGE, MADV_DONTNEED), 0);
	EXPECT_EQ(p[3], text_byte(3));
}

TEST(madvise_errors)
{
	long status;
	char *p = private_pages(3);

	EXPECT_EQ(sys(SYS_madvise, p + 1, PAGE, MADV_DONTNEED), -EINVAL);
	EXPECT_EQ(sys(SYS_madvise, p, 0, MADV_DONTNEED), 0);
	EXPECT_EQ(sys(SYS_madvise, p, PAGE, MADV_NORMAL), 0);
	/* Without swap, which would be read ahead, there is no file. */
	EXPECT((status = sys(SYS_madvise, p, PAGE, MADV_WILLNEED)) == 0 || status == -EBADF);
	EXPECT_EQ(sys(SYS_madvise, p, PAGE, MADV_SEQUENTIAL), 0);
	EXPECT_EQ(sys(SYS_madvise, p, -1, MADV_DONTNEED), -EINVAL);
	/* qemu-riscv64 takes much of it for done. */
	if (on_qemu_user())
		return;
	EXPECT_EQ(sys(SYS_madvise, p, PAGE, 12345), -EINVAL);
	EXPECT_EQ(sys(SYS_munmap, p + PAGE, PAGE), 0);
	p[2 * PAGE] = 1;
	EXPECT_EQ(sys(SYS_madvise, p, 3 * PAGE, MADV_DONTNEED), -ENOMEM);
	/* What is mapped was done all the same. */
	EXPECT_EQ(p[2 * PAGE], 0);
}

/* --- the stack ----------------------------------------------------------------------------- */

static __attribute__((noinline)) long use_stack(size_t depth)
{
	volatile char frame[1000];

	frame[0] = (char)depth;
	if (!depth)
		return 0;
	return use_stack(depth - 1) + frame[0] - (char)depth + 1;
}

static void overflow_stack(void *arg)
{
	EXPECT_EQ(use_stack((size_t)arg), 1);
}

TEST(stack_grows)
{
	EXPECT_EQ(use_stack(1000), 1000);
	EXPECT_EQ(use_stack(4000), 4000);
}

TEST(stack_ends)
{
	EXPECT_EQ(signal_of(overflow_stack, (void *)1000000000), SIGSEGV);
	EXPECT_EQ(use_stack(1000), 1000);
}

/* --- laziness ------------------------------------------------------------------------------ */

TEST(lazy_mapping)
{
	long before = used_memory();
	char *p = (char *)map(NULL, 1024 * MIB, RW, ANON | MAP_NORESERVE, -1, 0);

	ASSERT(!failed((long)p));
	p[512 * MIB] = 1;
	EXPECT(used_memory() - before < SLACK);
	EXPECT_EQ(p[600 * MIB], 0);
	EXPECT_EQ(p[1024 * MIB - 1], 0);
	EXPECT(used_memory() - before < SLACK);
	EXPECT_EQ(sys(SYS_munmap, p, 1024 * MIB), 0);
	EXPECT(used_memory() - before < SLACK);
}

TEST(memory_comes_back)
{
	long before = used_memory();
	char *p = private_pages(32 * MIB / PAGE);

	memset(p, 1, 32 * MIB);
	EXPECT(used_memory() - before >= (long)(32 * MIB) - SLACK);
	EXPECT_EQ(sys(SYS_madvise, p, 16 * MIB, MADV_DONTNEED), 0);
	EXPECT(used_memory() - before < (long)(16 * MIB) + SLACK);
	EXPECT_EQ(sys(SYS_munmap, p, 32 * MIB), 0);
	EXPECT(used_memory() - before < SLACK);
}

TEST(lazy_fork)
{
	long before = used_memory();
	char *p = private_pages(32 * MIB / PAGE);
	pid_t pid;
	long with;
	int status;

	memset(p, 1, 32 * MIB);
	with = used_memory();
	EXPECT(with - before >= (long)(32 * MIB) - SLACK);
	pid = fork();
	if (!pid) {
		EXPECT(used_memory() - with < SLACK);
		/* The first writes: only what is written is copied. */
		memset(p, 2, 16 * MIB);
		EXPECT(used_memory() - with >= (long)(16 * MIB) - SLACK);
		EXPECT(used_memory() - with < (long)(16 * MIB) + SLACK);
		EXPECT_EQ(p[16 * MIB], 1);
		end_child();
	}
	ASSERT_EQ(sys(SYS_wait4, pid, &status, 0, NULL), pid);
	EXPECT_EQ(status, 0);
	EXPECT(used_memory() - with < SLACK);
	EXPECT_EQ(p[0], 1);
	/* The pages have one owner again: nothing is copied. */
	memset(p, 3, 32 * MIB);
	EXPECT(used_memory() - with < SLACK);
}
