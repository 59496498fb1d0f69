// SPDX-License-Identifier: MIT
/* Regular files and folders of the archive. */
#include "file.h"
#include "syscall.h"
#include <ahoy/errno.h>
#include <ahoy/string.h>

/* --- regular files ------------------------------------------------------------------ */

static long read_regular(struct file *file, void __user *buf, size_t n, u64 *pos)
{
	struct memory_object *object;
	u8 bytes[512];
	size_t done = 0;

	if (!n || *pos >= file->node->size)
		return 0;
	object = node_object(file->node);
	if (!object)
		return -ENOMEM;
	while (done < n) {
		long got = memory_object_read(object, *pos, bytes, min(n - done, sizeof(bytes)));

		if (got <= 0)
			return done ? (long)done : got;
		if (copy_to_user((char __user *)buf + done, bytes, (size_t)got))
			return done ? (long)done : -EFAULT;
		done += (size_t)got;
		*pos += (u64)got;
	}
	return (long)done;
}

static const struct file_operations regular_operations = {
	.read = read_regular,
	.seekable = true,
};

/* --- folders ------------------------------------------------------------------------- */

struct dirent {
	u64 ino;
	s64 next;
	u16 size;
	u8 type;
	char name[];
};

/* Behind the name is a NUL, and then the next one's place. */
#define DIRENT_SIZE(len) ALIGN(offsetof(struct dirent, name) + (len) + 1, 8)

/* The @index-th entry of @folder: itself, its parent, its children. Return: false behind the last. */
static bool nth_entry(struct node *folder, u64 index, struct node **node, const char **name,
		      u32 *len)
{
	struct node *child = NULL;

	*node = index ? folder->parent : folder;
	*name = "..";
	*len = index ? 2 : 1;
	if (index < 2)
		return true;
	do {
		child = node_next_child(folder, child);
	} while (child && --index >= 2);
	if (!child)
		return false;
	*node = child;
	*name = child->name;
	*len = child->name_len;
	return true;
}

/* Write as many entries as fit. Return: bytes, or an error. Position locked. */
static long list_folder(struct file *file, char __user *buf, size_t n)
{
	union {
		struct dirent entry;
		char bytes[DIRENT_SIZE(NAME_MAX)];
	} out;
	struct node *node;
	const char *name;
	size_t done = 0;
	u32 len;

	while (nth_entry(file->node, file->pos, &node, &name, &len)) {
		size_t size = DIRENT_SIZE(len);

		if (size > n - done)
			return done ? (long)done : -EINVAL;
		memset(&out, 0, size);
		out.entry.ino = node->ino;
		out.entry.next = (s64)file->pos + 1;
		out.entry.size = (u16)size;
		out.entry.type = (u8)(node->mode >> 12);
		memcpy(out.entry.name, name, len);
		if (copy_to_user(buf + done, &out, size))
			return done ? (long)done : -EFAULT;
		done += size;
		file->pos++;
	}
	return (long)done;
}

static const struct file_operations folder_operations = {
	.seekable = true,
};

SYSCALL3(061, getdents64, unsigned int, number, char __user *, buf, unsigned int, n)
{
	struct fd fd = fd_get(number);
	long result = -EBADF;

	if (fd.file && !(fd.file->flags & O_PATH)) {
		result = -ENOTDIR;
		if (node_is(fd.file->node, S_IFDIR)) {
			lock(&fd.file->pos_lock);
			result = list_folder(fd.file, buf, n);
			unlock(&fd.file->pos_lock);
		}
	}
	fd_put(fd);
	return result;
}

/* --- opening --------------------------------------------------------------------------- */

/* What it can do, by its type. Return: 0 or an error. */
static int operations_of(struct node *node, const struct file_operations **ops)
{
	switch (node->mode & S_IFMT) {
	case S_IFREG:
		*ops = &regular_operations;
		return 0;
	case S_IFDIR:
		*ops = &folder_operations;
		return 0;
	default:
		*ops = node->ops;
		return node->ops ? 0 : -ENXIO;
	}
}

/* May it be opened in this way? The archive's files do not change. */
static int may_open(const struct node *node, u32 flags)
{
	bool write = (flags & O_ACCMODE) != O_RDONLY || flags & O_TRUNC;

	if (flags & O_DIRECTORY && !node_is(node, S_IFDIR))
		return -ENOTDIR;
	if (node_is(node, S_IFLNK))
		return flags & O_PATH ? 0 : -ELOOP;
	if (flags & O_PATH)
		return 0;
	if (node_is(node, S_IFDIR) && (write || flags & O_CREAT))
		return -EISDIR;
	if (node_is(node, S_IFREG) && write)
		return -EROFS;
	return 0;
}

struct file *file_open(struct node *node, u32 flags, int *err)
{
	const struct file_operations *ops = NULL;
	struct file *file;

	*err = may_open(node, flags);
	if (!*err && !(flags & O_PATH))
		*err = operations_of(node, &ops);
	if (*err)
		return NULL;
	file = kmalloc(sizeof(*file));
	if (!file) {
		*err = -ENOMEM;
		return NULL;
	}
	*file = (struct file){
		.refs = 1,
		.flags = flags & ~(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC),
		.ops = ops,
		.node = node,
	};
	return file;
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
	object = node_object(node);
	*err = object ? 0 : -ENOMEM;
	if (!object)
		return NULL;
	memory_object_get(object);
	*size = node->size;
	*mode = node->mode;
	return object;
}
