/* SPDX-License-Identifier: MIT */
/*
 * A reader of cpio archives in the "new ASCII" format, with or without sums
 * (magic 070701 and 070702), as initramfs archives are: Linux's
 * Documentation/driver-api/early-userspace/buffer-format.rst. It goes through
 * the archive once, in order, and trusts nothing: whatever the bytes are, it
 * reads none outside and comes to an end.
 */
#ifndef AHOY_CPIO_H
#define AHOY_CPIO_H

#include <ahoy/compiler.h>
#include <ahoy/types.h>

/* What a header and the data behind a name start at multiples of, from the archive's start. */
#define CPIO_ALIGN 4

/* The largest size of a name, with its NULs. */
#define CPIO_NAME_MAX 4096

/* The reader. Only cpio_open() and cpio_next() write to it. */
struct cpio {
	const char *start;
	size_t size;
	size_t next;	   /* where the next header is looked for */
	size_t header;	   /* where the one last looked at starts, from the archive's start */
	bool inside;	   /* entries were read, and no trailer yet */
	const char *name;  /* of the entry at @header; "" as long as that is not known */
	const char *error; /* what is wrong with it; NULL: nothing */
};

/* An entry. What it means is the caller's business: a name with "..", a mode of no type. */
struct cpio_entry {
	const char *name; /* in the archive, at least one character and a NUL */
	const void *data; /* in the archive; of a symbolic link: its target, without a NUL */
	u32 size;	  /* of the data, in bytes */
	/*
	 * As stat() has them. Names of one file (@nlink above 1) have @ino and the device in
	 * common; most writers give the data with the last one only.
	 */
	u32 ino, mode, uid, gid, nlink, mtime;
	u32 dev_major, dev_minor; /* where @ino counts */
	u32 rdev_major, rdev_minor;
};

/*
 * Start reading the @size bytes at @archive, which is a multiple of CPIO_ALIGN.
 * They stay what they are as long as @cpio and what it gave are in use.
 */
void cpio_open(struct cpio *cpio, const void *archive, size_t size);

/*
 * Read the next entry. Archives may follow each other, with zeroes between and
 * behind them; trailers are not given. Return: 1 and *@entry; 0 at the end;
 * -EINVAL if the archive is damaged: then @cpio->header, ->name and ->error say
 * where and how, and so does every call from then on.
 */
int cpio_next(struct cpio *cpio, struct cpio_entry *entry) __must_check;

#endif
