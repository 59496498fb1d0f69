/* SPDX-License-Identifier: MIT */
/* Memory whose neighbours cannot be touched. */
#ifndef TESTS_HOST_GUARD_H
#define TESTS_HOST_GUARD_H

#include <stddef.h>

/* Bytes between @start and @end; the pages before and after are not accessible. */
struct guarded {
	char *start;
	char *end;
};

/**
 * guarded_alloc() - map at least @size bytes, in whole pages; ends the program if it cannot
 */
struct guarded guarded_alloc(size_t size);

/**
 * guarded_free() - undo guarded_alloc()
 */
void guarded_free(struct guarded g);

#endif
