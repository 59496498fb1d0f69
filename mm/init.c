// SPDX-License-Identifier: MIT
/* RAM is put to use: mapped, and handed to the page allocator. */
#include <ahoy/init.h>
#include <ahoy/memblock.h>
#include <ahoy/page_alloc.h>
#include <ahoy/printk.h>
#include <asm/paging.h>

#ifdef CONFIG_OF

/* What nobody has reserved in [@start, @end). */
static void use_free(phys_addr_t start, phys_addr_t end)
{
	phys_addr_t from = start, to;

	while (memblock_next_free(from, &from, &to) && from < end) {
		page_alloc_add(from, min(to, end));
		from = to;
	}
}

static void mm_init(void)
{
	phys_addr_t start, end, next = 0;
	u64 mapped = 0;

	if (IS_ENABLED(CONFIG_PAGE_ALLOC))
		memblock_reserve(virt_to_phys(_start), _end - _start, false);
	while (memblock_next_mappable(next, &start, &end)) {
		next = end;
		mapped += linear_map_add(&start, &end);
		if (IS_ENABLED(CONFIG_PAGE_ALLOC))
			use_free(start, end);
	}
	pr_debug("linear map: %llu KiB\n", mapped >> 10);
}

#else

/* RAM below the image is the firmware's. */
static void mm_init(void)
{
	phys_addr_t start = virt_to_phys(_start);
	phys_addr_t end = (u64)CONFIG_PLATFORM_RAM_BASE + CONFIG_PLATFORM_RAM_SIZE;
	u64 mapped = linear_map_add(&start, &end);

	if (IS_ENABLED(CONFIG_PAGE_ALLOC))
		page_alloc_add(virt_to_phys(_end), end);
	pr_debug("linear map: %llu KiB\n", mapped >> 10);
}

#endif
INIT(mm, mm_init);
