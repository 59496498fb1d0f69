// SPDX-License-Identifier: MIT
/* The linear map: all RAM at a fixed distance from its physical address. */
#include <ahoy/init.h>
#include <ahoy/memblock.h>
#include <ahoy/printk.h>
#include <asm/paging.h>

static void linear_map_init(void)
{
	u64 mapped = 0;

#ifdef CONFIG_OF
	phys_addr_t start, end = 0;

	while (memblock_next_mappable(end, &start, &end))
		mapped += linear_map_add(start, end);
#else
	mapped = linear_map_add((u64)PHYS_RAM_BASE + KERNEL_OFFSET,
				(u64)CONFIG_PLATFORM_RAM_BASE + CONFIG_PLATFORM_RAM_SIZE);
#endif
	pr_debug("linear map: %llu KiB\n", mapped >> 10);
}
INIT(mm, linear_map_init);
