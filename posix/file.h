/* SPDX-License-Identifier: MIT */
/*
 * Descriptors, the open files they lead to, and the nodes that have names.
 *
 * A node is a file, a folder or a device that a path leads to; those of the
 * initramfs stay for ever, so that nobody counts who knows them. A file is what
 * open() makes of one. A descriptor is a number of a process for that.
 */
#ifndef POSIX_FILE_H
#define POSIX_FILE_H

#include "lock.h"
#include "process.h"
#include <ahoy/core.h>
#include <ahoy/rbtree.h>

/* --- Linux's numbers ------------------------------------------------------------- */

#define AT_FDCWD	    -100
#define AT_SYMLINK_NOFOLLOW 0x100
#define AT_SYMLINK_FOLLOW   0x400
#define AT_EACCESS	    0x200
#define AT_NO_AUTOMOUNT	    0x800
#define AT_EMPTY_PATH	    0x1000

#define O_ACCMODE   00000003
#define O_RDONLY    00000000
#define O_WRONLY    00000001
#define O_RDWR	    00000002
#define O_CREAT	    00000100
#define O_EXCL	    00000200
#define O_NOCTTY    00000400
#define O_TRUNC	    00001000
#define O_APPEND    00002000
#define O_NONBLOCK  00004000
#define O_LARGEFILE 00100000
#define O_DIRECTORY 00200000
#define O_NOFOLLOW  00400000
#define O_CLOEXEC   02000000
#define O_PATH	    010000000
#define O_TMPFILE   (020000000 | O_DIRECTORY)

#define S_IFMT	 0170000
#define S_IFSOCK 0140000
#define S_IFLNK	 0120000
#define S_IFREG	 0100000
#define S_IFBLK	 0060000
#define S_IFDIR	 0040000
#define S_IFCHR	 0020000
#define S_IFIFO	 0010000

#define PATH_MAX 4096
#define NAME_MAX 255

/* The most that one call reads or writes, as Linux has it. */
#define MAX_RW_COUNT (0x7fffffffUL & ~(USER_PAGE_SIZE - 1))

/* --- nodes ---------------------------------------------------------------------------- */

struct file;

/* What lseek() does, and whether there are pread() and pwrite() */
enum file_position {
	FILE_STREAM,	  /* -ESPIPE */
	FILE_NO_POSITION, /* 0 */
	FILE_POSITION,
};

/*
 * What a kind of file does; NULL: it cannot. Context: the thread that makes the
 * call, no lock held but the file's position, if it has one: no fill() may want that.
 */
struct file_operations {
	/*
	 * Up to @n bytes, at least 1, of the range @buf, which is below user_end,
	 * from or to *@pos, which moves on. Return: how many, or an error if it is none.
	 */
	long (*read)(struct file *file, void __user *buf, size_t n, u64 *pos);
	long (*write)(struct file *file, const void __user *buf, size_t n, u64 *pos);
	/* As ioctl(). */
	long (*ioctl)(struct file *file, unsigned int request, unsigned long arg);
	/* The last reference has gone. */
	void (*release)(struct file *file);
	enum file_position position;
	/* Is it a stream of zeroes, of which mmap() gives private ones? */
	bool maps_zeroes;
};

/* Regular files of the archive, and folders */
extern const struct file_operations regular_operations, folder_operations;

struct node {
	struct rb_node link; /* in the tree of names, by parent and name */
	struct node *parent; /* the root: itself */
	const char *name;
	u32 name_len;
	u32 mode, nlink, uid, gid, mtime;
	u32 rdev;
	u64 ino;
	u64 offset, size; /* of what it holds, in the initramfs */
	const struct file_operations *ops;
	struct memory_object *object; /* the same, once somebody wants it */
};

static inline bool node_is(const struct node *node, u32 type)
{
	return (node->mode & S_IFMT) == type;
}

/*
 * The contents of @node, a regular file. Return: the object, without a hold for
 * the caller, or NULL without memory.
 */
struct memory_object *node_object(struct node *node);

/* The child @name, of @len bytes, of folder @parent; NULL if there is none. */
struct node *node_child(struct node *parent, const char *name, u32 len);

/* The child of @parent that follows @node in their order; NULL: the first; or no more. */
struct node *node_next_child(struct node *parent, struct node *node);

/* The text of symbolic link @node, or the contents of a regular file: node->size bytes. */
const char *node_contents(const struct node *node);

extern struct node root_node;

/* The archive that the first files come from. Return: 0, or an error, of which the console tells. */
int initramfs_init(const void *archive, size_t size);

/* --- devices --------------------------------------------------------------------------- */

struct device {
	const char *name; /* in /dev */
	u32 rdev;
	const struct file_operations *ops;
	struct node *node;
};

/* As Linux has them. */
#define MKDEV(major, minor) ((u32)(major) << 8 | (minor))

/* A file's device: /dev/@id, whatever the archive says, with the number @number. */
#define DEVICE(id, number, operations)                                                             \
	static struct node __node_##id = {                                                         \
		.name = #id,                                                                       \
		.name_len = sizeof(#id) - 1,                                                       \
		.parent = &dev_node,                                                               \
		.mode = S_IFCHR | 0666,                                                            \
		.nlink = 1,                                                                        \
		.rdev = (number),                                                                  \
		.ino = INO_DEVICES + (number),                                                     \
		.ops = (operations),                                                               \
	};                                                                                         \
	LINKER_TABLE_ROW(struct device, device, 5, id) = {                                         \
		.name = #id,                                                                       \
		.rdev = (number),                                                                  \
		.ops = (operations),                                                               \
		.node = &__node_##id,                                                              \
	}

/* Above all numbers of an archive. */
#define INO_DEVICES (1ULL << 32)

/* /dev, where the archive has none. */
extern struct node dev_node;

/* The device with this name, or number; NULL if there is none. */
const struct device *device_by_name(const char *name, u32 len);
const struct device *device_by_number(u32 rdev);

/* The one behind @device in the table; NULL: the first; or no more. */
const struct device *device_next(const struct device *device);

/* --- paths ------------------------------------------------------------------------------ */

/*
 * Copy a path from user memory. Return: it, to be freed with kfree(); NULL, and in
 * *@err -EFAULT, -ENAMETOOLONG, -ENOMEM, or -ENOENT if it is empty and @empty does not allow that.
 */
char *path_from_user(const char __user *path, bool empty, int *err);

/*
 * Where @path begins: at the root, or at @dirfd, a folder or AT_FDCWD. Return: NULL,
 * and -EBADF, -ENOTDIR in *@err.
 */
struct node *path_start(int dirfd, const char *path, int *err);

/*
 * The node that @path leads to from @start. @follow: the last name's symbolic link
 * is followed. Return: NULL, and in *@err -ENOENT, -ENOTDIR, -ELOOP, -ENAMETOOLONG.
 */
struct node *path_lookup(struct node *start, const char *path, bool follow, int *err);

/*
 * The node that a system call's path leads to. @flags: AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH;
 * others have no meaning here. Return: NULL, and in *@err what these functions say.
 */
struct node *node_at(int dirfd, const char __user *path, unsigned int flags, int *err);

/* --- files ------------------------------------------------------------------------------- */

#define FILE_READ  1
#define FILE_WRITE 2

struct file {
	u32 refs;
	u32 flags;  /* O_ as of open() and F_SETFL */
	u32 access; /* FILE_ bits; of O_PATH: none */
	const struct file_operations *ops;
	struct node *node;
	struct lock pos_lock;
	u64 pos;
};

static inline bool file_readable(const struct file *file)
{
	return file->access & FILE_READ;
}

static inline bool file_writable(const struct file *file)
{
	return file->access & FILE_WRITE;
}

static inline struct file *file_hold(struct file *file)
{
	__atomic_add_fetch(&file->refs, 1, __ATOMIC_RELAXED);
	return file;
}

/* Give back a reference. */
void file_put(struct file *file);

/*
 * Open @node with @flags, which it permits. Return: the file with one reference, or
 * NULL and the error in *@err: -ENXIO, -ENOMEM.
 */
struct file *file_open(struct node *node, u32 flags, int *err);

/*
 * For exec: open @path, a regular file that may be executed. Return: its contents, with a hold for
 * the caller, its size and its mode; NULL and the error in *@err.
 */
struct memory_object *file_open_exec(const char *path, u64 *size, unsigned int *mode, int *err);

/* --- descriptors ---------------------------------------------------------------------------- */

/*
 * The descriptors of a process, or of several after CLONE_FILES, and with them
 * what else belongs to paths: the folder where they begin, and the umask. Whoever
 * is alone with them reads without the lock.
 */
struct files {
	u32 users; /* processes */
	struct node *folder;
	u32 umask;

	struct lock lock;
	u32 size;
	u32 first_free; /* below, there is none */
	struct file **slots;
	u8 *close_on_exec; /* behind them */
};

/* Those of the first process: 0 to 2 are the console. Return: NULL without memory. */
struct files *files_create(void);

/* A copy of those that @files has. Return: NULL without memory. */
struct files *files_clone(struct files *files);

/* Another process has them; one less: with the last one all are closed. */
void files_get(struct files *files);
void files_put(struct files *files);

/* Close what has FD_CLOEXEC: for execve(). */
void files_close_on_exec(struct files *files);

/*
 * Put @file, whose reference it takes, at the lowest free descriptor from @from
 * on. Return: that, or -EMFILE, -ENOMEM, and then the reference is given back.
 */
int fd_install(struct file *file, unsigned int from, bool close_on_exec);

/* Close descriptor @nr of the current process. Return: 0, -EBADF if it is not open. */
int fd_close(unsigned int nr);

/* A file for the time of a call; NULL: the descriptor is not open. */
struct fd {
	struct file *file;
	bool counted;
};

/* The part of fd_get() where others may close it meanwhile. */
struct fd fd_get_counted(unsigned int nr);

/*
 * The file behind descriptor @nr of the current process, to be given back with
 * fd_put(). It costs no reference where nobody else has the descriptors: then only
 * the current thread could close it.
 */
static inline struct fd fd_get(unsigned int nr)
{
	struct process *process = current_process();
	struct files *files = process->files;

	if (unlikely(__atomic_load_n(&files->users, __ATOMIC_ACQUIRE) != 1 ||
		     __atomic_load_n(&process->task_count, __ATOMIC_ACQUIRE) != 1))
		return fd_get_counted(nr);
	return (struct fd){ likely(nr < files->size) ? files->slots[nr] : NULL, false };
}

static inline void fd_put(struct fd fd)
{
	if (unlikely(fd.counted))
		file_put(fd.file);
}

/* The same for longer: with a reference, given back with file_put(). */
static inline struct file *file_get(unsigned int nr)
{
	struct fd fd = fd_get(nr);

	return !fd.file || fd.counted ? fd.file : file_hold(fd.file);
}

/* The current process's folder, where paths begin. */
static inline struct node *working_directory(void)
{
	return READ_ONCE(current_process()->files->folder);
}

/* --- user memory -------------------------------------------------------------------------- */

/* May @n bytes at @addr be the program's at all? */
static inline bool user_range(const void __user *addr, size_t n)
{
	return n <= user_end && (unsigned long)addr <= user_end - n;
}

/*
 * Copy to, from or clear as much of @n bytes, at least 1, as there is, up to the
 * first page that cannot be accessed. Return: how many, or -EFAULT if it is none.
 */
long user_put(void __user *dst, const void *src, size_t n);
long user_take(void *dst, const void __user *src, size_t n);
long user_clear(void __user *dst, size_t n);

/* Is somebody waiting for the current thread's attention? Long calls end then. */
bool call_interrupted(void);

#endif
