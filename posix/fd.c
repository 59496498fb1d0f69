// SPDX-License-Identifier: MIT
/* The descriptors of a process. */
#include "file.h"
#include "process.h"
#include "syscall.h"
#include <ahoy/errno.h>
#include <ahoy/string.h>

struct entry {
	struct file *file;
	bool close_on_exec;
};

/* So many need no table of their own. */
#define FIRST 8

/* Its own limit, whatever RLIMIT_NOFILE says: Linux's fs.nr_open. */
#define FD_MAX (1U << 20)

struct files {
	u32 refs; /* processes */
	struct lock lock;
	unsigned int size;
	struct entry *entries;
	struct entry first[FIRST];

	/* What CLONE_FS shares in Linux is shared together with descriptors here. */
	struct node *cwd;
	u32 umask;
};

/* --- files ------------------------------------------------------------------------ */

static void file_ref(struct file *file)
{
	__atomic_fetch_add(&file->refs, 1, __ATOMIC_RELAXED);
}

void file_put(struct file *file)
{
	if (__atomic_fetch_sub(&file->refs, 1, __ATOMIC_ACQ_REL) == 1)
		kfree(file);
}

static struct file *entry_file(const struct files *files, unsigned int fd)
{
	return fd < files->size ? files->entries[fd].file : NULL;
}

struct file *file_get(unsigned int fd)
{
	struct files *files = current_process()->files;
	struct file *file;

	lock(&files->lock);
	file = entry_file(files, fd);
	if (file)
		file_ref(file);
	unlock(&files->lock);
	return file;
}

/* Has nobody else the table: no thread of this process, and no other process? */
static bool is_mine(const struct process *process, const struct files *files)
{
	return READ_ONCE(process->task_count) == 1 && READ_ONCE(files->refs) == 1;
}

struct fd fd_get(unsigned int fd)
{
	struct process *process = current_process();
	struct files *files = process->files;

	if (likely(is_mine(process, files)))
		return (struct fd){ .file = entry_file(files, fd) };
	return (struct fd){ .file = file_get(fd), .counted = true };
}

/* --- the table --------------------------------------------------------------------- */

static struct files *files_alloc(void)
{
	struct files *files = kzalloc(sizeof(*files));

	if (!files)
		return NULL;
	files->refs = 1;
	files->size = FIRST;
	files->entries = files->first;
	files->cwd = &root_node;
	files->umask = 022;
	return files;
}

static unsigned int limit(void)
{
	return (unsigned int)min_t(u64, process_limit(RLIMIT_NOFILE), FD_MAX);
}

/* Let there be an entry @fd. Return: 0, -ENOMEM. Locked. */
static int grow(struct files *files, unsigned int fd)
{
	unsigned int size = files->size;
	struct entry *entries;

	while (size <= fd)
		size *= 2;
	entries = kcalloc(size, sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	memcpy(entries, files->entries, files->size * sizeof(*entries));
	if (files->entries != files->first)
		kfree(files->entries);
	files->entries = entries;
	files->size = size;
	return 0;
}

/* The lowest one from @from on that is free. Locked. */
static unsigned int lowest_free(const struct files *files, unsigned int from)
{
	while (from < files->size && files->entries[from].file)
		from++;
	return from;
}

/* Put @file there. Return: the descriptor, -EMFILE, -ENOMEM. Locked. */
static int install(struct files *files, struct file *file, unsigned int from, bool close_on_exec)
{
	unsigned int fd = lowest_free(files, from);
	int err;

	if (fd >= limit())
		return -EMFILE;
	err = fd < files->size ? 0 : grow(files, fd);
	if (err)
		return err;
	files->entries[fd] = (struct entry){ .file = file, .close_on_exec = close_on_exec };
	return (int)fd;
}

int fd_install(struct file *file, unsigned int from, bool close_on_exec)
{
	struct files *files = current_process()->files;
	int fd;

	lock(&files->lock);
	fd = install(files, file, from, close_on_exec);
	unlock(&files->lock);
	return fd;
}

struct files *files_create(void)
{
	struct files *files = files_alloc();
	struct file *console;
	unsigned int fd;
	int err;

	if (!files)
		return NULL;
	console = file_open(device_by_name("console", 7)->node, O_RDWR, &err);
	if (!console) {
		kfree(files);
		return NULL;
	}
	for (fd = 0; fd < 3; fd++)
		files->entries[fd].file = console;
	console->refs = 3;
	return files;
}

struct files *files_clone(struct files *files)
{
	struct files *copy = files_alloc();
	unsigned int fd;
	int err = 0;

	if (!copy)
		return NULL;
	lock(&files->lock);
	if (files->size > copy->size)
		err = grow(copy, files->size - 1);
	for (fd = 0; !err && fd < files->size; fd++) {
		copy->entries[fd] = files->entries[fd];
		if (copy->entries[fd].file)
			file_ref(copy->entries[fd].file);
	}
	copy->cwd = files->cwd;
	copy->umask = files->umask;
	unlock(&files->lock);
	if (!err)
		return copy;
	kfree(copy);
	return NULL;
}

void files_get(struct files *files)
{
	__atomic_fetch_add(&files->refs, 1, __ATOMIC_RELAXED);
}

void files_put(struct files *files)
{
	unsigned int fd;

	if (__atomic_fetch_sub(&files->refs, 1, __ATOMIC_ACQ_REL) != 1)
		return;
	for (fd = 0; fd < files->size; fd++)
		if (files->entries[fd].file)
			file_put(files->entries[fd].file);
	if (files->entries != files->first)
		kfree(files->entries);
	kfree(files);
}

/* Take out what is at @fd. Return: it, or NULL. Locked. */
static struct file *take(struct files *files, unsigned int fd)
{
	struct file *file = entry_file(files, fd);

	if (file)
		files->entries[fd] = (struct entry){};
	return file;
}

void files_close_on_exec(struct files *files)
{
	unsigned int fd;

	for (fd = 0; fd < files->size; fd++) {
		struct file *file = NULL;

		lock(&files->lock);
		if (files->entries[fd].close_on_exec)
			file = take(files, fd);
		unlock(&files->lock);
		if (file)
			file_put(file);
	}
}

struct node *working_directory(void)
{
	return __atomic_load_n(&current_process()->files->cwd, __ATOMIC_RELAXED);
}

void set_working_directory(struct node *node)
{
	__atomic_store_n(&current_process()->files->cwd, node, __ATOMIC_RELAXED);
}

u32 set_umask(u32 mask)
{
	return __atomic_exchange_n(&current_process()->files->umask, mask & 0777, __ATOMIC_RELAXED);
}

/* --- system calls ------------------------------------------------------------------- */

SYSCALL1(057, close, unsigned int, fd)
{
	struct files *files = current_process()->files;
	struct file *file;

	lock(&files->lock);
	file = take(files, fd);
	unlock(&files->lock);
	if (!file)
		return -EBADF;
	file_put(file);
	return 0;
}

#define CLOSE_RANGE_UNSHARE 2
#define CLOSE_RANGE_CLOEXEC 4

SYSCALL3(436, close_range, unsigned int, first, unsigned int, last, unsigned int, flags)
{
	struct files *files = current_process()->files;
	unsigned int fd;

	/* A table of one's own to be made by the way is not offered. */
	if (flags & ~CLOSE_RANGE_CLOEXEC || first > last)
		return -EINVAL;
	for (fd = first; fd <= last && fd < READ_ONCE(files->size); fd++) {
		struct file *file = NULL;

		lock(&files->lock);
		if (!(flags & CLOSE_RANGE_CLOEXEC))
			file = take(files, fd);
		else if (entry_file(files, fd))
			files->entries[fd].close_on_exec = true;
		unlock(&files->lock);
		if (file)
			file_put(file);
	}
	return 0;
}

/* Another descriptor for what @fd leads to. */
static long duplicate(unsigned int fd, unsigned int from, bool close_on_exec)
{
	struct file *file = file_get(fd);
	int copy;

	if (!file)
		return -EBADF;
	copy = fd_install(file, from, close_on_exec);
	if (copy < 0)
		file_put(file);
	return copy;
}

SYSCALL1(023, dup, unsigned int, fd)
{
	return duplicate(fd, 0, false);
}

SYSCALL3(024, dup3, unsigned int, fd, unsigned int, to, unsigned int, flags)
{
	struct files *files = current_process()->files;
	struct file *file, *before = NULL;
	int err = 0;

	if (flags & ~O_CLOEXEC || fd == to)
		return -EINVAL;
	if (to >= limit())
		return -EBADF;
	lock(&files->lock);
	file = entry_file(files, fd);
	if (!file)
		err = -EBADF;
	else if (to >= files->size)
		err = grow(files, to);
	if (!err) {
		before = take(files, to);
		file_ref(file);
		files->entries[to] =
			(struct entry){ .file = file, .close_on_exec = flags & O_CLOEXEC };
	}
	unlock(&files->lock);
	if (before)
		file_put(before);
	return err ? err : (long)to;
}

#define F_DUPFD		0
#define F_GETFD		1
#define F_SETFD		2
#define F_GETFL		3
#define F_SETFL		4
#define F_DUPFD_CLOEXEC 1030
#define FD_CLOEXEC	1

/* What of a file's flags can be changed later. */
#define SETFL_FLAGS (O_APPEND | O_NONBLOCK)

static long fd_flags(unsigned int fd, bool set, bool close_on_exec)
{
	struct files *files = current_process()->files;
	long result = -EBADF;

	lock(&files->lock);
	if (entry_file(files, fd)) {
		if (set)
			files->entries[fd].close_on_exec = close_on_exec;
		result = !set && files->entries[fd].close_on_exec ? FD_CLOEXEC : 0;
	}
	unlock(&files->lock);
	return result;
}

static long file_flags(unsigned int number, bool set, u32 flags)
{
	struct fd fd = fd_get(number);
	long result = 0;

	if (!fd.file)
		return -EBADF;
	if (!set)
		result = fd.file->flags;
	else if (fd.file->flags & O_PATH)
		result = -EBADF;
	else
		WRITE_ONCE(fd.file->flags, (fd.file->flags & ~SETFL_FLAGS) | (flags & SETFL_FLAGS));
	fd_put(fd);
	return result;
}

SYSCALL3(025, fcntl, unsigned int, fd, unsigned int, command, unsigned long, arg)
{
	struct file *file;

	switch (command) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		file = file_get(fd);
		if (!file)
			return -EBADF;
		file_put(file);
		if (arg >= limit())
			return -EINVAL;
		return duplicate(fd, (unsigned int)arg, command == F_DUPFD_CLOEXEC);
	case F_GETFD:
		return fd_flags(fd, false, false);
	case F_SETFD:
		return fd_flags(fd, true, arg & FD_CLOEXEC);
	case F_GETFL:
		return file_flags(fd, false, 0);
	case F_SETFL:
		return file_flags(fd, true, (u32)arg);
	default:
		file = file_get(fd);
		if (!file)
			return -EBADF;
		file_put(file);
		return -EINVAL;
	}
}
