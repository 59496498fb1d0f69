// SPDX-License-Identifier: MIT
/* The instructions in memory, each with the mode in which it runs and its count. */
#include <inttypes.h>
#include <stdlib.h>

#include "plugin.h"

/* An open-addressed hash table; its size is a power of two. */
static struct site **table;
static size_t table_size;
static size_t table_used;

static size_t site_hash(uint64_t vaddr, enum mode mode)
{
	return (size_t)(((vaddr >> 1) * MODES + mode) * UINT64_C(0x9e3779b97f4a7c15) >> 20);
}

static void table_insert(struct site *site)
{
	size_t i = site_hash(site->vaddr, site->mode) & (table_size - 1);

	while (table[i])
		i = (i + 1) & (table_size - 1);
	table[i] = site;
}

static void table_grow(void)
{
	struct site **old = table;
	size_t old_size = table_size;

	table_size = old_size ? old_size * 2 : 4096;
	table = calloc(table_size, sizeof(*table));
	if (!table)
		die("out of memory", "");
	for (size_t i = 0; i < old_size; i++)
		if (old[i])
			table_insert(old[i]);
	free(old);
}

struct site *site_get(uint64_t vaddr, enum mode mode)
{
	struct site *site;

	if (table_used * 2 >= table_size)
		table_grow();
	for (size_t i = site_hash(vaddr, mode);; i++) {
		site = table[i & (table_size - 1)];
		if (!site)
			break;
		if (site->vaddr == vaddr && site->mode == mode)
			return site;
	}
	site = malloc(sizeof(*site));
	if (!site)
		die("out of memory", "");
	*site = (struct site){ .vaddr = vaddr, .mode = mode };
	table_insert(site);
	table_used++;
	return site;
}

void sites_dump(unsigned int phase)
{
	for (size_t i = 0; option.sites && i < table_size; i++) {
		struct site *site = table[i];

		if (!site || !site->count)
			continue;
		fprintf(out, "site %u %s %#" PRIx64 " %" PRIu64 "\n", phase, mode_names[site->mode],
			site->vaddr, site->count);
		site->count = 0;
	}
}
