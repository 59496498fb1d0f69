// SPDX-License-Identifier: MIT
/* From a path to what it names. */
#include "file.h"
#include <ahoy/errno.h>
#include <ahoy/string.h>

/* As many symbolic links are followed on a way as Linux follows. */
#define LINKS_MAX 40

char *path_from_user(const char __user *path, bool empty, int *err)
{
	char *copy = kmalloc(PATH_MAX);
	long len;

	if (!copy) {
		*err = -ENOMEM;
		return NULL;
	}
	len = strncpy_from_user(copy, path, PATH_MAX);
	if (len >= 0 && len < PATH_MAX && (len || empty))
		return copy;
	kfree(copy);
	*err = len < 0 ? (int)len : len ? -ENAMETOOLONG : -ENOENT;
	return NULL;
}

struct node *path_start(int dirfd, const char *path, int *err)
{
	struct node *node;
	struct fd fd;

	if (*path == '/')
		return &root_node;
	if (dirfd == AT_FDCWD)
		return working_directory();
	fd = fd_get((unsigned int)dirfd);
	if (!fd.file) {
		*err = -EBADF;
		return NULL;
	}
	node = fd.file->node;
	fd_put(fd);
	/* Without a path, it may be anything. */
	if (*path && !node_is(node, S_IFDIR)) {
		*err = -ENOTDIR;
		return NULL;
	}
	return node;
}

/* Where a walk is. */
struct walk {
	struct node *node;
	const char *rest; /* of the path */
	char *buffer;	  /* that it is in, if it is not the caller's */
	unsigned int links;
	int err;
};

/* Go on with the target of @link in the place of its name. Return: 0 or an error. */
static int follow_link(struct walk *walk, const struct node *link)
{
	size_t len = link->size, rest = strlen(walk->rest);
	char *path;

	if (++walk->links > LINKS_MAX)
		return -ELOOP;
	if (!len)
		return -ENOENT;
	if (len + rest + 1 > PATH_MAX)
		return -ENAMETOOLONG;
	path = kmalloc(len + rest + 1);
	if (!path)
		return -ENOMEM;
	memcpy(path, node_target(link), len);
	memcpy(path + len, walk->rest, rest + 1);
	kfree(walk->buffer);
	walk->buffer = path;
	walk->rest = path;
	if (*path == '/')
		walk->node = &root_node;
	return 0;
}

/* Take one name of the path. Return: 0 or an error. */
static int walk_name(struct walk *walk, bool follow)
{
	const char *name = walk->rest;
	struct node *child;
	u32 len = 0;

	while (name[len] && name[len] != '/')
		len++;
	walk->rest = name + len;
	if (!node_is(walk->node, S_IFDIR))
		return -ENOTDIR;
	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	if (len == 1 && name[0] == '.')
		return 0;
	if (len == 2 && name[0] == '.' && name[1] == '.') {
		walk->node = walk->node->parent;
		return 0;
	}
	child = node_child(walk->node, name, len);
	if (!child)
		return -ENOENT;
	/* A slash behind it asks for what the link leads to. */
	if (node_is(child, S_IFLNK) && (follow || *walk->rest))
		return follow_link(walk, child);
	walk->node = child;
	return 0;
}

struct node *path_lookup(struct node *start, const char *path, bool follow, int *err)
{
	struct walk walk = { .node = start, .rest = path };

	*err = 0;
	while (!*err) {
		bool slash = *walk.rest == '/';

		while (*walk.rest == '/')
			walk.rest++;
		if (!*walk.rest) {
			if (slash && !node_is(walk.node, S_IFDIR))
				*err = -ENOTDIR;
			break;
		}
		*err = walk_name(&walk, follow);
	}
	kfree(walk.buffer);
	return *err ? NULL : walk.node;
}
