// SPDX-License-Identifier: MIT
/* From a path to what it leads to; the folder where paths begin. */
#include "file.h"
#include "syscall.h"
#include <ahoy/compiler.h>
#include <ahoy/string.h>

/* Symbolic links that one path leads through, at most, as in Linux. */
#define LINKS_MAX 40

/* --- lookup --------------------------------------------------------------------------- */

struct piece {
	const char *text, *end;
};

/* A walk: what is left of the path, and of each link that it led through. */
struct walk {
	struct node *node;
	unsigned int depth, links;
	struct piece pieces[LINKS_MAX + 1];
};

static const char *skip_slashes(struct piece *piece)
{
	while (piece->text < piece->end && *piece->text == '/')
		piece->text++;
	return piece->text;
}

/* Is what comes next the last name of all? A slash behind it is taken for "/.". */
static bool at_end(const struct walk *walk)
{
	for (unsigned int i = 0; i <= walk->depth; i++)
		if (walk->pieces[i].text < walk->pieces[i].end)
			return false;
	return true;
}

/* Go on with the target of @link, which stands in @folder, before what is left. */
static int follow_link(struct walk *walk, struct node *folder, const struct node *link)
{
	struct piece piece = { node_contents(link), node_contents(link) + link->size };

	if (++walk->links > LINKS_MAX)
		return -ELOOP;
	if (piece.text == piece.end)
		return -ENOENT;
	walk->node = *piece.text == '/' ? &root_node : folder;
	/* Only what has something left is kept, so that there is room for all. */
	if (walk->pieces[walk->depth].text < walk->pieces[walk->depth].end)
		walk->depth++;
	walk->pieces[walk->depth] = piece;
	return 0;
}

/* Take the next name of the path. Return: 0 or an error. */
static int step(struct walk *walk, const char *name, size_t len, bool follow)
{
	struct node *folder = walk->node;

	if (!node_is(folder, S_IFDIR))
		return -ENOTDIR;
	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	if (len == 1 && name[0] == '.')
		return 0;
	if (len == 2 && name[0] == '.' && name[1] == '.') {
		walk->node = folder->parent;
		return 0;
	}
	walk->node = node_child(folder, name, (u32)len);
	if (!walk->node)
		return -ENOENT;
	if (node_is(walk->node, S_IFLNK) && (follow || !at_end(walk)))
		return follow_link(walk, folder, walk->node);
	return 0;
}

struct node *path_lookup(struct node *start, const char *path, bool follow, int *err)
{
	struct walk walk;

	walk.node = *path == '/' ? &root_node : start;
	walk.depth = 0;
	walk.links = 0;
	walk.pieces[0] = (struct piece){ path, path + strlen(path) };
	*err = 0;
	for (;;) {
		struct piece *piece = &walk.pieces[walk.depth];
		const char *before = piece->text, *name = skip_slashes(piece);

		while (piece->text < piece->end && *piece->text != '/')
			piece->text++;
		if (name < piece->text) {
			*err = step(&walk, name, (size_t)(piece->text - name), follow);
			if (*err)
				return NULL;
			continue;
		}
		/* A slash at the end: of what must be a folder. */
		if (before < name && !node_is(walk.node, S_IFDIR)) {
			*err = -ENOTDIR;
			return NULL;
		}
		if (!walk.depth)
			return walk.node;
		walk.depth--;
	}
}

struct node *path_start(int dirfd, const char *path, int *err)
{
	struct node *node = NULL;
	struct fd fd;

	if (*path == '/')
		return &root_node;
	if (dirfd == AT_FDCWD)
		return working_directory();
	fd = fd_get((unsigned int)dirfd);
	*err = -EBADF;
	if (fd.file) {
		node = fd.file->node;
		/* An empty path is the file itself. */
		if (*path && !node_is(node, S_IFDIR)) {
			node = NULL;
			*err = -ENOTDIR;
		}
	}
	fd_put(fd);
	return node;
}

/* --- from user memory -------------------------------------------------------------------- */

/* Most paths are short; others are copied in two steps. */
#define SHORT 64

char *path_from_user(const char __user *user, bool empty, int *err)
{
	char first[SHORT], *path;
	long len = strncpy_from_user(first, user, SHORT), more = 0;

	*err = (int)len;
	if (len < 0)
		return NULL;
	*err = -ENOENT;
	if (!len && !empty)
		return NULL;
	*err = -ENOMEM;
	path = kmalloc(len < SHORT ? (size_t)len + 1 : PATH_MAX);
	if (!path)
		return NULL;
	memcpy(path, first, len < SHORT ? (size_t)len + 1 : SHORT);
	if (len < SHORT)
		return path;
	more = strncpy_from_user(path + SHORT, user + SHORT, PATH_MAX - SHORT);
	if (more >= 0 && more < PATH_MAX - SHORT)
		return path;
	kfree(path);
	*err = more < 0 ? (int)more : -ENAMETOOLONG;
	return NULL;
}
