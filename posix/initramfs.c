// SPDX-License-Identifier: MIT
/*
 * The files of the archive: a tree of names, made at start, over contents that
 * stay where they are. Nothing in it changes any more.
 */
#include "file.h"
#include "message.h"
#include <ahoy/cpio.h>
#include <ahoy/errno.h>
#include <ahoy/section.h>
#include <ahoy/string.h>

struct node root_node = {
	.parent = &root_node,
	.name = "",
	.mode = S_IFDIR | 0755,
	.nlink = 2,
	.ino = 1,
};

static struct rb_tree names;
static const char *archive;

/* --- the tree of names ------------------------------------------------------------- */

/* By parent, then by length, then by text: what is cheap to compare comes first. */
static int compare(const struct node *parent, const char *name, u32 len, const struct node *node)
{
	if (parent != node->parent)
		return parent < node->parent ? -1 : 1;
	if (len != node->name_len)
		return len < node->name_len ? -1 : 1;
	return memcmp(name, node->name, len);
}

static struct node *node_of(struct rb_node *link)
{
	return link ? rb_entry(link, struct node, link) : NULL;
}

/* The child with this name; else NULL, and where it would be in *@parent and *@link. */
static struct node *find(struct node *folder, const char *name, u32 len, struct rb_node **parent,
			 struct rb_node ***link)
{
	*parent = NULL;
	*link = &names.root;
	while (**link) {
		struct node *node = node_of(**link);
		int order = compare(folder, name, len, node);

		if (!order)
			return node;
		*parent = **link;
		*link = order < 0 ? &(**link)->left : &(**link)->right;
	}
	return NULL;
}

struct node *node_child(struct node *parent, const char *name, u32 len)
{
	struct rb_node *above, **link;
	struct node *node = find(parent, name, len, &above, &link);
	const struct device *device;

	if (node)
		return node;
	if (parent == &root_node)
		return len == 3 && !memcmp(name, "dev", 3) ? &dev_node : NULL;
	/* Devices are there whether the archive has them or not. */
	if (parent != &dev_node && (parent->parent != &root_node || parent->name_len != 3 ||
				    memcmp(parent->name, "dev", 3)))
		return NULL;
	device = device_by_name(name, len);
	return device ? device->node : NULL;
}

struct node *node_next_child(struct node *parent, struct node *node)
{
	struct rb_node *above, **link;

	if (node) {
		node = node_of(rb_next(&node->link));
	} else {
		/* No name is empty: where it would be is before all others. */
		find(parent, "", 0, &above, &link);
		node = node_of(above);
		if (node && compare(parent, "", 0, node) > 0)
			node = node_of(rb_next(above));
	}
	return node && node->parent == parent ? node : NULL;
}

const char *node_contents(const struct node *node)
{
	return archive + node->offset;
}

struct memory_object *node_object(struct node *node)
{
	struct memory_object *object = __atomic_load_n(&node->object, __ATOMIC_ACQUIRE);
	struct memory_object *none = NULL;

	if (object)
		return object;
	object = initramfs_object(node->offset, node->size);
	if (!object)
		return NULL;
	if (__atomic_compare_exchange_n(&node->object, &none, object, false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE))
		return object;
	/* Another thread was faster. */
	memory_object_put(object);
	return none;
}

/* --- reading the archive --------------------------------------------------------------- */

static struct node *add_node(struct node *parent, const char *name, u32 len)
{
	struct rb_node *above, **link;
	struct node *node = find(parent, name, len, &above, &link);

	if (node)
		return node;
	node = kzalloc(sizeof(*node));
	if (!node)
		return NULL;
	node->parent = parent;
	node->name = name;
	node->name_len = len;
	rb_insert(&names, &node->link, above, link);
	return node;
}

/* What the archive says of a node that has got its place. */
static int fill_node(struct node *node, const struct cpio_entry *entry)
{
	const struct device *device;

	node->mode = entry->mode;
	node->nlink = entry->nlink;
	node->uid = entry->uid;
	node->gid = entry->gid;
	node->mtime = entry->mtime;
	/* 1 is the root's */
	node->ino = entry->ino + 2ULL;
	node->offset = (u64)((const char *)entry->data - archive);
	node->size = entry->size;
	node->rdev = MKDEV(entry->rdev_major, entry->rdev_minor);
	switch (entry->mode & S_IFMT) {
	case S_IFREG:
	case S_IFLNK:
	case S_IFDIR:
		break;
	case S_IFCHR:
		device = device_by_number(node->rdev);
		node->ops = device ? device->ops : NULL;
		break;
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK:
		break;
	default:
		return -EINVAL;
	}
	return 0;
}

/* Put the entry where its name leads. Return: NULL, or what is wrong with it. */
static const char *add_entry(const struct cpio_entry *entry)
{
	const char *name = entry->name;
	struct node *node = &root_node;

	while (*name) {
		u32 len;

		for (; *name == '/'; name++)
			;
		for (len = 0; name[len] && name[len] != '/'; len++)
			;
		if (!len || (len == 1 && name[0] == '.')) {
			name += len;
			continue;
		}
		if (len == 2 && name[0] == '.' && name[1] == '.')
			return "its name leads upwards";
		if (len > NAME_MAX)
			return "its name is too long";
		if (!node_is(node, S_IFDIR))
			return "its name leads through what is no folder";
		node = add_node(node, name, len);
		if (!node)
			return "no memory";
		name += len;
		/* Folders that no entry made. */
		if (*name && !node->mode) {
			node->mode = S_IFDIR | 0755;
			node->nlink = 2;
			node->ino = (u64)(unsigned long)node;
		}
	}
	if (node_is(node, S_IFDIR) && (entry->mode & S_IFMT) != S_IFDIR)
		return "there is a folder of that name";
	return fill_node(node, entry) ? "its type is unknown" : NULL;
}

/*
 * Names of one file: most writers give its contents with the last of them. There
 * are few.
 */
static void share_contents(void)
{
	struct rb_node *at, *other;

	for (at = rb_first(&names); at; at = rb_next(at)) {
		struct node *node = node_of(at);

		if (!node_is(node, S_IFREG) || node->nlink < 2 || node->size)
			continue;
		for (other = rb_first(&names); other; other = rb_next(other)) {
			const struct node *full = node_of(other);

			if (full->ino == node->ino && node_is(full, S_IFREG) && full->size) {
				node->offset = full->offset;
				node->size = full->size;
				break;
			}
		}
	}
}

int initramfs_init(const void *start, size_t size)
{
	bool links = false;
	struct cpio_entry entry;
	struct cpio cpio;
	int more;

	archive = start;
	if (!start)
		return 0;
	cpio_open(&cpio, start, size);
	while ((more = cpio_next(&cpio, &entry)) > 0) {
		const char *wrong = add_entry(&entry);

		if (wrong) {
			message("initramfs: \"%s\" at %zu: %s\n", entry.name, cpio.header, wrong);
			return -EINVAL;
		}
		links |= (entry.mode & S_IFMT) == S_IFREG && entry.nlink > 1;
	}
	if (more < 0) {
		message("initramfs: \"%s\" at %zu: %s\n", cpio.name, cpio.header, cpio.error);
		return more;
	}
	if (links)
		share_contents();
	return 0;
}
