// SPDX-License-Identifier: MIT
/* The devices that every system has. */
#include "ktap.h"
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

static long open_device(const char *path, int flags)
{
	long fd = sys(SYS_openat, AT_FDCWD, path, flags);

	if (fd == -ENOENT && on_qemu_user())
		SKIP("this machine's folder has no such device");
	ASSERT_EQ(fd, 3);
	return fd;
}

static void check_numbers(long fd, unsigned int major_wanted, unsigned int minor_wanted)
{
	struct stat st;

	EXPECT_EQ(sys(SYS_fstat, fd, &st), 0);
	EXPECT(S_ISCHR(st.st_mode));
	EXPECT_EQ(major(st.st_rdev), major_wanted);
	EXPECT_EQ(minor(st.st_rdev), minor_wanted);
	EXPECT_EQ(st.st_size, 0);
}

/* Where nothing is read or written, only addresses of the kernel are refused. */
static void check_kernel_pointers(long nr, long fd)
{
	EXPECT_EQ(sys(nr, fd, 0xffffffff80000000UL, 16), -EFAULT);
	EXPECT_EQ(sys(nr, fd, -8, 16), -EFAULT);
	EXPECT_EQ(sys(nr, fd, 0x4000000000000000UL, 16), -EFAULT);
}

TEST(null)
{
	char buf[100] = "x";
	long fd = open_device("/dev/null", O_RDWR);

	check_numbers(fd, 1, 3);
	EXPECT_EQ(sys(SYS_read, fd, buf, 100), 0);
	EXPECT_EQ(buf[0], 'x');
	EXPECT_EQ(sys(SYS_write, fd, buf, 100), 100);
	EXPECT_EQ(sys(SYS_write, fd, buf, 0), 0);
	EXPECT_EQ(sys(SYS_lseek, fd, 0, SEEK_SET), 0);
	EXPECT_EQ(sys(SYS_lseek, fd, 10, SEEK_SET), 0);
	EXPECT_EQ(sys(SYS_lseek, fd, 0, SEEK_END), 0);
	check_kernel_pointers(SYS_write, fd);
	check_kernel_pointers(SYS_read, fd);
	/* It does not look at what it throws away; qemu-riscv64 does. */
	if (!on_qemu_user()) {
		EXPECT_EQ(sys(SYS_write, fd, NULL, 5), 5);
		EXPECT_EQ(sys(SYS_read, fd, NULL, 5), 0);
	}
}

TEST(zero)
{
	char buf[PAGE + 100];
	size_t wrong = 0;
	long fd = open_device("/dev/zero", O_RDWR);

	check_numbers(fd, 1, 5);
	memset(buf, 0xff, sizeof(buf));
	EXPECT_EQ(sys(SYS_read, fd, buf, sizeof(buf) - 1), sizeof(buf) - 1);
	for (size_t i = 0; i < sizeof(buf) - 1; i++)
		wrong += buf[i] != 0;
	EXPECT_EQ(wrong, 0);
	EXPECT_EQ(buf[sizeof(buf) - 1], (char)0xff);
	EXPECT_EQ(sys(SYS_read, fd, buf, 0), 0);
	EXPECT_EQ(sys(SYS_write, fd, buf, 100), 100);
	EXPECT_EQ(sys(SYS_lseek, fd, 10, SEEK_SET), 0);
	EXPECT_BAD(bad_to_write(), sys(SYS_read, fd, bad, 16), -EFAULT);
	check_kernel_pointers(SYS_write, fd);
}

TEST(zero_much)
{
	long fd = open_device("/dev/zero", O_RDONLY);
	char *p = private_pages(300);
	size_t wrong = 0;
	long n;

	memset(p, 1, 300 * PAGE);
	EXPECT_EQ(sys(SYS_read, fd, p + 5, 299 * PAGE), 299 * PAGE);
	for (size_t i = 0; i < 300 * PAGE; i++)
		wrong += p[i] != (i < 5 || i >= 299 * PAGE + 5);
	EXPECT_EQ(wrong, 0);
	/* What fits, or nothing */
	n = sys(SYS_read, fd, before_nothing(100), 0x70000000);
	EXPECT(n == -EFAULT || (n > 0 && n <= 100));
	n = sys(SYS_read, fd, before_nothing(PAGE), 2 * PAGE);
	EXPECT(n == -EFAULT || (n > 0 && n <= (long)PAGE));
}

TEST(zero_readv)
{
	char one[10], two[10];
	struct iovec iov[] = { { one, 10 }, { two, 10 } };
	long fd = open_device("/dev/zero", O_RDONLY);

	memset(one, 1, 10);
	memset(two, 1, 10);
	EXPECT_EQ(sys(SYS_readv, fd, iov, 2), 20);
	EXPECT_EQ(one[9] | two[9], 0);
}

TEST(full)
{
	char buf[10] = "x";
	long fd = open_device("/dev/full", O_RDWR);

	check_numbers(fd, 1, 7);
	EXPECT_EQ(sys(SYS_read, fd, buf, 10), 10);
	EXPECT_EQ(buf[0], 0);
	EXPECT_EQ(sys(SYS_write, fd, buf, 10), -ENOSPC);
	EXPECT_EQ(sys(SYS_lseek, fd, 10, SEEK_SET), 0);
	EXPECT_BAD(bad_to_write(), sys(SYS_read, fd, bad, 16), -EFAULT);
	check_kernel_pointers(SYS_write, fd);
}

TEST(urandom)
{
	unsigned char a[1000], b[1000];
	unsigned int seen[256] = { 0 }, kinds = 0;
	long fd = open_device("/dev/urandom", O_RDONLY);

	check_numbers(fd, 1, 9);
	memset(a, 0, sizeof(a));
	memset(b, 0, sizeof(b));
	EXPECT_EQ(sys(SYS_read, fd, a, sizeof(a)), sizeof(a));
	EXPECT_EQ(sys(SYS_read, fd, b, sizeof(b)), sizeof(b));
	EXPECT(memcmp(a, b, sizeof(a)) != 0);
	for (size_t i = 0; i < sizeof(a); i++)
		seen[a[i]]++;
	for (size_t i = 0; i < 256; i++)
		kinds += seen[i] > 0;
	/* Of 256, about 251 are expected among 1,000. */
	EXPECT(kinds > 220);
	EXPECT_EQ(sys(SYS_read, fd, a, 0), 0);
	EXPECT_BAD(bad_to_write(), sys(SYS_read, fd, bad, 16), -EFAULT);
}

TEST(console)
{
	static const char line[] = "# a line to /dev/console\n";
	struct winsize size;
	char byte;
	long fd = open_device("/dev/console", O_RDWR | O_NOCTTY);

	if (on_qemu_user())
		SKIP("the machine's own console is not to be written to");
	check_numbers(fd, 5, 1);
	EXPECT_EQ(sys(SYS_write, fd, line, sizeof(line) - 1), sizeof(line) - 1);
	EXPECT_EQ(sys(SYS_write, fd, line, 0), 0);
	EXPECT_EQ(sys(SYS_lseek, fd, 0, SEEK_CUR), -ESPIPE);
	EXPECT_EQ(sys(SYS_read, fd, &byte, 0), 0);
	EXPECT_EQ(sys(SYS_ioctl, fd, TIOCGWINSZ, &size), 0);
	EXPECT_EQ(sys(SYS_ioctl, fd, 0x1234), -ENOTTY);
	EXPECT_BAD(bad_to_write(), sys(SYS_ioctl, fd, TIOCGWINSZ, bad), -EFAULT);
	EXPECT_BAD(bad_to_read(), sys(SYS_write, fd, bad, 16), -EFAULT);
}

TEST(access_modes)
{
	char byte;
	long fd = open_device("/dev/zero", O_RDONLY);

	EXPECT_EQ(sys(SYS_write, fd, &byte, 1), -EBADF);
	EXPECT_EQ(sys(SYS_close, fd), 0);
	fd = open_device("/dev/zero", O_WRONLY);
	EXPECT_EQ(sys(SYS_read, fd, &byte, 1), -EBADF);
	EXPECT_EQ(sys(SYS_openat, AT_FDCWD, "/dev/null/x", O_RDONLY), -ENOTDIR);
	EXPECT_EQ(sys(SYS_openat, AT_FDCWD, "/dev/nothing-like-it", O_RDONLY), -ENOENT);
}

TEST(map_zero)
{
	long fd = open_device("/dev/zero", O_RDWR);
	char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, (int)fd, 0);

	ASSERT(p != MAP_FAILED);
	EXPECT_EQ(p[100], 0);
	p[100] = 1;
	EXPECT_EQ(p[100], 1);
}

TEST(map_null)
{
	long fd = open_device("/dev/null", O_RDWR);

	EXPECT_EQ(sys(SYS_mmap, NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0), -ENODEV);
}
