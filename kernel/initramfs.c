// SPDX-License-Identifier: MIT
#include <ahoy/initramfs.h>
#include <ahoy/of.h>
#include <ahoy/printk.h>
#include <asm/page.h>

#ifdef CONFIG_INITRAMFS_EMBED
extern const char __initramfs_start[], __initramfs_end[];

static const void *find_in_image(size_t *size)
{
	*size = (size_t)(__initramfs_end - __initramfs_start);
	return *size ? __initramfs_start : NULL;
}
#else
static const void *find_in_image(size_t *size)
{
	*size = 0;
	return NULL;
}
#endif

const void *initramfs_find(size_t *size)
{
#ifdef CONFIG_BLK_DEV_INITRD
	phys_addr_t start;

	if (of_initrd(&start, size))
		return phys_to_virt(start);
#endif
	return find_in_image(size);
}
