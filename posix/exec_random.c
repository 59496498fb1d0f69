// SPDX-License-Identifier: MIT
/* Programs that lie somewhere else each time. */
#include "exec.h"

unsigned long random_offset(unsigned long pages)
{
	unsigned long value;

	random_bytes(&value, sizeof(value));
	return value % pages * USER_PAGE_SIZE;
}
