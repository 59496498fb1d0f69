// SPDX-License-Identifier: MIT
/* Descriptors, and files of the initramfs. */
#include "ktap.h"
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define HERE AT_FDCWD

/* A path of @n characters that leads to data/text by many slashes. */
static char *long_path(size_t n)
{
	char *path = private_pages(4);

	memset(path, '/', n);
	memcpy(path, "data", 4);
	memcpy(path + n - 4, "text", 5);
	return path;
}

TEST(open_paths)
{
	static const char *const good[] = { "data/text",	 "./data/text",
					    "data//text",	 "data/./text",
					    "data/../data/text", "data/folder/../text" };

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		long fd = sys(SYS_openat, HERE, good[i], O_RDONLY);

		if (!EXPECT_EQ(fd, 3))
			say("# %s", good[i]);
		EXPECT_EQ(sys(SYS_close, fd), 0);
	}
	EXPECT_EQ(sys(SYS_openat, HERE, "data/missing", O_RDONLY), -ENOENT);
	EXPECT_EQ(sys(SYS_openat, HERE, "data/missing/text", O_RDONLY), -ENOENT);
	EXPECT_EQ(sys(SYS_openat, HERE, "", O_RDONLY), -ENOENT);
	EXPECT_EQ(sys(SYS_openat, HERE, "data/text/more", O_RDONLY), -ENOTDIR);
	EXPECT_EQ(sys(SYS_openat, HERE, "data/text/", O_RDONLY), -ENOTDIR);
	EXPECT_EQ(sys(SYS_openat, HERE, "data/text/..", O_RDONLY), -ENOTDIR);
	EXPECT_EQ(sys(SYS_openat, HERE, "data/text", O_RDONLY | O_DIRECTORY), -ENOTDIR);
	EXPECT_EQ(sys(SYS_openat, HERE, "data", O_WRONLY), -EISDIR);
	EXPECT_EQ(sys(SYS_openat, HERE, "data", O_RDWR), -EISDIR);
	EXPECT_EQ(sys(SYS_openat, HERE, "data/text", O_RDONLY | O_CREAT | O_EXCL, 0600), -EEXIST);
}

TEST(open_long_paths)
{
	char *path = long_path(PATH_MAX - 1);
	char name[300];

	EXPECT_EQ(sys(SYS_openat, HERE, path, O_RDONLY), 3);
	path = long_path(PATH_MAX);
	EXPECT_EQ(sys(SYS_openat, HERE, path, O_RDONLY), -ENAMETOOLONG);
	path = long_path(3 * PAGE);
	EXPECT_EQ(sys(SYS_openat, HERE, path, O_RDONLY), -ENAMETOOLONG);
	memcpy(name, "data/", 5);
	memset(name + 5, 'x', 255);
	name[5 + 255] = 0;
	EXPECT_EQ(sys(SYS_openat, HERE, name, O_RDONLY), -ENOENT);
	name[5 + 255] = 'x';
	name[5 + 256] = 0;
	EXPECT_EQ(sys(SYS_openat, HERE, name, O_RDONLY), -ENAMETOOLONG);
}

TEST(open_pointers)
{
	char *end = before_nothing(4);

	EXPECT_BAD(bad_to_read(), sys(SYS_openat, HERE, bad, O_RDONLY), -EFAULT);
	/* No NUL before the page ends */
	memcpy(end, "data", 4);
	EXPECT_EQ(sys(SYS_openat, HERE, end, O_RDONLY), -EFAULT);
	end = before_nothing(10);
	memcpy(end, "data/text", 10);
	EXPECT_EQ(sys(SYS_openat, HERE, end, O_RDONLY), 3);
}

TEST(open_folder)
{
	long folder = sys(SYS_openat, HERE, "data", O_RDONLY | O_DIRECTORY);
	long file = sys(SYS_openat, HERE, "data/text", O_RDONLY);
	char byte;

	EXPECT_EQ(folder, 3);
	EXPECT_EQ(file, 4);
	EXPECT_EQ(sys(SYS_read, folder, &byte, 1), -EISDIR);
	EXPECT_EQ(sys(SYS_openat, folder, "text", O_RDONLY), 5);
	EXPECT_EQ(sys(SYS_openat, file, "text", O_RDONLY), -ENOTDIR);
	EXPECT_EQ(sys(SYS_openat, 99, "text", O_RDONLY), -EBADF);
	EXPECT_EQ(sys(SYS_openat, -1, "text", O_RDONLY), -EBADF);
	/* Nothing is relative to it. */
	EXPECT_EQ(sys(SYS_openat, 99, "/dev/null", O_RDONLY), 6);
}

TEST(open_own_text)
{
	/* qemu-riscv64 does not run the file, it reads it. */
	if (on_qemu_user())
		SKIP("qemu-user may write to the program");
	long fd = sys(SYS_openat, HERE, self_path(), O_WRONLY);

	EXPECT(fd == -ETXTBSY || fd == -EROFS);
}

TEST(open_lowest_descriptor)
{
	EXPECT_EQ(sys(SYS_openat, HERE, "/dev/null", O_RDWR), 3);
	EXPECT_EQ(sys(SYS_openat, HERE, "/dev/null", O_RDWR), 4);
	EXPECT_EQ(sys(SYS_openat, HERE, "/dev/null", O_RDWR), 5);
	EXPECT_EQ(sys(SYS_close, 4), 0);
	EXPECT_EQ(sys(SYS_openat, HERE, "/dev/zero", O_RDWR), 4);
	EXPECT_EQ(sys(SYS_close, 0), 0);
	EXPECT_EQ(sys(SYS_openat, HERE, "/dev/zero", O_RDWR), 0);
}

TEST(close_errors)
{
	long fd = open_data("text");

	EXPECT_EQ(sys(SYS_close, fd), 0);
	EXPECT_EQ(sys(SYS_close, fd), -EBADF);
	EXPECT_EQ(sys(SYS_close, -1), -EBADF);
	EXPECT_EQ(sys(SYS_close, INT_MAX), -EBADF);
	EXPECT_EQ(sys(SYS_close, INT_MIN), -EBADF);
	EXPECT_EQ(sys(SYS_close, 1000000), -EBADF);
	/* A descriptor is 32 bits. */
	fd = open_data("text");
	EXPECT_EQ(sys(SYS_close, fd + (1L << 32)), 0);
}

TEST(read_contents)
{
	static char buf[TEXT_SIZE + 100];
	int fd = open_data("text");
	long n, total = 0;
	size_t wrong = 0;

	while ((n = sys(SYS_read, fd, buf + total, 777)) > 0)
		total += n;
	EXPECT_EQ(n, 0);
	EXPECT_EQ(total, TEXT_SIZE);
	for (size_t i = 0; i < TEXT_SIZE; i++)
		wrong += buf[i] != text_byte(i);
	EXPECT_EQ(wrong, 0);
	EXPECT_EQ(sys(SYS_read, fd, buf, 1), 0);
	EXPECT_EQ(sys(SYS_lseek, fd, 0, SEEK_SET), 0);
	EXPECT_EQ(sys(SYS_read, fd, buf, sizeof(buf)), TEXT_SIZE);
	fd = open_data("empty");
	EXPECT_EQ(sys(SYS_read, fd, buf, sizeof(buf)), 0);
}

TEST(read_errors)
{
	char *end = before_nothing(10);
	char buf[20];
	int fd = open_data("text");
	long n;

	EXPECT_EQ(sys(SYS_read, -1, buf, 1), -EBADF);
	EXPECT_EQ(sys(SYS_read, 1000, buf, 1), -EBADF);
	EXPECT_EQ(sys(SYS_read, fd, buf, 0), 0);
	EXPECT_EQ(sys(SYS_read, fd, NULL, 0), 0);
	EXPECT_BAD(bad_to_write(), sys(SYS_read, fd, bad, 16), -EFAULT);
	EXPECT_EQ(sys(SYS_read, fd, buf, -1), -EFAULT);
	EXPECT_EQ(sys(SYS_read, fd, buf, LONG_MIN), -EFAULT);
	EXPECT_EQ(sys(SYS_lseek, fd, 0, SEEK_CUR), 0);
	/* What fits is read, or nothing at all. */
	n = sys(SYS_read, fd, end, 20);
	EXPECT(n == -EFAULT || (n > 0 && n <= 10));
	EXPECT_EQ(sys(SYS_lseek, fd, 0, SEEK_CUR), n > 0 ? n : 0);
	EXPECT_EQ(sys(SYS_lseek, fd, 0, SEEK_SET), 0);
	EXPECT_EQ(sys(SYS_read, fd, end, 10), 10);
	EXPECT_EQ(end[9], text_byte(9));
	fd = (int)sys(SYS_openat, HERE, "/dev/null", O_WRONLY);
	EXPECT_EQ(sys(SYS_read, fd, buf, 1), -EBADF);
}

TEST(write_errors)
{
	int fd = open_data("text");

	EXPECT_EQ(sys(SYS_write, -1, "x", 1), -EBADF);
	EXPECT_EQ(sys(SYS_write, 1000, "x", 1), -EBADF);
	EXPECT_EQ(sys(SYS_write, fd, "x", 1), -EBADF);
	/* qemu-riscv64 looks at the pointer first. */
	if (!on_qemu_user())
		EXPECT_EQ(sys(SYS_write, fd, NULL, 1), -EBADF);
	EXPECT_EQ(sys(SYS_write, 1, "x", 0), 0);
	EXPECT_BAD(bad_to_read(), sys(SYS_write, 1, bad, 16), -EFAULT);
	EXPECT_EQ(sys(SYS_write, 1, "x", -1), -EFAULT);
	EXPECT_EQ(sys(SYS_write, 1, "x", LONG_MIN), -EFAULT);
}

TEST(read_partial_across_pages)
{
	/* Pages that are there, but not yet filled in */
	char *p = private_pages(4);
	int fd = open_data("text");

	EXPECT_EQ(sys(SYS_read, fd, p + 100, TEXT_SIZE), TEXT_SIZE);
	EXPECT_EQ(p[99], 0);
	EXPECT_EQ(p[100], text_byte(0));
	EXPECT_EQ(p[100 + TEXT_SIZE - 1], text_byte(TEXT_SIZE - 1));
	EXPECT_EQ(p[100 + TEXT_SIZE], 0);
}

TEST(pread_and_pwrite)
{
	char buf[10];
	int fd = open_data("text");
	long tty = sys(SYS_openat, HERE, "/dev/console", O_RDWR);

	if (sys(SYS_pread64, fd, buf, 0, 0) == -ENOSYS)
		SKIP("no pread");
	EXPECT_EQ(sys(SYS_pread64, fd, buf, 10, 5000), 10);
	EXPECT_EQ(buf[9], text_byte(5009));
	EXPECT_EQ(sys(SYS_lseek, fd, 0, SEEK_CUR), 0);
	EXPECT_EQ(sys(SYS_pread64, fd, buf, 10, TEXT_SIZE - 3), 3);
	EXPECT_EQ(sys(SYS_pread64, fd, buf, 10, TEXT_SIZE), 0);
	EXPECT_EQ(sys(SYS_pread64, fd, buf, 10, 1L << 50), 0);
	EXPECT_EQ(sys(SYS_pread64, fd, buf, 10, -1), -EINVAL);
	EXPECT_EQ(sys(SYS_pread64, fd, buf, 10, LONG_MIN), -EINVAL);
	EXPECT_EQ(sys(SYS_pread64, 99, buf, 10, 0), -EBADF);
	EXPECT_BAD(bad_to_write(), sys(SYS_pread64, fd, bad, 10, 0), -EFAULT);
	EXPECT_EQ(sys(SYS_pwrite64, fd, buf, 10, 0), -EBADF);
	EXPECT_EQ(sys(SYS_pwrite64, 99, buf, 10, 0), -EBADF);
	EXPECT_EQ(sys(SYS_pwrite64, fd, buf, 10, -1), -EINVAL);
	if (tty >= 0)
		EXPECT_EQ(sys(SYS_pread64, tty, buf, 1, 0), -ESPIPE);
}

TEST(readv_pieces)
{
	char one[3], two[5];
	struct iovec iov[] = { { one, 3 }, { NULL, 0 }, { two, 5 } };
	int fd = open_data("text");

	EXPECT_EQ(sys(SYS_readv, fd, iov, 3), 8);
	for (size_t i = 0; i < 8; i++)
		EXPECT_EQ(i < 3 ? one[i] : two[i - 3], text_byte(i));
	EXPECT_EQ(sys(SYS_readv, fd, iov, 0), 0);
	EXPECT_EQ(sys(SYS_lseek, fd, -4, SEEK_END), TEXT_SIZE - 4);
	EXPECT_EQ(sys(SYS_readv, fd, iov, 3), 4);
	EXPECT_EQ(sys(SYS_readv, fd, iov, 3), 0);
}

TEST(readv_errors)
{
	char buf[8];
	struct iovec iov[1025] = { { buf, 8 } };
	char *end = before_nothing(24);
	int fd = open_data("text");
	long n;

	EXPECT_EQ(sys(SYS_readv, -1, iov, 1), -EBADF);
	EXPECT_EQ(sys(SYS_readv, fd, iov, 1025), -EINVAL);
	EXPECT_EQ(sys(SYS_readv, fd, iov, -1), -EINVAL);
	EXPECT_EQ(sys(SYS_readv, fd, iov, 1024), 8);
	EXPECT_BAD(bad_to_read(), sys(SYS_readv, fd, bad, 1), -EFAULT);
	/* The second row is not all there. */
	memcpy(end, iov, 24);
	EXPECT_EQ(sys(SYS_readv, fd, end, 2), -EFAULT);
	iov[0].iov_len = (size_t)-1;
	EXPECT_EQ(sys(SYS_readv, fd, iov, 1), -EINVAL);
	iov[0].iov_len = 8;
	iov[1] = (struct iovec){ buf, (size_t)LONG_MIN };
	EXPECT_EQ(sys(SYS_readv, fd, iov, 2), -EINVAL);
	EXPECT_EQ(sys(SYS_lseek, fd, 0, SEEK_CUR), 8);
	for (const struct bad_pointer *row = bad_to_write(); row->name; row++) {
		iov[0] = (struct iovec){ row->address, 8 };
		EXPECT_EQ(sys(SYS_readv, fd, iov, 1), -EFAULT);
		/* The first row is read, or nothing. */
		iov[0] = (struct iovec){ buf, 8 };
		iov[1] = (struct iovec){ row->address, 8 };
		n = sys(SYS_readv, fd, iov, 2);
		EXPECT(n == 8 || n == -EFAULT);
	}
}

TEST(writev_pieces)
{
	struct iovec iov[] = { { (void *)"# a line", 8 },
			       { NULL, 0 },
			       { (void *)" of pieces\n", 11 } };
	int fd = (int)sys(SYS_openat, HERE, "/dev/null", O_WRONLY);

	EXPECT_EQ(sys(SYS_writev, 1, iov, 3), 19);
	EXPECT_EQ(sys(SYS_writev, fd, iov, 3), 19);
	EXPECT_EQ(sys(SYS_writev, fd, iov, 0), 0);
	EXPECT_EQ(sys(SYS_writev, fd, iov, 1025), -EINVAL);
	EXPECT_EQ(sys(SYS_writev, fd, iov, -1), -EINVAL);
	EXPECT_EQ(sys(SYS_writev, -1, iov, 1), -EBADF);
	EXPECT_EQ(sys(SYS_writev, open_data("text"), iov, 1), -EBADF);
	EXPECT_BAD(bad_to_read(), sys(SYS_writev, fd, bad, 1), -EFAULT);
	iov[2].iov_len = (size_t)-1;
	EXPECT_EQ(sys(SYS_writev, fd, iov, 3), -EINVAL);
}

TEST(lseek_positions)
{
	char byte;
	int fd = open_data("text");

	EXPECT_EQ(sys(SYS_lseek, fd, 100, SEEK_SET), 100);
	EXPECT_EQ(sys(SYS_lseek, fd, 5, SEEK_CUR), 105);
	EXPECT_EQ(sys(SYS_read, fd, &byte, 1), 1);
	EXPECT_EQ(byte, text_byte(105));
	EXPECT_EQ(sys(SYS_lseek, fd, -106, SEEK_CUR), 0);
	EXPECT_EQ(sys(SYS_lseek, fd, 0, SEEK_END), TEXT_SIZE);
	EXPECT_EQ(sys(SYS_lseek, fd, 1000, SEEK_END), TEXT_SIZE + 1000);
	EXPECT_EQ(sys(SYS_read, fd, &byte, 1), 0);
	EXPECT_EQ(sys(SYS_lseek, fd, 1L << 40, SEEK_SET), 1L << 40);
	EXPECT_EQ(sys(SYS_read, fd, &byte, 1), 0);
}

TEST(lseek_errors)
{
	int fd = open_data("text");

	EXPECT_EQ(sys(SYS_lseek, -1, 0, SEEK_SET), -EBADF);
	EXPECT_EQ(sys(SYS_lseek, fd, 7, SEEK_SET), 7);
	EXPECT_EQ(sys(SYS_lseek, fd, -1, SEEK_SET), -EINVAL);
	EXPECT_EQ(sys(SYS_lseek, fd, LONG_MIN, SEEK_SET), -EINVAL);
	EXPECT_EQ(sys(SYS_lseek, fd, -8, SEEK_CUR), -EINVAL);
	EXPECT_EQ(sys(SYS_lseek, fd, -TEXT_SIZE - 1, SEEK_END), -EINVAL);
	EXPECT_EQ(sys(SYS_lseek, fd, 0, 9), -EINVAL);
	EXPECT_EQ(sys(SYS_lseek, fd, 0, -1), -EINVAL);
	EXPECT_EQ(sys(SYS_lseek, fd, 0, SEEK_CUR), 7);
	EXPECT_EQ(sys(SYS_lseek, fd, LONG_MAX, SEEK_CUR), -EINVAL);
	EXPECT_EQ(sys(SYS_lseek, fd, LONG_MAX, SEEK_END), -EINVAL);
}

TEST(fstat_file)
{
	struct stat st;
	int fd = open_data("text");

	memset(&st, 0xff, sizeof(st));
	EXPECT_EQ(sys(SYS_fstat, fd, &st), 0);
	EXPECT_EQ(st.st_mode, S_IFREG | 0644);
	EXPECT_EQ(st.st_size, TEXT_SIZE);
	EXPECT(st.st_nlink >= 1 && st.st_blksize > 0 && st.st_ino);
	EXPECT_EQ(sys(SYS_fstat, open_data("empty"), &st), 0);
	EXPECT_EQ(st.st_size, 0);
	EXPECT_EQ(sys(SYS_fstat, open_data("folder"), &st), 0);
	EXPECT_EQ(st.st_mode & S_IFMT, S_IFDIR);
	EXPECT_EQ(sys(SYS_fstat, -1, &st), -EBADF);
	EXPECT_EQ(sys(SYS_fstat, 500, &st), -EBADF);
	EXPECT_BAD(bad_to_write(), sys(SYS_fstat, fd, bad), -EFAULT);
	EXPECT_EQ(sys(SYS_fstat, fd, before_nothing(64)), -EFAULT);
	EXPECT_EQ(sys(SYS_fstat, fd, before_nothing(sizeof(st))), 0);
}

TEST(fstat_different_files)
{
	struct stat a, b, c;

	EXPECT_EQ(sys(SYS_fstat, open_data("text"), &a), 0);
	EXPECT_EQ(sys(SYS_fstat, open_data("text"), &b), 0);
	EXPECT_EQ(sys(SYS_fstat, open_data("empty"), &c), 0);
	EXPECT_EQ(a.st_dev, b.st_dev);
	EXPECT_EQ(a.st_ino, b.st_ino);
	EXPECT(a.st_ino != c.st_ino || a.st_dev != c.st_dev);
}

TEST(newfstatat_paths)
{
	struct stat st;
	int fd = open_data("text");

	if (sys(SYS_newfstatat, HERE, "data/text", &st, 0) == -ENOSYS)
		SKIP("no newfstatat");
	EXPECT_EQ(sys(SYS_newfstatat, HERE, "data/text", &st, 0), 0);
	EXPECT_EQ(st.st_size, TEXT_SIZE);
	EXPECT_EQ(sys(SYS_newfstatat, fd, "", &st, AT_EMPTY_PATH), 0);
	EXPECT_EQ(st.st_size, TEXT_SIZE);
	EXPECT_EQ(sys(SYS_newfstatat, HERE, "data", &st, 0), 0);
	EXPECT_EQ(st.st_mode & S_IFMT, S_IFDIR);
	EXPECT_EQ(sys(SYS_newfstatat, HERE, "/dev/null", &st, 0), 0);
	EXPECT_EQ(st.st_mode & S_IFMT, S_IFCHR);
	EXPECT_EQ(sys(SYS_newfstatat, HERE, "data/link", &st, AT_SYMLINK_NOFOLLOW), 0);
	EXPECT_EQ(st.st_mode & S_IFMT, S_IFLNK);
	EXPECT_EQ(sys(SYS_newfstatat, HERE, "", &st, 0), -ENOENT);
	EXPECT_EQ(sys(SYS_newfstatat, HERE, "data/missing", &st, 0), -ENOENT);
	EXPECT_EQ(sys(SYS_newfstatat, HERE, "data/text", &st, 0x40000000), -EINVAL);
	EXPECT_BAD(bad_to_read(), sys(SYS_newfstatat, HERE, bad, &st, 0), -EFAULT);
	EXPECT_BAD(bad_to_write(), sys(SYS_newfstatat, HERE, "data", bad, 0), -EFAULT);
}

TEST(symbolic_links)
{
	char byte;
	long fd = sys(SYS_openat, HERE, "data/link", O_RDONLY);

	EXPECT_EQ(fd, 3);
	EXPECT_EQ(sys(SYS_read, fd, &byte, 1), 1);
	EXPECT_EQ(byte, text_byte(0));
	EXPECT_EQ(sys(SYS_openat, HERE, "data/link", O_RDONLY | O_NOFOLLOW), -ELOOP);
	EXPECT_EQ(sys(SYS_openat, HERE, "data/loop", O_RDONLY), -ELOOP);
	EXPECT_EQ(sys(SYS_openat, HERE, "data/loop/text", O_RDONLY), -ELOOP);
	EXPECT_EQ(sys(SYS_openat, HERE, "data/dangling", O_RDONLY), -ENOENT);
	EXPECT_EQ(sys(SYS_openat, HERE, "data/folderlink/text", O_RDONLY), 4);
}

TEST(dup_shares_position)
{
	int fd = open_data("text");
	long two = sys(SYS_dup, fd);

	EXPECT_EQ(two, fd + 1);
	EXPECT_EQ(sys(SYS_lseek, two, 50, SEEK_SET), 50);
	EXPECT_EQ(sys(SYS_lseek, fd, 0, SEEK_CUR), 50);
	EXPECT_EQ(sys(SYS_close, fd), 0);
	EXPECT_EQ(sys(SYS_lseek, two, 0, SEEK_CUR), 50);
	/* Opened twice: two positions */
	fd = open_data("text");
	EXPECT_EQ(sys(SYS_lseek, fd, 0, SEEK_CUR), 0);
	EXPECT_EQ(sys(SYS_dup, -1), -EBADF);
	EXPECT_EQ(sys(SYS_dup, 77), -EBADF);
}

TEST(dup3_places)
{
	int fd = open_data("text");

	EXPECT_EQ(sys(SYS_dup3, fd, 20, 0), 20);
	EXPECT_EQ(sys(SYS_fcntl, 20, F_GETFD), 0);
	EXPECT_EQ(sys(SYS_dup3, fd, 20, O_CLOEXEC), 20);
	EXPECT_EQ(sys(SYS_fcntl, 20, F_GETFD), FD_CLOEXEC);
	EXPECT_EQ(sys(SYS_fcntl, fd, F_GETFD), 0);
	EXPECT_EQ(sys(SYS_dup3, fd, fd, 0), -EINVAL);
	EXPECT_EQ(sys(SYS_dup3, fd, 21, O_APPEND), -EINVAL);
	EXPECT_EQ(sys(SYS_dup3, -1, 21, 0), -EBADF);
	EXPECT_EQ(sys(SYS_dup3, 99, 21, 0), -EBADF);
	EXPECT_EQ(sys(SYS_dup3, fd, -1, 0), -EBADF);
	EXPECT_EQ(sys(SYS_dup3, fd, INT_MAX, 0), -EBADF);
	EXPECT_EQ(sys(SYS_close, 21), -EBADF);
}

TEST(fcntl_descriptors)
{
	int fd = open_data("text");

	EXPECT_EQ(sys(SYS_fcntl, fd, F_GETFD), 0);
	EXPECT_EQ(sys(SYS_fcntl, fd, F_SETFD, FD_CLOEXEC), 0);
	EXPECT_EQ(sys(SYS_fcntl, fd, F_GETFD), FD_CLOEXEC);
	EXPECT_EQ(sys(SYS_fcntl, fd, F_DUPFD, 40), 40);
	EXPECT_EQ(sys(SYS_fcntl, 40, F_GETFD), 0);
	EXPECT_EQ(sys(SYS_fcntl, fd, F_DUPFD, 40), 41);
	EXPECT_EQ(sys(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 40), 42);
	EXPECT_EQ(sys(SYS_fcntl, 42, F_GETFD), FD_CLOEXEC);
	EXPECT_EQ(sys(SYS_fcntl, fd, F_DUPFD, -1), -EINVAL);
	EXPECT_EQ(sys(SYS_fcntl, fd, F_DUPFD, INT_MAX), -EINVAL);
	EXPECT_EQ(sys(SYS_fcntl, -1, F_GETFD), -EBADF);
	EXPECT_EQ(sys(SYS_fcntl, 99, F_DUPFD, 0), -EBADF);
	EXPECT_EQ(sys(SYS_fcntl, fd, 9999), -EINVAL);
	EXPECT_EQ(sys(SYS_close, fd), 0);
	EXPECT_EQ(sys(SYS_fcntl, 41, F_DUPFD, 0), fd);
}

TEST(fcntl_flags)
{
	/* O_LARGEFILE, which user headers have as 0 here */
	const long large = 0100000;
	long null = sys(SYS_openat, HERE, "/dev/null", O_WRONLY | O_CLOEXEC);
	int fd = open_data("text");

	EXPECT_EQ(sys(SYS_fcntl, fd, F_GETFL) & ~large, O_RDONLY);
	EXPECT_EQ(sys(SYS_fcntl, null, F_GETFL) & ~large, O_WRONLY);
	EXPECT_EQ(sys(SYS_fcntl, null, F_GETFD), FD_CLOEXEC);
	EXPECT_EQ(sys(SYS_fcntl, null, F_SETFL, O_NONBLOCK), 0);
	EXPECT_EQ(sys(SYS_fcntl, null, F_GETFL) & ~large, O_WRONLY | O_NONBLOCK);
	/* The access mode stays. */
	EXPECT_EQ(sys(SYS_fcntl, null, F_SETFL, O_RDWR | O_CREAT), 0);
	EXPECT_EQ(sys(SYS_fcntl, null, F_GETFL) & ~large, O_WRONLY);
	EXPECT_EQ(sys(SYS_fcntl, 99, F_GETFL), -EBADF);
}

TEST(fork_shares_files)
{
	int fd = open_data("text");
	pid_t pid = fork();
	int status;

	if (!pid) {
		EXPECT_EQ(sys(SYS_lseek, fd, 1234, SEEK_SET), 1234);
		EXPECT_EQ(sys(SYS_close, fd), 0);
		EXPECT_EQ(sys(SYS_openat, HERE, "/dev/null", O_RDONLY), fd);
		end_child();
	}
	ASSERT_EQ(sys(SYS_wait4, pid, &status, 0, NULL), pid);
	EXPECT_EQ(status, 0);
	EXPECT_EQ(sys(SYS_lseek, fd, 0, SEEK_CUR), 1234);
	EXPECT_EQ(sys(SYS_lseek, fd + 1, 0, SEEK_CUR), -EBADF);
}

TEST(ioctl_errors)
{
	int fd = open_data("text");
	long null = sys(SYS_openat, HERE, "/dev/null", O_RDWR);
	struct winsize size;

	EXPECT_EQ(sys(SYS_ioctl, fd, TIOCGWINSZ, &size), -ENOTTY);
	EXPECT_EQ(sys(SYS_ioctl, null, TIOCGWINSZ, &size), -ENOTTY);
	EXPECT_EQ(sys(SYS_ioctl, null, TCGETS, &size), -ENOTTY);
	EXPECT_EQ(sys(SYS_ioctl, -1, TIOCGWINSZ, &size), -EBADF);
	EXPECT_EQ(sys(SYS_ioctl, 99, TCGETS, 0), -EBADF);
}
