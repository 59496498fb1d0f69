// SPDX-License-Identifier: MIT
/* Reading and writing, whatever the file is; and positions. */
#include "file.h"
#include "syscall.h"
#include <ahoy/compiler.h>

/* So many rows of readv() and writev() are kept without allocating. */
#define FEW	   8
#define UIO_MAXIOV 1024

struct iovec {
	void __user *base;
	size_t len;
};

/* --- one buffer ------------------------------------------------------------------------- */

/*
 * @pos: where; NULL: at the file's position, which moves. Nobody else moves it
 * meanwhile: files that have one are locked, unless the current thread alone has them.
 */
static __always_inline bool lock_position(struct fd fd, const u64 *pos)
{
	struct file *file = fd.file;

	if (pos || file->ops->position != FILE_POSITION ||
	    (!fd.counted && __atomic_load_n(&file->refs, __ATOMIC_ACQUIRE) == 1))
		return false;
	lock(&file->pos_lock);
	return true;
}

/* Read, or write, after all that does not depend on the kind of file. */
static __always_inline long transfer(struct fd fd, void __user *buf, size_t n, u64 *pos, bool write)
{
	struct file *file = fd.file;
	u64 *at = pos ? pos : &file->pos;
	bool locked;
	long result;

	if (unlikely(!user_range(buf, n)))
		return -EFAULT;
	if (unlikely(!(write ? (void *)file->ops->write : (void *)file->ops->read)))
		return -EINVAL;
	if (unlikely(!n))
		return 0;
	n = min(n, MAX_RW_COUNT);
	locked = lock_position(fd, pos);
	result = write ? file->ops->write(file, buf, n, at) : file->ops->read(file, buf, n, at);
	if (unlikely(locked))
		unlock(&file->pos_lock);
	return result;
}

/* read() and write() of all kinds of files */
static noinline long transfer_any(struct fd fd, void __user *buf, size_t n, bool write)
{
	long result = -EBADF;

	if (fd.file && (write ? file_writable(fd.file) : file_readable(fd.file)))
		result = transfer(fd, buf, n, NULL, write);
	fd_put(fd);
	return result;
}

/* The short way: to a file without a position, by descriptors that nobody else has. */
static __always_inline long transfer_simple(unsigned int nr, void __user *buf, size_t n, bool write)
{
	struct fd fd = fd_get(nr);
	const struct file_operations *ops;

	if (unlikely(fd.counted || !fd.file || n - 1 >= MAX_RW_COUNT || !user_range(buf, n)))
		return transfer_any(fd, buf, n, write);
	ops = fd.file->ops;
	if (ops->position == FILE_POSITION ||
	    unlikely(!(write ? file_writable(fd.file) && ops->write
			     : file_readable(fd.file) && ops->read)))
		return transfer_any(fd, buf, n, write);
	return write ? ops->write(fd.file, buf, n, &fd.file->pos)
		     : ops->read(fd.file, buf, n, &fd.file->pos);
}

SYSCALL3(063, read, unsigned int, nr, void __user *, buf, size_t, n)
{
	return transfer_simple(nr, buf, n, false);
}

SYSCALL3(064, write, unsigned int, nr, void __user *, buf, size_t, n)
{
	return transfer_simple(nr, buf, n, true);
}

/* What is wrong with an access to @file at @pos; 0: nothing */
static long check(const struct file *file, bool write, const u64 *pos)
{
	if (!file)
		return -EBADF;
	if (pos && file->ops->position == FILE_STREAM && file->access)
		return -ESPIPE;
	return (write ? file_writable(file) : file_readable(file)) ? 0 : -EBADF;
}

static long transfer_at(unsigned int nr, void __user *buf, size_t n, s64 pos, bool write)
{
	struct fd fd;
	u64 at = (u64)pos;
	long result;

	if (pos < 0)
		return -EINVAL;
	fd = fd_get(nr);
	result = check(fd.file, write, &at);
	if (!result)
		result = transfer(fd, buf, n, &at, write);
	fd_put(fd);
	return result;
}

SYSCALL4(067, pread64, unsigned int, nr, void __user *, buf, size_t, n, s64, pos)
{
	return transfer_at(nr, buf, n, pos, false);
}

SYSCALL4(068, pwrite64, unsigned int, nr, void __user *, buf, size_t, n, s64, pos)
{
	return transfer_at(nr, buf, n, pos, true);
}

/* --- several ------------------------------------------------------------------------------ */

/*
 * Copy the @count rows at @user, to @few if they fit, and check them. Together
 * they have at most MAX_RW_COUNT bytes then. Return: 0 and *@rows, which are
 * to be freed if they are not @few; or an error.
 */
static int get_rows(const struct iovec __user *user, size_t count, struct iovec *few,
		    struct iovec **rows)
{
	size_t room = MAX_RW_COUNT;
	int err = 0;

	*rows = few;
	if (count > UIO_MAXIOV)
		return -EINVAL;
	if (count > FEW)
		*rows = kmalloc(count * sizeof(**rows));
	if (!*rows)
		return -ENOMEM;
	if (copy_from_user(*rows, user, count * sizeof(**rows)))
		err = -EFAULT;
	for (size_t i = 0; i < count && !err; i++)
		if ((long)(*rows)[i].len < 0)
			err = -EINVAL;
	for (size_t i = 0; i < count && !err; i++) {
		struct iovec *row = &(*rows)[i];

		row->len = min(row->len, room);
		room -= row->len;
		if (!user_range(row->base, row->len))
			err = -EFAULT;
	}
	if (err && *rows != few)
		kfree(*rows);
	return err;
}

/* Row after row, as long as each is done completely. */
static long transfer_rows(struct file *file, const struct iovec *rows, size_t count, u64 *pos,
			  bool write)
{
	long total = 0;

	for (size_t i = 0; i < count; i++) {
		long n;

		if (!rows[i].len)
			continue;
		n = write ? file->ops->write(file, rows[i].base, rows[i].len, pos)
			  : file->ops->read(file, rows[i].base, rows[i].len, pos);
		if (n < 0)
			return total ? total : n;
		total += n;
		/* What has come is not to wait for what may come. */
		if ((size_t)n < rows[i].len || (!write && file->ops->position == FILE_STREAM))
			break;
	}
	return total;
}

/* @pos: as of preadv(); NULL: the file's own */
static long transfer_vector(unsigned int nr, const struct iovec __user *user, size_t count,
			    u64 *pos, bool write)
{
	struct iovec few[FEW], *rows;
	struct fd fd = fd_get(nr);
	long result = check(fd.file, write, pos);

	if (!result)
		result = get_rows(user, count, few, &rows);
	if (!result && !(write ? (void *)fd.file->ops->write : (void *)fd.file->ops->read)) {
		result = -EINVAL;
		if (rows != few)
			kfree(rows);
	}
	if (!result) {
		bool locked = lock_position(fd, pos);

		result = transfer_rows(fd.file, rows, count, pos ? pos : &fd.file->pos, write);
		if (locked)
			unlock(&fd.file->pos_lock);
		if (rows != few)
			kfree(rows);
	}
	fd_put(fd);
	return result;
}

SYSCALL3(065, readv, unsigned int, nr, const struct iovec __user *, rows, size_t, count)
{
	return transfer_vector(nr, rows, count, NULL, false);
}

SYSCALL3(066, writev, unsigned int, nr, const struct iovec __user *, rows, size_t, count)
{
	return transfer_vector(nr, rows, count, NULL, true);
}

static long transfer_vector_at(unsigned int nr, const struct iovec __user *rows, size_t count,
			       s64 pos, bool write)
{
	u64 at = (u64)pos;

	return pos < 0 ? -EINVAL : transfer_vector(nr, rows, count, &at, write);
}

SYSCALL4(069, preadv, unsigned int, nr, const struct iovec __user *, rows, size_t, count, s64, pos)
{
	return transfer_vector_at(nr, rows, count, pos, false);
}

SYSCALL4(070, pwritev, unsigned int, nr, const struct iovec __user *, rows, size_t, count, s64, pos)
{
	return transfer_vector_at(nr, rows, count, pos, true);
}

/* --- positions ------------------------------------------------------------------------------ */

enum {
	SEEK_SET,
	SEEK_CUR,
	SEEK_END,
	SEEK_DATA,
	SEEK_HOLE
};

/* Where @offset from @whence is. Return: -EINVAL if that is nowhere, -ENXIO: not in the file. */
static s64 seek_target(const struct file *file, s64 offset, unsigned int whence)
{
	s64 size = file->node->size, base = 0;

	switch (whence) {
	case SEEK_CUR:
		base = (s64)file->pos;
		break;
	case SEEK_END:
		base = size;
		break;
	case SEEK_DATA:
	case SEEK_HOLE:
		if (offset < 0 || offset >= size)
			return -ENXIO;
		/* All of it is data; behind it is the hole. */
		return whence == SEEK_DATA ? offset : size;
	}
	if (__builtin_add_overflow(base, offset, &offset) || offset < 0)
		return -EINVAL;
	return offset;
}

static long seek(struct file *file, s64 offset, unsigned int whence)
{
	s64 pos;

	if (whence > SEEK_HOLE)
		return -EINVAL;
	if (!file->access && file->flags & O_PATH)
		return -EBADF;
	if (file->ops->position != FILE_POSITION)
		return file->ops->position == FILE_STREAM ? -ESPIPE : 0;
	lock(&file->pos_lock);
	pos = seek_target(file, offset, whence);
	if (pos >= 0)
		file->pos = (u64)pos;
	unlock(&file->pos_lock);
	return (long)pos;
}

SYSCALL3(062, lseek, unsigned int, nr, s64, offset, unsigned int, whence)
{
	struct fd fd = fd_get(nr);
	long result = fd.file ? seek(fd.file, offset, whence) : -EBADF;

	fd_put(fd);
	return result;
}

/* --- the rest ---------------------------------------------------------------------------------- */

SYSCALL3(029, ioctl, unsigned int, nr, unsigned int, request, unsigned long, arg)
{
	struct fd fd = fd_get(nr);
	long result = -ENOTTY;

	if (!fd.file || fd.file->flags & O_PATH)
		result = -EBADF;
	else if (fd.file->ops->ioctl)
		result = fd.file->ops->ioctl(fd.file, request, arg);
	fd_put(fd);
	return result;
}
