/* SPDX-License-Identifier: MIT */
/* The two directions of /dev/console. */
#ifndef POSIX_DEV_CONSOLE_H
#define POSIX_DEV_CONSOLE_H

#include "file.h"

/* What was typed, as struct file_operations says of read(). Only there with CONFIG_CONSOLE_READ. */
long console_file_read(struct file *file, void __user *buf, size_t n, u64 *pos);

#endif
