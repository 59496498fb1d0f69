// SPDX-License-Identifier: MIT
/* What all kernel heaps have in common. */
#include <ahoy/compiler.h>
#include <ahoy/slab.h>
#include <ahoy/string.h>

void *kzalloc(size_t size)
{
	void *p = kmalloc(size);

	heap_set_caller(p, __builtin_return_address(0));
	return p ? memset(p, 0, size) : NULL;
}

void *kcalloc(size_t n, size_t size)
{
	size_t bytes;

	return __builtin_mul_overflow(n, size, &bytes) ? NULL : kzalloc(bytes);
}

void *krealloc(void *p, size_t size)
{
	size_t old;
	void *new;

	if (!p)
		return kmalloc(size);
	old = ksize(p);
	/* It stays where it is, unless that would keep more than half of it for nothing. */
	if (size && size <= old && size > old / 2)
		return p;
	new = kmalloc(size);
	if (!new)
		return NULL;
	memcpy(new, p, min(old, size));
	kfree(p);
	return new;
}
