// SPDX-License-Identifier: MIT
/* Descriptors: the table of a process, and the calls that change it. */
#include "file.h"
#include "syscall.h"
#include <ahoy/compiler.h>
#include <ahoy/string.h>

/* A table starts with so many, and doubles. */
#define SLOTS 16

static u64 nofile_limit(void)
{
	return process_limit(RLIMIT_NOFILE);
}

/* --- tables --------------------------------------------------------------------------- */

/* @slots: room for @size descriptors, all of it zero */
static void set_slots(struct files *files, struct file **slots, u32 size)
{
	files->slots = slots;
	files->close_on_exec = (u8 *)(slots + size);
	files->size = size;
}

#define SLOTS_SIZE(n) ((n) * (sizeof(struct file *) + 1UL))

static void free_slots(struct files *files)
{
	/* The first ones came with the table. */
	if (files->slots != (struct file **)(files + 1))
		kfree(files->slots);
}

/* Room for @size descriptors, which are more than there are. Return: 0, -ENOMEM. */
static int resize(struct files *files, u32 size)
{
	struct file **slots = kzalloc(SLOTS_SIZE(size));

	if (!slots)
		return -ENOMEM;
	memcpy(slots, files->slots, files->size * sizeof(*slots));
	memcpy(slots + size, files->close_on_exec, files->size);
	free_slots(files);
	set_slots(files, slots, size);
	return 0;
}

/* An empty table. Return: NULL without memory. */
static struct files *alloc_files(u32 size)
{
	struct files *files = kzalloc(sizeof(*files) + SLOTS_SIZE(size));

	if (!files)
		return NULL;
	files->users = 1;
	set_slots(files, (struct file **)(files + 1), size);
	return files;
}

struct files *files_create(void)
{
	struct files *files = alloc_files(SLOTS);
	const struct device *console = device_by_name("console", 7);
	struct file *file;
	int err;

	if (!files)
		return NULL;
	files->folder = &root_node;
	files->umask = 022;
	file = console ? file_open(console->node, O_RDWR, &err) : NULL;
	if (!file) {
		files_put(files);
		return NULL;
	}
	file->refs = 3;
	for (u32 i = 0; i < 3; i++)
		files->slots[i] = file;
	files->first_free = 3;
	return files;
}

struct files *files_clone(struct files *from)
{
	struct files *files;

	lock(&from->lock);
	files = alloc_files(from->size);
	if (files) {
		files->folder = from->folder;
		files->umask = from->umask;
		files->first_free = from->first_free;
		memcpy(files->close_on_exec, from->close_on_exec, from->size);
		for (u32 i = 0; i < from->size; i++)
			if (from->slots[i])
				files->slots[i] = file_hold(from->slots[i]);
	}
	unlock(&from->lock);
	return files;
}

void files_get(struct files *files)
{
	__atomic_add_fetch(&files->users, 1, __ATOMIC_RELAXED);
}

void files_put(struct files *files)
{
	if (__atomic_sub_fetch(&files->users, 1, __ATOMIC_ACQ_REL))
		return;
	for (u32 i = 0; i < files->size; i++)
		if (files->slots[i])
			file_put(files->slots[i]);
	free_slots(files);
	kfree(files);
}

/* --- slots ---------------------------------------------------------------------------- */

/* Empty slot @nr. Return: what was in it, whose reference is the caller's, or NULL. Lock held. */
static struct file *take_out(struct files *files, u32 nr)
{
	struct file *file = files->slots[nr];

	files->slots[nr] = NULL;
	files->close_on_exec[nr] = 0;
	if (nr < files->first_free)
		files->first_free = nr;
	return file;
}

/* Have room for descriptor @nr, which is below @limit. Lock held. */
static int make_room(struct files *files, u32 nr, u64 limit)
{
	u64 size = files->size;

	if (nr < size)
		return 0;
	while (size <= nr)
		size *= 2;
	if (size > limit && limit > nr)
		size = limit;
	return resize(files, (u32)size);
}

/* The lowest free descriptor from @from on. Return: that, -EMFILE, -ENOMEM. Lock held. */
static long find_free(struct files *files, u32 from)
{
	u64 limit = nofile_limit();
	u32 nr = max(from, files->first_free);
	int err;

	while (nr < files->size && files->slots[nr])
		nr++;
	if (from <= files->first_free)
		files->first_free = nr;
	if (nr >= limit)
		return -EMFILE;
	err = make_room(files, nr, limit);
	return err ? err : (long)nr;
}

int fd_install(struct file *file, unsigned int from, bool close_on_exec)
{
	struct files *files = current_process()->files;
	long nr;

	lock(&files->lock);
	nr = find_free(files, from);
	if (nr >= 0) {
		files->slots[nr] = file;
		files->close_on_exec[nr] = close_on_exec;
	}
	unlock(&files->lock);
	if (nr < 0)
		file_put(file);
	return (int)nr;
}

struct fd fd_get_counted(unsigned int nr)
{
	struct files *files = current_process()->files;
	struct file *file;

	lock(&files->lock);
	file = nr < files->size ? files->slots[nr] : NULL;
	if (file)
		file_hold(file);
	unlock(&files->lock);
	return (struct fd){ file, file };
}

/* Close descriptor @nr. Return: 0, -EBADF if it is not open. */
static int close_one(struct files *files, u32 nr)
{
	struct file *file = NULL;

	lock(&files->lock);
	if (nr < files->size)
		file = take_out(files, nr);
	unlock(&files->lock);
	if (!file)
		return -EBADF;
	file_put(file);
	return 0;
}

int fd_close(unsigned int nr)
{
	return close_one(current_process()->files, nr);
}

void files_close_on_exec(struct files *files)
{
	for (u32 i = 0; i < READ_ONCE(files->size); i++) {
		struct file *file = NULL;

		lock(&files->lock);
		if (i < files->size && files->close_on_exec[i])
			file = take_out(files, i);
		unlock(&files->lock);
		if (file)
			file_put(file);
	}
}

/* --- system calls ----------------------------------------------------------------------- */

SYSCALL1(057, close, unsigned int, fd)
{
	return fd_close(fd);
}

SYSCALL1(023, dup, unsigned int, fd)
{
	struct file *file = file_get(fd);

	return file ? fd_install(file, 0, false) : -EBADF;
}

/* Put @file at @nr, whatever was there. Return: @nr or an error, and then @file is given back. */
static long replace(struct file *file, u32 nr, bool close_on_exec)
{
	struct files *files = current_process()->files;
	struct file *before = file;
	u64 limit = nofile_limit();
	int err = -EBADF;

	lock(&files->lock);
	if (nr < limit)
		err = make_room(files, nr, limit);
	if (!err) {
		before = files->slots[nr];
		files->slots[nr] = file;
		files->close_on_exec[nr] = close_on_exec;
	}
	unlock(&files->lock);
	if (before)
		file_put(before);
	return err ? err : (long)nr;
}

SYSCALL3(024, dup3, unsigned int, from, unsigned int, to, unsigned int, flags)
{
	struct file *file;

	if (flags & ~O_CLOEXEC || from == to)
		return -EINVAL;
	if (to >= nofile_limit())
		return -EBADF;
	file = file_get(from);
	return file ? replace(file, to, flags & O_CLOEXEC) : -EBADF;
}

#define CLOSE_RANGE_UNSHARE 2
#define CLOSE_RANGE_CLOEXEC 4

static void close_range(struct files *files, u32 first, u32 last, bool on_exec)
{
	for (u64 nr = first; nr <= last && nr < READ_ONCE(files->size); nr++) {
		if (!on_exec) {
			close_one(files, (u32)nr);
			continue;
		}
		lock(&files->lock);
		if (nr < files->size && files->slots[nr])
			files->close_on_exec[nr] = 1;
		unlock(&files->lock);
	}
}

SYSCALL3(436, close_range, unsigned int, first, unsigned int, last, unsigned int, flags)
{
	struct process *process = current_process();

	if (flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC) || first > last)
		return -EINVAL;
	/* Threads cannot have descriptors of their own here. */
	if (flags & CLOSE_RANGE_UNSHARE &&
	    (__atomic_load_n(&process->files->users, __ATOMIC_ACQUIRE) != 1 ||
	     __atomic_load_n(&process->task_count, __ATOMIC_ACQUIRE) != 1))
		return -EINVAL;
	close_range(process->files, first, last, flags & CLOSE_RANGE_CLOEXEC);
	return 0;
}

#define F_DUPFD		0
#define F_GETFD		1
#define F_SETFD		2
#define F_GETFL		3
#define F_SETFL		4
#define F_DUPFD_CLOEXEC 1030
#define FD_CLOEXEC	1

/* What F_SETFL changes. */
#define O_SETTABLE (O_APPEND | O_NONBLOCK)

/* F_GETFD; F_SETFD if @set is not negative */
static long close_on_exec(unsigned int nr, int set)
{
	struct files *files = current_process()->files;
	long result = -EBADF;

	lock(&files->lock);
	if (nr < files->size && files->slots[nr]) {
		result = set < 0 ? files->close_on_exec[nr] : 0;
		if (set >= 0)
			files->close_on_exec[nr] = (u8)set;
	}
	unlock(&files->lock);
	return result;
}

static long duplicate(struct file *file, unsigned long from, bool on_exec)
{
	if (from >= nofile_limit())
		return -EINVAL;
	return fd_install(file_hold(file), (unsigned int)from, on_exec);
}

static long set_flags(struct file *file, unsigned long flags)
{
	u32 now = __atomic_load_n(&file->flags, __ATOMIC_RELAXED);

	/* Several may do it at once; each change is a whole one. */
	while (!__atomic_compare_exchange_n(&file->flags, &now,
					    (now & ~O_SETTABLE) | ((u32)flags & O_SETTABLE), false,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
	return 0;
}

static long control(struct file *file, unsigned int nr, unsigned int command, unsigned long arg)
{
	switch (command) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		return duplicate(file, (unsigned int)arg, command == F_DUPFD_CLOEXEC);
	case F_GETFD:
		return close_on_exec(nr, -1);
	case F_SETFD:
		return close_on_exec(nr, arg & FD_CLOEXEC);
	case F_GETFL:
		return __atomic_load_n(&file->flags, __ATOMIC_RELAXED);
	case F_SETFL:
		return file->flags & O_PATH ? -EBADF : set_flags(file, arg);
	default:
		return file->flags & O_PATH ? -EBADF : -EINVAL;
	}
}

SYSCALL3(025, fcntl, unsigned int, nr, unsigned int, command, unsigned long, arg)
{
	struct fd fd = fd_get(nr);
	long result = fd.file ? control(fd.file, nr, command, arg) : -EBADF;

	fd_put(fd);
	return result;
}
