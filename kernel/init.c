// SPDX-License-Identifier: MIT
#include <ahoy/init.h>

LINKER_TABLE(struct init_row, init);

void init_run(u8 level)
{
	const struct init_row *row;

	for_each_row(row, init)
		if (row->level == level)
			row->fn();
}
