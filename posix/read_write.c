// SPDX-License-Identifier: MIT
/* Reading and writing of open files, by one buffer or several. */
#include "file.h"
#include "syscall.h"
#include <ahoy/compiler.h>
#include <ahoy/errno.h>

#define IOV_MAX 1024
/* So many are kept on the stack. */
#define IOV_FEW 8

struct iovec {
	char __user *base;
	size_t len;
};

typedef long transfer(struct file *file, struct iovec *iov, u64 *pos);

static long read_one(struct file *file, struct iovec *iov, u64 *pos)
{
	return file->ops->read(file, iov->base, iov->len, pos);
}

static long write_one(struct file *file, struct iovec *iov, u64 *pos)
{
	return file->ops->write(file, iov->base, iov->len, pos);
}

/* Is @n bytes at @p a range that user memory could have? Whether it has is found out by the copy. */
static bool plausible(const void __user *p, size_t n)
{
	return n <= user_end && (unsigned long)p <= user_end - n;
}

/* May @file be read, or written? Return: 0 or an error. */
static int check(const struct file *file, bool write)
{
	if (!(write ? file_writable(file) : file_readable(file)))
		return -EBADF;
	if (node_is(file->node, S_IFDIR))
		return -EISDIR;
	if (!file->ops || !(write ? (void *)file->ops->write : (void *)file->ops->read))
		return -EINVAL;
	return 0;
}

/* At the file's position, which is one thread's at a time. */
static long at_position(struct file *file, struct iovec *iov, transfer *one)
{
	long n;

	if (!file->ops->seekable)
		return one(file, iov, &file->pos);
	lock(&file->pos_lock);
	n = one(file, iov, &file->pos);
	unlock(&file->pos_lock);
	return n;
}

static __always_inline long single(unsigned int number, char __user *buf, size_t n, bool write)
{
	struct fd fd = fd_get(number);
	struct iovec iov = { .base = buf, .len = min(n, MAX_RW_COUNT) };
	long result;

	if (!fd.file)
		return -EBADF;
	result = check(fd.file, write);
	if (likely(!result)) {
		if (unlikely(!plausible(buf, n)))
			result = -EFAULT;
		else
			result = at_position(fd.file, &iov, write ? write_one : read_one);
	}
	fd_put(fd);
	return result;
}

SYSCALL3(063, read, unsigned int, fd, char __user *, buf, size_t, n)
{
	return single(fd, buf, n, false);
}

SYSCALL3(064, write, unsigned int, fd, char __user *, buf, size_t, n)
{
	return single(fd, buf, n, true);
}

static long single_at(unsigned int number, char __user *buf, size_t n, s64 offset, bool write)
{
	struct fd fd = fd_get(number);
	struct iovec iov = { .base = buf, .len = min(n, MAX_RW_COUNT) };
	u64 pos = (u64)offset;
	long result = -EBADF;

	if (offset < 0)
		result = -EINVAL;
	else if (fd.file && fd.file->ops && !fd.file->ops->seekable)
		result = -ESPIPE;
	else if (fd.file)
		result = check(fd.file, write);
	if (!result)
		result = plausible(buf, n) ? (write ? write_one : read_one)(fd.file, &iov, &pos)
					   : -EFAULT;
	fd_put(fd);
	return result;
}

SYSCALL4(067, pread64, unsigned int, fd, char __user *, buf, size_t, n, s64, offset)
{
	return single_at(fd, buf, n, offset, false);
}

SYSCALL4(068, pwrite64, unsigned int, fd, char __user *, buf, size_t, n, s64, offset)
{
	return single_at(fd, buf, n, offset, true);
}

/* --- several buffers ---------------------------------------------------------------- */

/*
 * Copy the list of @n buffers and limit what it asks for. Return: it, @few or to
 * be freed; NULL and the error in *@err.
 */
static struct iovec *get_iovec(const struct iovec __user *from, unsigned long n, struct iovec *few,
			       int *err)
{
	struct iovec *iov = few;
	size_t total = 0;
	unsigned long i;

	*err = -EINVAL;
	if (n > IOV_MAX)
		return NULL;
	if (n > IOV_FEW) {
		iov = kmalloc(n * sizeof(*iov));
		*err = -ENOMEM;
		if (!iov)
			return NULL;
	}
	*err = copy_from_user(iov, from, n * sizeof(*iov)) ? -EFAULT : 0;
	for (i = 0; !*err && i < n; i++) {
		if ((long)iov[i].len < 0)
			*err = -EINVAL;
		else if (!plausible(iov[i].base, iov[i].len))
			*err = -EFAULT;
		iov[i].len = min(iov[i].len, MAX_RW_COUNT - total);
		total += iov[i].len;
	}
	if (!*err)
		return iov;
	if (iov != few)
		kfree(iov);
	return NULL;
}

/* One after the other, until one is not whole. */
static long each(struct file *file, const struct iovec *iov, unsigned long n, u64 *pos,
		 transfer *one)
{
	long done = 0;
	unsigned long i;

	for (i = 0; i < n; i++) {
		struct iovec piece = iov[i];
		long result;

		if (!piece.len)
			continue;
		result = one(file, &piece, pos);
		if (result < 0)
			return done ? done : result;
		done += result;
		if ((size_t)result < piece.len)
			break;
	}
	return done;
}

/* @offset: where, or NULL: at the file's position. */
static long several(unsigned int number, const struct iovec __user *list, unsigned long n,
		    const s64 *offset, bool write)
{
	struct iovec few[IOV_FEW], *iov = NULL;
	struct fd fd = fd_get(number);
	bool own = !offset;
	long result = 0;
	int err = 0;
	u64 pos;

	if (offset && *offset < 0)
		err = -EINVAL;
	else if (!fd.file)
		err = -EBADF;
	else if (offset && fd.file->ops && !fd.file->ops->seekable)
		err = -ESPIPE;
	else
		err = check(fd.file, write);
	if (!err)
		iov = get_iovec(list, n, few, &err);
	if (!err) {
		own = own && fd.file->ops->seekable;
		if (own)
			lock(&fd.file->pos_lock);
		pos = offset ? (u64)*offset : fd.file->pos;
		result = each(fd.file, iov, n, &pos, write ? write_one : read_one);
		if (own) {
			fd.file->pos = pos;
			unlock(&fd.file->pos_lock);
		}
	}
	if (iov && iov != few)
		kfree(iov);
	fd_put(fd);
	return err ? err : result;
}

SYSCALL3(065, readv, unsigned int, fd, const struct iovec __user *, iov, unsigned long, n)
{
	return several(fd, iov, n, NULL, false);
}

SYSCALL3(066, writev, unsigned int, fd, const struct iovec __user *, iov, unsigned long, n)
{
	return several(fd, iov, n, NULL, true);
}

/* The upper half of the position is for machines with shorter registers. */
SYSCALL4(069, preadv, unsigned int, fd, const struct iovec __user *, iov, unsigned long, n, s64,
	 offset)
{
	return several(fd, iov, n, &offset, false);
}

SYSCALL4(070, pwritev, unsigned int, fd, const struct iovec __user *, iov, unsigned long, n, s64,
	 offset)
{
	return several(fd, iov, n, &offset, true);
}

/* --- positions ------------------------------------------------------------------------ */

#define SEEK_SET  0
#define SEEK_CUR  1
#define SEEK_END  2
#define SEEK_DATA 3
#define SEEK_HOLE 4

/* Where @offset is by @whence, in a file of @size bytes. Return: it, or an error. */
static s64 seek_to(const struct file *file, s64 offset, unsigned int whence)
{
	s64 size = (s64)file->node->size, pos;

	switch (whence) {
	case SEEK_SET:
		pos = offset;
		break;
	case SEEK_CUR:
	case SEEK_END:
		if (__builtin_add_overflow(offset, whence == SEEK_CUR ? (s64)file->pos : size,
					   &pos))
			return -EOVERFLOW;
		break;
	case SEEK_DATA:
	case SEEK_HOLE:
		/* All is data, up to the end. */
		if (offset < 0 || offset >= size)
			return -ENXIO;
		pos = whence == SEEK_DATA ? offset : size;
		break;
	default:
		return -EINVAL;
	}
	return pos < 0 ? -EINVAL : pos;
}

SYSCALL3(062, lseek, unsigned int, number, s64, offset, unsigned int, whence)
{
	struct fd fd = fd_get(number);
	s64 pos = -EBADF;

	if (fd.file && !(fd.file->flags & O_PATH)) {
		pos = -ESPIPE;
		if (whence > SEEK_HOLE) {
			pos = -EINVAL;
		} else if (node_is(fd.file->node, S_IFCHR) && fd.file->ops->seekable) {
			/* A device has no place to be at. */
			pos = 0;
		} else if (fd.file->ops && fd.file->ops->seekable) {
			lock(&fd.file->pos_lock);
			pos = seek_to(fd.file, offset, whence);
			if (pos >= 0)
				fd.file->pos = (u64)pos;
			unlock(&fd.file->pos_lock);
		}
	}
	fd_put(fd);
	return pos;
}

SYSCALL3(029, ioctl, unsigned int, number, unsigned int, request, unsigned long, arg)
{
	struct fd fd = fd_get(number);
	long result;

	if (!fd.file || fd.file->flags & O_PATH)
		result = -EBADF;
	else
		result = fd.file->ops && fd.file->ops->ioctl
				 ? fd.file->ops->ioctl(fd.file, request, arg)
				 : -ENOTTY;
	fd_put(fd);
	return result;
}
