// SPDX-License-Identifier: MIT
/* What is known of a file. */
#include "file.h"
#include "syscall.h"
#include <ahoy/compiler.h>

/* The number of the file system that all are on */
#define DEV_ROOT 1

#define BLOCK 512

/* struct stat of the generic ABI */
struct stat {
	u64 dev, ino;
	u32 mode, nlink, uid, gid;
	u64 rdev, pad1;
	s64 size;
	s32 blksize, pad2;
	s64 blocks;
	s64 atime, atime_nsec, mtime, mtime_nsec, ctime, ctime_nsec;
	u32 unused[2];
};

static s64 blocks(const struct node *node)
{
	return (s64)ALIGN(node->size, BLOCK) / BLOCK;
}

static long stat_node(const struct node *node, void __user *buf)
{
	struct stat stat = {
		.dev = DEV_ROOT,
		.ino = node->ino,
		.mode = node->mode,
		.nlink = node->nlink,
		.uid = node->uid,
		.gid = node->gid,
		.rdev = node->rdev,
		.size = (s64)node->size,
		.blksize = USER_PAGE_SIZE,
		.blocks = blocks(node),
		.atime = node->mtime,
		.mtime = node->mtime,
		.ctime = node->mtime,
	};

	return copy_to_user(buf, &stat, sizeof(stat));
}

SYSCALL2(080, fstat, unsigned int, nr, void __user *, buf)
{
	struct fd fd = fd_get(nr);
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

/* --- statx() ---------------------------------------------------------------------------- */

#define AT_STATX_SYNC_TYPE 0x6000
#define STATX_BASIC_STATS  0x7ff
#define STATX_RESERVED	   0x80000000

struct statx_time {
	s64 sec;
	u32 nsec;
	s32 reserved;
};

struct statx {
	u32 mask, blksize;
	u64 attributes;
	u32 nlink, uid, gid;
	u16 mode, spare0;
	u64 ino, size, blocks, attributes_mask;
	struct statx_time atime, btime, ctime, mtime;
	u32 rdev_major, rdev_minor, dev_major, dev_minor;
	u64 spare[14];
};
BUILD_BUG_ON(sizeof(struct statx) != 256);

SYSCALL5(291, statx, int, dirfd, const char __user *, path, unsigned int, flags, u32, mask,
	 void __user *, buf)
{
	struct statx stat = { .mask = STATX_BASIC_STATS, .blksize = USER_PAGE_SIZE };
	struct node *node;
	int err;

	if (mask & STATX_RESERVED || (flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE ||
	    flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE))
		return -EINVAL;
	node = node_at(dirfd, path, flags, &err);
	if (!node)
		return err;
	stat.nlink = node->nlink;
	stat.uid = node->uid;
	stat.gid = node->gid;
	stat.mode = (u16)node->mode;
	stat.ino = node->ino;
	stat.size = node->size;
	stat.blocks = (u64)blocks(node);
	stat.atime.sec = stat.ctime.sec = stat.mtime.sec = node->mtime;
	stat.rdev_major = node->rdev >> 8;
	stat.rdev_minor = node->rdev & 0xff;
	stat.dev_minor = DEV_ROOT;
	return copy_to_user(buf, &stat, sizeof(stat));
}
