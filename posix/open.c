// SPDX-License-Identifier: MIT
/* System calls with paths. */
#include "file.h"
#include "process.h"
#include "syscall.h"
#include <ahoy/errno.h>
#include <ahoy/string.h>

/* The node that a system call's path leads to; NULL and the error in *@err. @flags: AT_. */
static struct node *node_at(int dirfd, const char __user *path, unsigned int flags, int *err)
{
	char *copy = path_from_user(path, flags & AT_EMPTY_PATH, err);
	struct node *node;

	if (!copy)
		return NULL;
	node = path_start(dirfd, copy, err);
	if (node && *copy)
		node = path_lookup(node, copy, !(flags & AT_SYMLINK_NOFOLLOW), err);
	kfree(copy);
	return node;
}

SYSCALL4(056, openat, int, dirfd, const char __user *, path, u32, flags, u32, mode)
{
	struct node *node;
	struct file *file;
	int err, fd;

	/* What is behind a symbolic link is not made, either, if it must be new. */
	node = node_at(dirfd, path,
		       flags & O_NOFOLLOW || (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL)
			       ? AT_SYMLINK_NOFOLLOW
			       : 0,
		       &err);
	if (!node)
		return err == -ENOENT && flags & O_CREAT ? -EROFS : err;
	if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
		return -EEXIST;
	file = file_open(node, flags, &err);
	if (!file)
		return err;
	fd = fd_install(file, 0, flags & O_CLOEXEC);
	if (fd < 0)
		file_put(file);
	return fd;
}

/* All is root's, who may do all but execute what nobody may. */
static long may_access(int dirfd, const char __user *path, unsigned int mode, unsigned int flags)
{
	struct node *node;
	int err;

	if (mode & ~7U || flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	node = node_at(dirfd, path, flags, &err);
	if (!node)
		return err;
	if (mode & 1 && node_is(node, S_IFREG) && !(node->mode & 0111))
		return -EACCES;
	if (mode & 2 && (node_is(node, S_IFREG) || node_is(node, S_IFDIR)))
		return -EROFS;
	return 0;
}

SYSCALL3(048, faccessat, int, dirfd, const char __user *, path, unsigned int, mode)
{
	return may_access(dirfd, path, mode, 0);
}

SYSCALL4(439, faccessat2, int, dirfd, const char __user *, path, unsigned int, mode, unsigned int,
	 flags)
{
	return may_access(dirfd, path, mode, flags);
}

SYSCALL1(049, chdir, const char __user *, path)
{
	int err;
	struct node *node = node_at(AT_FDCWD, path, 0, &err);

	if (!node)
		return err;
	if (!node_is(node, S_IFDIR))
		return -ENOTDIR;
	set_working_directory(node);
	return 0;
}

SYSCALL1(050, fchdir, unsigned int, number)
{
	struct fd fd = fd_get(number);
	long result = -EBADF;

	if (fd.file) {
		result = node_is(fd.file->node, S_IFDIR) ? 0 : -ENOTDIR;
		if (!result)
			set_working_directory(fd.file->node);
	}
	fd_put(fd);
	return result;
}

SYSCALL2(017, getcwd, char __user *, buf, size_t, size)
{
	struct node *node = working_directory();
	char *path = kmalloc(PATH_MAX), *at;
	long result;

	if (!path)
		return -ENOMEM;
	/* From its end to its beginning */
	at = path + PATH_MAX;
	*--at = '\0';
	if (node == &root_node)
		*--at = '/';
	for (; node != &root_node; node = node->parent) {
		if (node->name_len + 1 > at - path) {
			kfree(path);
			return -ENAMETOOLONG;
		}
		at -= node->name_len;
		memcpy(at, node->name, node->name_len);
		*--at = '/';
	}
	result = path + PATH_MAX - at;
	if (size < (size_t)result)
		result = -ERANGE;
	else if (copy_to_user(buf, at, (size_t)result))
		result = -EFAULT;
	kfree(path);
	return result;
}

SYSCALL4(078, readlinkat, int, dirfd, const char __user *, path, char __user *, buf, int, size)
{
	struct node *node;
	size_t n;
	int err;

	if (size <= 0)
		return -EINVAL;
	node = node_at(dirfd, path, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, &err);
	if (!node)
		return err;
	if (!node_is(node, S_IFLNK))
		return -EINVAL;
	n = min_t(size_t, (size_t)size, node->size);
	return copy_to_user(buf, node_target(node), n) ? -EFAULT : (long)n;
}

SYSCALL1(166, umask, u32, mask)
{
	return set_umask(mask);
}

/* --- what is known of a file ------------------------------------------------------------ */

/* struct stat of the generic ABI */
struct stat_data {
	u64 dev, ino;
	u32 mode, nlink, uid, gid;
	u64 rdev, pad1;
	s64 size;
	s32 blksize, pad2;
	s64 blocks;
	s64 atime, atime_nsec, mtime, mtime_nsec, ctime, ctime_nsec;
	u32 unused[2];
};

/* The number of the file system that all are on. */
#define DEV_ROOT 1

static long stat_node(const struct node *node, void __user *buf)
{
	struct stat_data stat = {
		.dev = DEV_ROOT,
		.ino = node->ino,
		.mode = node->mode,
		.nlink = node->nlink,
		.uid = node->uid,
		.gid = node->gid,
		.rdev = node->rdev,
		.size = (s64)node->size,
		.blksize = USER_PAGE_SIZE,
		.blocks = (s64)(ALIGN(node->size, USER_PAGE_SIZE) / 512),
		.atime = node->mtime,
		.mtime = node->mtime,
		.ctime = node->mtime,
	};

	return copy_to_user(buf, &stat, sizeof(stat)) ? -EFAULT : 0;
}

SYSCALL2(080, fstat, unsigned int, number, void __user *, buf)
{
	struct fd fd = fd_get(number);
	long result = fd.file ? stat_node(fd.file->node, buf) : -EBADF;

	fd_put(fd);
	return result;
}

SYSCALL4(079, newfstatat, int, dirfd, const char __user *, path, void __user *, buf, unsigned int,
	 flags)
{
	struct node *node;
	int err;

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH))
		return -EINVAL;
	node = node_at(dirfd, path, flags, &err);
	return node ? stat_node(node, buf) : err;
}
