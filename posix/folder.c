// SPDX-License-Identifier: MIT
/* Folders as open files: they are listed, not read. */
#include "file.h"
#include <ahoy/compiler.h>
#include <ahoy/errno.h>

static long folder_read(struct file *file, void __user *buf, size_t n, u64 *pos)
{
	return -EISDIR;
}

const struct file_operations folder_operations = {
	.read = folder_read,
	.position = FILE_POSITION,
};
