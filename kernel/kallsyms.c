// SPDX-License-Identifier: MIT
/*
 * Function names by address. scripts/kallsyms.py makes the tables: sorted
 * addresses relative to the image's start, and for each the place of its name.
 */
#include <ahoy/kallsyms.h>
#include <ahoy/printf.h>
#include <asm/page.h>

extern const u32 kallsyms_count;
extern const u32 kallsyms_offsets[]; /* count + 1: the last is where text ends */
extern const u32 kallsyms_places[];
extern const char kallsyms_names[];

int sprint_symbol(char *buf, size_t size, unsigned long addr, bool offset)
{
	u32 at = addr - (unsigned long)_start, low = 0, high = kallsyms_count;
	const char *name;

	if (addr < (unsigned long)_start || !high || at >= kallsyms_offsets[high] ||
	    at < kallsyms_offsets[0])
		return 0;
	/* The last one that does not begin behind the address. */
	while (high - low > 1) {
		u32 middle = (low + high) / 2;

		if (kallsyms_offsets[middle] <= at)
			low = middle;
		else
			high = middle;
	}
	name = kallsyms_names + kallsyms_places[low];
	if (!offset)
		return scnprintf(buf, size, "%s", name);
	return scnprintf(buf, size, "%s+0x%x/0x%x", name, at - kallsyms_offsets[low],
			 kallsyms_offsets[low + 1] - kallsyms_offsets[low]);
}
