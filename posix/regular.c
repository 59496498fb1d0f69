// SPDX-License-Identifier: MIT
/* Regular files of the archive, whose contents are where they are. */
#include "file.h"
#include <ahoy/compiler.h>
#include <ahoy/errno.h>

static long regular_read(struct file *file, void __user *buf, size_t n, u64 *pos)
{
	const struct node *node = file->node;
	long done;

	if (*pos >= node->size)
		return 0;
	n = min_t(u64, n, node->size - *pos);
	done = user_put(buf, node_contents(node) + *pos, n);
	if (done > 0)
		*pos += (u64)done;
	return done;
}

const struct file_operations regular_operations = {
	.read = regular_read,
	.position = FILE_POSITION,
};
