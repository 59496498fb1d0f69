// SPDX-License-Identifier: MIT
/* System calls that ask what a path leads to, or where paths begin. All is root's. */
#include "file.h"
#include "syscall.h"
#include <ahoy/compiler.h>
#include <ahoy/string.h>

struct node *node_at(int dirfd, const char __user *user, unsigned int flags, int *err)
{
	char *path = path_from_user(user, flags & AT_EMPTY_PATH, err);
	struct node *node;

	if (!path)
		return NULL;
	node = path_start(dirfd, path, err);
	if (node && *path)
		node = path_lookup(node, path, !(flags & AT_SYMLINK_NOFOLLOW), err);
	kfree(path);
	return node;
}

/* --- access ------------------------------------------------------------------------------ */

#define X_OK 1
#define W_OK 2
#define R_OK 4

/* Root may do all, but execute what nobody may, and write what is mounted for reading. */
static long access(int dirfd, const char __user *path, unsigned int mode, unsigned int flags)
{
	struct node *node;
	int err;

	if (mode & ~(R_OK | W_OK | X_OK) ||
	    flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	node = node_at(dirfd, path, flags, &err);
	if (!node)
		return err;
	if (mode & X_OK && node_is(node, S_IFREG) && !(node->mode & 0111))
		return -EACCES;
	if (mode & W_OK &&
	    (node_is(node, S_IFREG) || node_is(node, S_IFDIR) || node_is(node, S_IFLNK)))
		return -EROFS;
	return 0;
}

SYSCALL3(048, faccessat, int, dirfd, const char __user *, path, unsigned int, mode)
{
	return access(dirfd, path, mode, 0);
}

SYSCALL4(439, faccessat2, int, dirfd, const char __user *, path, unsigned int, mode, unsigned int,
	 flags)
{
	return access(dirfd, path, mode, flags);
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
	return copy_to_user(buf, node_contents(node), n) ? -EFAULT : (long)n;
}

/* --- the folder where paths begin ---------------------------------------------------------- */

static long set_folder(struct node *node)
{
	if (!node_is(node, S_IFDIR))
		return -ENOTDIR;
	WRITE_ONCE(current_process()->files->folder, node);
	return 0;
}

SYSCALL1(049, chdir, const char __user *, path)
{
	int err;
	struct node *node = node_at(AT_FDCWD, path, 0, &err);

	return node ? set_folder(node) : err;
}

SYSCALL1(050, fchdir, unsigned int, nr)
{
	struct fd fd = fd_get(nr);
	long result = fd.file ? set_folder(fd.file->node) : -EBADF;

	fd_put(fd);
	return result;
}

/* Write the path of @node to the end of @path, from PATH_MAX down. Return: where it begins. */
static char *write_path(const struct node *node, char *path)
{
	char *at = path + PATH_MAX;

	*--at = '\0';
	if (node == &root_node)
		*--at = '/';
	for (; node != &root_node; node = node->parent) {
		if (node->name_len + 1 > at - path)
			return NULL;
		at -= node->name_len;
		memcpy(at, node->name, node->name_len);
		*--at = '/';
	}
	return at;
}

SYSCALL2(017, getcwd, char __user *, buf, size_t, size)
{
	char *path = kmalloc(PATH_MAX), *at;
	long len;

	if (!path)
		return -ENOMEM;
	at = write_path(working_directory(), path);
	len = at ? path + PATH_MAX - at : -ENAMETOOLONG;
	if (at && (size_t)len > size)
		len = -ERANGE;
	else if (at && copy_to_user(buf, at, (size_t)len))
		len = -EFAULT;
	kfree(path);
	return len;
}

SYSCALL1(166, umask, u32, mask)
{
	return __atomic_exchange_n(&current_process()->files->umask, mask & 0777, __ATOMIC_RELAXED);
}

/* --- what changes folders: it is all mounted for reading -------------------------------------- */

/* What a call says that would put something at @path */
static long refuse_new(int dirfd, const char __user *path)
{
	int err;

	if (node_at(dirfd, path, AT_SYMLINK_NOFOLLOW, &err))
		return -EEXIST;
	return err == -ENOENT ? -EROFS : err;
}

/* And one that would change, or remove, what is there */
static long refuse_change(int dirfd, const char __user *path, unsigned int flags)
{
	int err;

	return node_at(dirfd, path, flags, &err) ? -EROFS : err;
}

SYSCALL3(034, mkdirat, int, dirfd, const char __user *, path, u32, mode)
{
	(void)mode;
	return refuse_new(dirfd, path);
}

#define AT_REMOVEDIR 0x200

SYSCALL3(035, unlinkat, int, dirfd, const char __user *, path, unsigned int, flags)
{
	return flags & ~AT_REMOVEDIR ? -EINVAL : refuse_change(dirfd, path, AT_SYMLINK_NOFOLLOW);
}

SYSCALL3(053, fchmodat, int, dirfd, const char __user *, path, u32, mode)
{
	(void)mode;
	return refuse_change(dirfd, path, 0);
}
