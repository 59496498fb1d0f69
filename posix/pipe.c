// SPDX-License-Identifier: MIT
/*
 * Pipes: a ring of bytes with an end for writing and one for reading. Bytes go
 * through a buffer of the call's own, since user memory is not touched under a
 * lock; so many as POSIX wants in one piece are put there in one piece.
 */
#include "file.h"
#include "process.h"
#include "syscall.h"
#include <ahoy/compiler.h>
#include <ahoy/errno.h>
#include <ahoy/kconfig.h>
#include <ahoy/string.h>

/* As Linux has them */
#define PIPE_SIZE 65536u
#define PIPE_BUF  4096u

/* What fits is copied on the stack. */
#define PIPE_FEW 64u

struct pipe {
	struct node node;
	struct memory_object *ring;
	u32 events; /* counts what may be waited for */
	struct lock lock;
	u32 read, written; /* bytes so far; their difference is in the ring */
	u32 readers, writers;
};

static struct pipe *pipe_of(struct file *file)
{
	return container_of(file->node, struct pipe, node);
}

/* --- the ring. Locked. ------------------------------------------------------------------- */

static u32 used(const struct pipe *pipe)
{
	return pipe->written - pipe->read;
}

/* Copy @n bytes at position @at, to or from @buf. Return: 0 or an error. */
static int ring_copy(struct pipe *pipe, u32 at, u8 *buf, u32 n, bool write)
{
	while (n) {
		u32 offset = at % PIPE_SIZE, part = min(n, PIPE_SIZE - offset);
		long done = write ? memory_object_write(pipe->ring, offset, buf, part)
				  : memory_object_read(pipe->ring, offset, buf, part);

		if (done < 0)
			return (int)done;
		/* The ring has its size: it was memory that did not reach. */
		if (done < (long)part)
			return -ENOMEM;
		at += part;
		buf += part;
		n -= part;
	}
	return 0;
}

static void changed(struct pipe *pipe)
{
	pipe->events++;
	wake(&pipe->events, UINT_MAX);
}

/* Let go of the lock until something changes. Return: 0, -EAGAIN, -EINTR. */
static int wait_change(struct pipe *pipe, const struct file *file)
{
	u32 events = pipe->events;
	int err;

	if (file->flags & O_NONBLOCK)
		return -EAGAIN;
	unlock(&pipe->lock);
	err = wait_on_interruptible(&pipe->events, events, TIME_NEVER);
	lock(&pipe->lock);
	return err == -EINTR ? -EINTR : 0;
}

/* --- reading --------------------------------------------------------------------------------- */

/* Take up to @n bytes, at least one. Return: how many; 0 at the end; or an error. */
static long take(struct pipe *pipe, const struct file *file, u8 *buf, u32 n)
{
	long result = 0;

	lock(&pipe->lock);
	while (!used(pipe) && pipe->writers && !result)
		result = wait_change(pipe, file);
	if (used(pipe)) {
		n = min(n, used(pipe));
		result = ring_copy(pipe, pipe->read, buf, n, false);
		if (!result) {
			pipe->read += n;
			changed(pipe);
			result = (long)n;
		}
	}
	unlock(&pipe->lock);
	return result;
}

static long pipe_read(struct file *file, void __user *user, size_t n, u64 *pos __maybe_unused)
{
	u8 few[PIPE_FEW], *buf = few;
	u32 size = (u32)min_t(size_t, n, PIPE_SIZE);
	long result;

	if (!size)
		return 0;
	if (size > PIPE_FEW)
		buf = kmalloc(size);
	if (!buf)
		return -ENOMEM;
	result = take(pipe_of(file), file, buf, size);
	if (result > 0 && copy_to_user(user, buf, (size_t)result))
		result = -EFAULT;
	if (buf != few)
		kfree(buf);
	return result;
}

/* --- writing ----------------------------------------------------------------------------------- */

/* Put @n bytes, at most PIPE_BUF, in one piece. Return: 0 or an error. */
static int put(struct pipe *pipe, const struct file *file, u8 *buf, u32 n)
{
	int err = 0;

	lock(&pipe->lock);
	while (pipe->readers && PIPE_SIZE - used(pipe) < n && !err)
		err = wait_change(pipe, file);
	if (!pipe->readers)
		err = -EPIPE;
	if (!err)
		err = ring_copy(pipe, pipe->written, buf, n, true);
	if (!err) {
		pipe->written += n;
		changed(pipe);
	}
	unlock(&pipe->lock);
	return err;
}

/* Nobody will read it: a program that does not look at results ends. */
static void nobody_reads(void)
{
	lock(&processes_lock);
	signal_task(current_task(), SIGPIPE);
	unlock(&processes_lock);
}

static long pipe_write(struct file *file, const void __user *user, size_t n,
		       u64 *pos __maybe_unused)
{
	u8 few[PIPE_FEW], *buf = n > PIPE_FEW ? kmalloc(min_t(size_t, n, PIPE_BUF)) : few;
	size_t done = 0;
	int err = 0;

	if (!buf)
		return -ENOMEM;
	while (done < n && !err) {
		u32 part = (u32)min_t(size_t, n - done, PIPE_BUF);

		err = copy_from_user(buf, (const u8 __user *)user + done, part);
		if (!err)
			err = put(pipe_of(file), file, buf, part);
		if (!err)
			done += part;
	}
	if (err == -EPIPE)
		nobody_reads();
	if (buf != few)
		kfree(buf);
	return done ? (long)done : err;
}

/* --- the ends ----------------------------------------------------------------------------------- */

#define FIONREAD 0x541bu

static long pipe_ioctl(struct file *file, unsigned int request, unsigned long arg)
{
	struct pipe *pipe = pipe_of(file);
	u32 n;

	if (request != FIONREAD)
		return -ENOTTY;
	lock(&pipe->lock);
	n = used(pipe);
	unlock(&pipe->lock);
	return copy_to_user((void __user *)arg, &n, sizeof(n));
}

static void pipe_release(struct file *file)
{
	struct pipe *pipe = pipe_of(file);
	bool last;

	lock(&pipe->lock);
	if (file_writable(file))
		pipe->writers--;
	else
		pipe->readers--;
	last = !pipe->writers && !pipe->readers;
	changed(pipe);
	unlock(&pipe->lock);
	if (!last)
		return;
	memory_object_put(pipe->ring);
	kfree(pipe);
}

static const struct file_operations pipe_operations = {
	.read = pipe_read,
	.write = pipe_write,
	.ioctl = pipe_ioctl,
	.release = pipe_release,
};

static struct pipe *pipe_create(void)
{
	static u32 number;
	struct pipe *pipe = kzalloc(sizeof(*pipe));

	if (!pipe)
		return NULL;
	pipe->ring = memory_object_create(PIPE_SIZE, NULL, NULL);
	if (!pipe->ring) {
		kfree(pipe);
		return NULL;
	}
	pipe->node = (struct node){
		.mode = S_IFIFO | 0600,
		.nlink = 1,
		.ino = INO_DEVICES * 2 + __atomic_add_fetch(&number, 1, __ATOMIC_RELAXED),
		.ops = &pipe_operations,
	};
	return pipe;
}

static struct file *end_create(struct pipe *pipe, u32 flags, u32 access)
{
	struct file *file = kmalloc(sizeof(*file));

	if (file)
		*file = (struct file){
			.refs = 1,
			.flags = flags,
			.access = access,
			.ops = &pipe_operations,
			.node = &pipe->node,
		};
	return file;
}

/* Both ends, in ends[]. Return: 0, -ENOMEM. */
static int ends_create(struct file **ends, u32 flags)
{
	struct pipe *pipe = pipe_create();

	if (!pipe)
		return -ENOMEM;
	ends[0] = end_create(pipe, O_RDONLY | flags, FILE_READ);
	ends[1] = end_create(pipe, O_WRONLY | flags, FILE_WRITE);
	if (ends[0] && ends[1]) {
		pipe->readers = 1;
		pipe->writers = 1;
		return 0;
	}
	kfree(ends[0]);
	kfree(ends[1]);
	memory_object_put(pipe->ring);
	kfree(pipe);
	return -ENOMEM;
}

SYSCALL2(059, pipe2, int __user *, user, u32, flags)
{
	struct file *ends[2];
	int fds[2], err;

	if (flags & ~(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	err = ends_create(ends, flags & O_NONBLOCK);
	if (err)
		return err;
	fds[0] = fd_install(ends[0], 0, flags & O_CLOEXEC);
	if (fds[0] < 0) {
		file_put(ends[1]);
		return fds[0];
	}
	fds[1] = fd_install(ends[1], 0, flags & O_CLOEXEC);
	err = fds[1] < 0 ? fds[1] : copy_to_user(user, fds, sizeof(fds));
	if (!err)
		return 0;
	fd_close((unsigned int)fds[0]);
	if (fds[1] >= 0)
		fd_close((unsigned int)fds[1]);
	return err;
}
