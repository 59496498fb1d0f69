// SPDX-License-Identifier: MIT
/* Devices: rows of a table, each beside what it does. */
#include "file.h"
#include <ahoy/section.h>
#include <ahoy/string.h>

LINKER_TABLE(struct device, device);

struct node dev_node = {
	.parent = &root_node,
	.name = "dev",
	.name_len = 3,
	.mode = S_IFDIR | 0755,
	.nlink = 2,
	.ino = INO_DEVICES - 1,
};

const struct device *device_by_name(const char *name, u32 len)
{
	const struct device *device;

	for_each_row(device, device)
		if (device->node->name_len == len && !memcmp(device->name, name, len))
			return device;
	return NULL;
}

const struct device *device_by_number(u32 rdev)
{
	const struct device *device;

	for_each_row(device, device)
		if (device->rdev == rdev)
			return device;
	return NULL;
}
