// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guard.h"

struct guarded guarded_alloc(size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t len = (size + page - 1) / page * page;
	char *map = mmap(NULL, len + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED || mprotect(map + page, len, PROT_READ | PROT_WRITE)) {
		perror("guarded_alloc");
		exit(1);
	}
	return (struct guarded){ .start = map + page, .end = map + page + len };
}

void guarded_free(struct guarded g)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	munmap(g.start - page, (size_t)(g.end - g.start) + 2 * page);
}
