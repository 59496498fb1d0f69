// SPDX-License-Identifier: MIT
/* Strings into buffers, which no C library has. */
#include <ahoy/errno.h>
#include <ahoy/string.h>

long strscpy(char *dst, const char *src, size_t size)
{
	size_t n;

	for (n = 0; n < size; n++) {
		dst[n] = src[n];
		if (!src[n])
			return (long)n;
	}
	if (size)
		dst[size - 1] = '\0';
	return -E2BIG;
}
