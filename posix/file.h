/* SPDX-License-Identifier: MIT */
/* Descriptors, the open files they lead to, and what kinds of files there are. */
#ifndef POSIX_FILE_H
#define POSIX_FILE_H

#include "lock.h"
#include <ahoy/core.h>

struct file;
struct stat_data;

/*
 * What a kind of file does. NULL: what POSIX says of kinds that cannot do it
 * (-EINVAL, -ESPIPE, ...). Context: the thread that makes the call, no lock held.
 */
struct file_operations {
	/* Up to @n bytes at *@pos, which moves on. Return: how many, or a negative errno. */
	long (*read)(struct file *file, void __user *buf, size_t n, u64 *pos);
	long (*write)(struct file *file, const void __user *buf, size_t n, u64 *pos);
	/* As lseek(): the new position, or a negative errno. */
	s64 (*seek)(struct file *file, s64 offset, int whence);
	long (*ioctl)(struct file *file, unsigned int request, unsigned long arg);
	void (*stat)(struct file *file, struct stat_data *stat);
	/* The object that a mapping shows, with a hold for the caller; a negative errno in *@err. */
	struct memory_object *(*object)(struct file *file, int *err);
	/* The last reference has gone. */
	void (*release)(struct file *file);
};

struct file {
	u32 refs;
	const struct file_operations *ops;
	void *data;	    /* ops' own */
	unsigned int flags; /* O_ as of open() and F_SETFL */
	struct lock pos_lock;
	u64 pos;
};

struct files;

/* The first descriptors of a process; a copy of those that @files has. Return: NULL without memory. */
struct files *files_create(void);
struct files *files_clone(struct files *files);
/* Another process's thread uses them; one less, with the last one all are closed. */
void files_get(struct files *files);
void files_put(struct files *files);
/* Close what has FD_CLOEXEC: for execve(). */
void files_close_on_exec(struct files *files);

/* The file behind @fd with a reference for the caller, NULL if there is none; and to give it back. */
struct file *file_get(unsigned int fd);
void file_put(struct file *file);

/*
 * Open @path, relative to the working directory. @flags, @mode: as of openat().
 * Return: the file with one reference, NULL and the negative errno in *@err.
 */
struct file *file_open(const char *path, unsigned int flags, unsigned int mode, int *err);

/* Put @file at the lowest free descriptor. Return: that, or -EMFILE, -ENOMEM. */
int fd_install(struct file *file, bool close_on_exec);

/*
 * For exec: the regular file @path of mode @mode. Return: its contents, with a
 * hold for the caller, and its size and mode; NULL and the negative errno in *@err.
 */
struct memory_object *file_open_exec(const char *path, u64 *size, unsigned int *mode, int *err);

/* The archive that the first files come from. Return: 0, or a negative errno. */
int initramfs_init(const void *archive, size_t size);

#endif
