// SPDX-License-Identifier: MIT
/* Opening files. The archive's are a file system that is mounted for reading. */
#include "file.h"
#include "syscall.h"
#include <ahoy/compiler.h>

static const struct file_operations *operations_of(const struct node *node)
{
	switch (node->mode & S_IFMT) {
	case S_IFREG:
		return &regular_operations;
	case S_IFDIR:
		return &folder_operations;
	default:
		return node->ops;
	}
}

/* What O_PATH gives: nothing can be done with it. */
static const struct file_operations path_operations;

struct file *file_open(struct node *node, u32 flags, int *err)
{
	const struct file_operations *ops = operations_of(node);
	struct file *file;

	if (flags & O_PATH)
		ops = &path_operations;
	/* There is no driver for it, or nobody at the other end. */
	*err = -ENXIO;
	if (!ops)
		return NULL;
	*err = -ENOMEM;
	file = kzalloc(sizeof(*file));
	if (!file)
		return NULL;
	file->refs = 1;
	file->flags = flags;
	/* As Linux: 3 is for ioctl() alone. */
	file->access = flags & O_PATH ? 0 : (flags + 1) & O_ACCMODE;
	file->ops = ops;
	file->node = node;
	return file;
}

void file_put(struct file *file)
{
	if (__atomic_sub_fetch(&file->refs, 1, __ATOMIC_ACQ_REL))
		return;
	if (file->ops->release)
		file->ops->release(file);
	kfree(file);
}

struct memory_object *file_open_exec(const char *path, u64 *size, unsigned int *mode, int *err)
{
	struct node *start = *path == '/' ? &root_node : working_directory();
	struct node *node = path_lookup(start, path, true, err);
	struct memory_object *object;

	if (!node)
		return NULL;
	*err = -EACCES;
	if (!node_is(node, S_IFREG) || !(node->mode & 0111))
		return NULL;
	*err = -ENOMEM;
	object = node_object(node);
	if (!object)
		return NULL;
	memory_object_get(object);
	*size = node->size;
	*mode = node->mode;
	*err = 0;
	return object;
}

/* --- openat() ----------------------------------------------------------------------------- */

/* May @node be opened with @flags? */
static int check_flags(const struct node *node, u32 flags)
{
	bool writes = (flags & O_ACCMODE) != O_RDONLY || flags & O_TRUNC;

	if (flags & O_CREAT && flags & O_EXCL)
		return -EEXIST;
	if (flags & O_CREAT && node_is(node, S_IFDIR))
		return -EISDIR;
	/* Not followed: O_NOFOLLOW */
	if (node_is(node, S_IFLNK))
		return flags & O_PATH ? 0 : flags & O_DIRECTORY ? -ENOTDIR : -ELOOP;
	if (flags & O_DIRECTORY && !node_is(node, S_IFDIR))
		return -ENOTDIR;
	if (flags & O_PATH || !writes)
		return 0;
	if ((flags & O_TMPFILE) == O_TMPFILE)
		return -EROFS;
	if (node_is(node, S_IFDIR))
		return -EISDIR;
	return node_is(node, S_IFREG) ? -EROFS : 0;
}

/* What is missing cannot be made; only where its folder is, that is the reason. */
static int create_error(struct node *start, char *path)
{
	size_t end = 0;
	int err;

	for (size_t i = 0; path[i]; i++)
		if (path[i] == '/')
			end = i + 1;
	if (end && !path[end])
		return -EISDIR;
	path[end] = 0;
	return !end || path_lookup(start, path, true, &err) ? -EROFS : err;
}

static struct file *open_path(int dirfd, char *path, u32 flags, int *err)
{
	struct node *start = path_start(dirfd, path, err), *node;
	bool follow = !(flags & O_NOFOLLOW) && !(flags & O_CREAT && flags & O_EXCL);

	if (!start)
		return NULL;
	node = path_lookup(start, path, follow, err);
	if (!node) {
		if (*err == -ENOENT && flags & O_CREAT)
			*err = create_error(start, path);
		return NULL;
	}
	*err = check_flags(node, flags);
	return *err ? NULL
		    : file_open(node, flags & ~(u32)(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC), err);
}

SYSCALL4(056, openat, int, dirfd, const char __user *, user_path, u32, flags, u32, mode)
{
	struct file *file;
	char *path;
	int err;

	(void)mode;
	/* As Linux: of the others nothing is asked then. */
	if (flags & O_PATH)
		flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	else
		flags |= O_LARGEFILE;
	if ((flags & O_TMPFILE) == O_TMPFILE && (flags & O_ACCMODE) == O_RDONLY)
		return -EINVAL;
	path = path_from_user(user_path, false, &err);
	if (!path)
		return err;
	file = open_path(dirfd, path, flags, &err);
	kfree(path);
	if (!file)
		return err;
	file->flags &= ~(u32)O_CLOEXEC;
	return fd_install(file, 0, flags & O_CLOEXEC);
}
