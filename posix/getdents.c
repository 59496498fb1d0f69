// SPDX-License-Identifier: MIT
/* getdents64(): what is in a folder. */
#include "file.h"
#include "syscall.h"
#include <ahoy/compiler.h>
#include <ahoy/string.h>

struct dirent {
	u64 ino;
	s64 next;
	u16 size;
	u8 type;
	char name[];
};

/* Behind the name is a NUL, and then the next one's place. */
#define DIRENT_SIZE(len) ALIGN(offsetof(struct dirent, name) + (len) + 1, 8)

/* The @index-th thing in @folder that no entry of the archive made, or NULL. */
static struct node *nth_extra(struct node *folder, u64 index)
{
	const struct device *device = NULL;
	struct node *node = NULL;

	/* A folder's child that is not in the tree of names is one of these. */
	if (folder == &root_node && !index)
		return node_child(folder, "dev", 3) == &dev_node ? &dev_node : NULL;
	do {
		device = device_next(device);
		if (!device)
			return NULL;
		node = node_child(folder, device->name, device->node->name_len);
	} while (node != device->node || index--);
	return node;
}

/* Entry @index of @folder: itself, its parent, its children. Return: false behind the last. */
static bool nth_entry(struct node *folder, u64 index, struct node **node, const char **name,
		      u32 *len)
{
	struct node *child = NULL;

	*node = index ? folder->parent : folder;
	*name = "..";
	*len = index ? 2 : 1;
	if (index < 2)
		return true;
	index -= 2;
	while ((child = node_next_child(folder, child)) && index)
		index--;
	if (!child)
		child = nth_extra(folder, index);
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
		memcpy(out.bytes + offsetof(struct dirent, name), name, len);
		if (copy_to_user(buf + done, &out, size))
			return done ? (long)done : -EFAULT;
		done += size;
		file->pos++;
	}
	return (long)done;
}

SYSCALL3(061, getdents64, unsigned int, nr, char __user *, buf, unsigned int, n)
{
	struct fd fd = fd_get(nr);
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
