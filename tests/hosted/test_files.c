// SPDX-License-Identifier: MIT
/* Descriptors, devices and files of the archive. */
#include "testing.h"
/* cmocka.h needs those of testing.h before it. */
#include <cmocka.h>

static unsigned long page; /* some user memory, two pages, and nothing behind them */

static void get_memory(void)
{
	page = user_alloc(3 * 4096);
	CHECK_EQ(sys(SYS_munmap, page + 2 * 4096, 4096), 0);
}

static long open_file(const char *path, unsigned int flags)
{
	return sys(SYS_openat, CWD, user_text(page, path), flags);
}

static void descriptors(void)
{
	get_memory();
	CHECK_EQ(open_file("/text", 0), 3);
	CHECK_EQ(sys(SYS_dup, 3), 4);
	CHECK_EQ(sys(SYS_lseek, 4, 100, 0), 100);
	CHECK_EQ(sys(SYS_lseek, 3, 0, 1), 100);
	CHECK_EQ(sys(SYS_close, 3), 0);
	CHECK_EQ(sys(SYS_close, 3), -EBADF);
	CHECK_EQ(sys(SYS_fcntl, 4, 0, 40), 40);
	CHECK_EQ(sys(SYS_fcntl, 4, 1030, 40), 41);
	CHECK_EQ(sys(SYS_fcntl, 41, 1), 1);
	CHECK_EQ(sys(SYS_dup, 4), 3);
	CHECK_EQ(sys(SYS_dup3, 4, 1000, 02000000), 1000);
	CHECK_EQ(sys(SYS_dup3, 4, 1024, 0), -EBADF);
	CHECK_EQ(sys(SYS_dup3, 4, 4, 0), -EINVAL);
	CHECK_EQ(sys(SYS_close_range, 3, ~0U, 0), 0);
	for (int fd = 3; fd < 1030; fd++)
		CHECK_EQ(sys(SYS_close, fd), -EBADF);
	CHECK_EQ(sys(SYS_fcntl, 0, 9999), -EINVAL);
}

static void limit(void)
{
	get_memory();
	for (long fd = 3; fd < 1024; fd++)
		CHECK_EQ(sys(SYS_dup, 0), fd);
	CHECK_EQ(sys(SYS_dup, 0), -EMFILE);
	CHECK_EQ(open_file("/text", 0), -EMFILE);
	CHECK_EQ(sys(SYS_close, 500), 0);
	CHECK_EQ(open_file("/text", 0), 500);
	CHECK_EQ(sys(SYS_close_range, 3, ~0U, 0), 0);
	CHECK_EQ(open_file("/text", 0), 3);
}

static void reading(void)
{
	char buf[4096];

	get_memory();
	CHECK_EQ(open_file("/link", 0), 3);
	CHECK_EQ(sys(SYS_read, 3, page, 4096), 4096);
	user_read(buf, page, 4096);
	for (int i = 0; i < 4096; i++)
		CHECK_EQ(buf[i], 'a' + i % 26);
	/* Up to where memory ends, and from there on */
	CHECK_EQ(sys(SYS_read, 3, page + 4096, 8192), 4096);
	CHECK_EQ(sys(SYS_lseek, 3, 0, 1), 8192);
	CHECK_EQ(sys(SYS_read, 3, page + 8192, 1), -EFAULT);
	CHECK_EQ(sys(SYS_read, 3, -1, 1), -EFAULT);
	CHECK_EQ(sys(SYS_read, 3, page, TEXT_SIZE), TEXT_SIZE - 8192);
	CHECK_EQ(sys(SYS_read, 3, page, 1), 0);
	CHECK_EQ(sys(SYS_pread64, 3, page, 10, 26), 10);
	user_read(buf, page, 1);
	CHECK_EQ(buf[0], 'a');
	CHECK_EQ(sys(SYS_pread64, 3, page, 10, -1), -EINVAL);
	CHECK_EQ(sys(SYS_pread64, 0, page, 10, 0), -ESPIPE);
	CHECK_EQ(sys(SYS_write, 3, page, 1), -EBADF);
}

static void vectors(void)
{
	unsigned long rows[] = { 0, 8, 0, 0, 0, 8192 };

	get_memory();
	rows[0] = page;
	rows[4] = page + 4096;
	CHECK_EQ(open_file("/text", 0), 3);
	user_write(page, rows, sizeof(rows));
	CHECK_EQ(sys(SYS_readv, 3, page, 3), 8 + 4096);
	user_write(page, rows, sizeof(rows));
	CHECK_EQ(sys(SYS_readv, 3, page, 1025), -EINVAL);
	CHECK_EQ(sys(SYS_readv, 3, page + 8184, 1), -EFAULT);
	rows[1] = -1UL;
	user_write(page, rows, sizeof(rows));
	CHECK_EQ(sys(SYS_readv, 3, page, 1), -EINVAL);
	/* So many are allocated. */
	for (int i = 0; i < 20; i++)
		user_write(page + 16 * i, (unsigned long[]){ page + 4096, 1 }, 16);
	CHECK_EQ(sys(SYS_readv, 3, page, 20), 20);
}

static void paths(void)
{
	static const struct {
		const char *path;
		unsigned int flags;
		int err;
	} rows[] = {
		{ "/missing", 0, ENOENT },	{ "", 0, ENOENT },
		{ "/text/", 0, ENOTDIR },	{ "/text/..", 0, ENOTDIR },
		{ "/link/", 0, ENOTDIR },	{ "/loop", 0, ELOOP },
		{ "/loop/x", 0, ELOOP },	{ "/link", 0400000, ELOOP },
		{ "/text", 1, EROFS },		{ "/text", 01000, EROFS },
		{ "/new", 0101, EROFS },	{ "/none/new", 0101, ENOENT },
		{ "/text/new", 0101, ENOTDIR }, { "/text", 0301, EEXIST },
		{ "/link", 0301, EEXIST },	{ "/folder", 1, EISDIR },
		{ "/folder", 0100, EISDIR },	{ "/new/", 0101, EISDIR },
		{ "/text", 0200000, ENOTDIR },	{ "/nobody", 2, ENXIO },
		{ "/dev/missing", 0, ENOENT },
	};
	static const char *const good[] = { "/",
					    ".",
					    "folder/./../text",
					    "//text",
					    "/../text",
					    "/folder/up/up/up/file",
					    "/made/by/path",
					    "/dev/",
					    "/dev/null",
					    "folder/up/",
					    "link" };
	char name[258];

	get_memory();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK_EQ(open_file(rows[i].path, rows[i].flags) + (long)i * 1000,
			 -rows[i].err + (long)i * 1000);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		CHECK_EQ(open_file(good[i], 0), 3 + (long)i);
	memset(name, 'x', 256);
	name[256] = 0;
	CHECK_EQ(open_file(name, 0), -ENAMETOOLONG);
	CHECK_EQ(sys(SYS_openat, CWD, page + 8192, 0), -EFAULT);
	CHECK_EQ(sys(SYS_openat, 99, user_text(page, "text"), 0), -EBADF);
	CHECK_EQ(sys(SYS_openat, 5, user_text(page, "text"), 0), -ENOTDIR);
	CHECK_EQ(sys(SYS_mkdirat, CWD, user_text(page, "/folder"), 0), -EEXIST);
	CHECK_EQ(sys(SYS_mkdirat, CWD, user_text(page, "/new"), 0), -EROFS);
}

static void many_links(void)
{
	char path[4096];
	size_t len = 0;

	get_memory();
	/* 40 links are followed, 41 are not. */
	for (int i = 0; i < 40; i++)
		len += (size_t)sprintf(path + len, "%s", i ? "/up" : "/folder/up");
	CHECK_EQ(open_file(path, 0), 3);
	sprintf(path + len, "/up");
	CHECK_EQ(open_file(path, 0), -ELOOP);
}

static void folders(void)
{
	char buf[512];

	get_memory();
	CHECK_EQ(sys(SYS_getcwd, page, 4096), 2);
	CHECK_EQ(sys(SYS_chdir, user_text(page, "folder/inner")), 0);
	CHECK_EQ(sys(SYS_getcwd, page, 13), -ERANGE);
	CHECK_EQ(sys(SYS_getcwd, page, 14), 14);
	user_read(buf, page, 14);
	CHECK(!strcmp(buf, "/folder/inner"));
	CHECK_EQ(sys(SYS_getcwd, page + 8190, 14), -EFAULT);
	CHECK_EQ(sys(SYS_chdir, user_text(page, "/text")), -ENOTDIR);
	CHECK_EQ(open_file("..", 0), 3);
	CHECK_EQ(sys(SYS_read, 3, page, 1), -EISDIR);
	CHECK_EQ(sys(SYS_getdents64, 3, page, 10), -EINVAL);
	/* ".", "..", "up", "file", "inner" */
	CHECK_EQ(sys(SYS_getdents64, 3, page, 4096), 5 * 24 + 8);
	CHECK_EQ(sys(SYS_getdents64, 3, page, 4096), 0);
	CHECK_EQ(open_file("/dev", 0), 4);
	CHECK_EQ(sys(SYS_getdents64, 4, page, 4096), 2 * 24 + 24 + 24 + 24 + 3 * 32);
	CHECK_EQ(sys(SYS_getdents64, 0, page, 4096), -ENOTDIR);
	CHECK_EQ(sys(SYS_readlinkat, CWD, user_text(page, "/link"), page, 6), 6);
	user_read(buf, page, 6);
	CHECK(!memcmp(buf, "folder", 6));
}

static void devices(void)
{
	unsigned char buf[16];

	get_memory();
	CHECK_EQ(sys(SYS_write, 1, user_text(page, "one line\n"), 9), 9);
	CHECK(!strcmp(hosted_printed(), "one line\n"));
	/* What is there is printed. */
	CHECK_EQ(sys(SYS_write, 1, user_text(page + 8190, "x"), 100), 2);
	CHECK_EQ(sys(SYS_write, 1, page + 8192, 100), -EFAULT);
	CHECK_EQ(open_file("/dev/null", 2), 3);
	CHECK_EQ(sys(SYS_write, 3, page + 100000, 100), 100);
	CHECK_EQ(sys(SYS_write, 3, -100, 100), -EFAULT);
	CHECK_EQ(sys(SYS_read, 3, page, 100), 0);
	CHECK_EQ(sys(SYS_lseek, 3, 5, 0), 0);
	CHECK_EQ(sys(SYS_ioctl, 3, 0x5413, page), -ENOTTY);
	CHECK_EQ(open_file("/dev/zero", 2), 4);
	CHECK_EQ(sys(SYS_read, 4, page + 4096, 100000), 4096);
	CHECK_EQ(open_file("/dev/full", 2), 5);
	CHECK_EQ(sys(SYS_write, 5, page, 100), -ENOSPC);
	CHECK_EQ(open_file("/dev/urandom", 0), 6);
	memset(buf, 0, sizeof(buf));
	user_write(page, buf, 16);
	CHECK_EQ(sys(SYS_read, 6, page, 16), 16);
	user_read(buf, page, 16);
	CHECK(memcmp(buf, (unsigned char[16]){ 0 }, 16));
	CHECK_EQ(sys(SYS_ioctl, 1, 0x5413, page), 0);
	CHECK_EQ(sys(SYS_lseek, 1, 0, 1), -ESPIPE);
	CHECK_EQ(sys(SYS_getrandom, page, 8192, 0), 8192);
	CHECK_EQ(sys(SYS_getrandom, page, 1, 6), -EINVAL);
}

static void console_input_comes(void)
{
	char buf[8];

	get_memory();
	hosted_type("typed");
	CHECK_EQ(sys(SYS_read, 0, page, 2), 2);
	CHECK_EQ(sys(SYS_read, 0, page + 2, 100), 3);
	user_read(buf, page, 5);
	CHECK(!memcmp(buf, "typed", 5));
	CHECK_EQ(sys(SYS_fcntl, 0, 4, 04000), 0);
	CHECK_EQ(sys(SYS_read, 0, page, 1), -EAGAIN);
	CHECK_EQ(sys(SYS_fcntl, 0, 4, 0), 0);
	hosted_type_end();
	CHECK_EQ(sys(SYS_read, 0, page, 1), 0);
}

/* Threads that have the table in common, and open and close the same descriptors */
static int churn(void *arg)
{
	unsigned long at = (unsigned long)arg;
	unsigned long path = user_text(at, "/text");

	for (int i = 0; i < 300; i++) {
		long fd = sys(SYS_openat, CWD, path, 0);

		CHECK(fd >= 3 || fd == -EMFILE);
		sys(SYS_read, fd, at + 64, 8);
		sys(SYS_dup3, 3 + i % 4, 3 + i % 7, 0);
		sys(SYS_close, 3 + i % 5);
		sys(SYS_lseek, 4, i, 0);
		sys(SYS_getcwd, at + 64, 64);
	}
	sys(SYS_exit, 0);
	return 0;
}

static int churn_all(void *arg)
{
	/* CLONE_VM, FS, FILES, SIGHAND, THREAD */
	for (int i = 1; i < 4; i++)
		CHECK(hosted_clone(0x10f00, churn, (void *)(page + 1024 * (unsigned long)i)) > 0);
	(void)arg;
	return churn((void *)page);
}

static void shared_table(void)
{
	get_memory();
	CHECK(hosted_clone(17, churn_all, NULL) > 0);
	CHECK(sys(SYS_wait4, -1, page, 0, 0) > 0);
}

static unsigned int readers_done;

/* Each byte of a file is read once. */
static int read_bytes(void *arg)
{
	for (int i = 0; i < TEXT_SIZE / 4; i++)
		CHECK_EQ(sys(SYS_read, 3, arg, 1), 1);
	__atomic_add_fetch(&readers_done, 1, __ATOMIC_RELEASE);
	sys(SYS_exit, 0);
	return 0;
}

static int read_together(void *arg)
{
	CHECK_EQ(open_file("/text", 0), 3);
	for (int i = 0; i < 4; i++)
		CHECK(hosted_clone(0x10f00, read_bytes, (void *)(page + (unsigned long)i)) > 0);
	while (__atomic_load_n(&readers_done, __ATOMIC_ACQUIRE) < 4)
		sys(SYS_sched_yield);
	CHECK_EQ(sys(SYS_lseek, 3, 0, 1), TEXT_SIZE);
	(void)arg;
	return 0;
}

static void shared_position(void)
{
	int status;

	get_memory();
	CHECK(hosted_clone(17, read_together, NULL) > 0);
	CHECK(sys(SYS_wait4, -1, page, 0, 0) > 0);
	user_read(&status, page, 4);
	CHECK_EQ(status, 0);
}

static void no_memory(void)
{
	get_memory();
	for (long n = 0; n < 4; n++) {
		long fd;

		user_text(page, "/text");
		hosted_fail_after(n);
		fd = sys(SYS_openat, CWD, page, 0);
		hosted_fail_after(-1);
		CHECK(fd == -ENOMEM || fd == 3);
		if (fd == 3)
			CHECK_EQ(sys(SYS_close, 3), 0);
	}
	for (int i = 3; i < 16; i++)
		CHECK_EQ(sys(SYS_dup, 0), i);
	hosted_fail_after(0);
	CHECK_EQ(sys(SYS_dup, 0), -ENOMEM);
	hosted_fail_after(-1);
	CHECK_EQ(sys(SYS_dup, 0), 16);
}

/* What is written in one piece is there as a whole, or not at all: also without a second page. */
static void pipe_without_memory(void)
{
	char buf[64];
	int fds[2];

	get_memory();
	CHECK_EQ(sys(SYS_pipe2, page, 0), 0);
	user_read(fds, page, sizeof(fds));
	memset(buf, 1, sizeof(buf));
	CHECK_EQ(sys(SYS_write, fds[1], page, 4090), 4090);
	user_write(page, buf, sizeof(buf));
	hosted_fail_after(0);
	CHECK_EQ(sys(SYS_write, fds[1], page, 64), -ENOMEM);
	hosted_fail_after(-1);
	CHECK_EQ(sys(SYS_write, fds[1], page, 64), 64);
	CHECK_EQ(sys(SYS_read, fds[0], page, 4090), 4090);
	CHECK_EQ(sys(SYS_read, fds[0], page, 4096), 64);
	user_read(buf, page, sizeof(buf));
	for (int i = 0; i < 64; i++)
		CHECK_EQ(buf[i], 1);
}

#define TEST(name)                                                                                 \
	static void test_##name(void **state)                                                      \
	{                                                                                          \
		(void)state;                                                                       \
		assert_true(run_hosted(name));                                                     \
	}
TEST(descriptors)
TEST(limit)
TEST(reading)
TEST(vectors)
TEST(paths)
TEST(many_links)
TEST(folders)
TEST(devices)
TEST(console_input_comes)
TEST(shared_table)
TEST(shared_position)
TEST(no_memory)
TEST(pipe_without_memory)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_reading),
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_many_links),
		cmocka_unit_test(test_folders),
		cmocka_unit_test(test_devices),
		cmocka_unit_test(test_console_input_comes),
		cmocka_unit_test(test_shared_table),
		cmocka_unit_test(test_shared_position),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_pipe_without_memory),
	};

	return cmocka_run_group_tests_name("files", tests, NULL, NULL);
}
