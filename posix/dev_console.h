/* SPDX-License-Identifier: MIT */
/* The two directions of /dev/console. */
#ifndef POSIX_DEV_CONSOLE_H
#define POSIX_DEV_CONSOLE_H

#include "file.h"

#ifdef CONFIG_CONSOLE_READ
/* What was typed, as struct file_operations says of read(). */
long console_file_read(struct file *file, void __user *buf, size_t n, u64 *pos);
#else
/* Nobody listens: it ends at once. */
static inline long console_file_read(struct file *file, void __user *buf, size_t n, u64 *pos)
{
	return 0;
}
#endif

#endif
