// SPDX-License-Identifier: MIT
/* The devices there are, in a table that the linker collects. */
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
	.ino = INO_DEVICES,
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

const struct device *device_next(const struct device *device)
{
	device = device ? device + 1 : device_start;
	return device < device_end ? device : NULL;
}
