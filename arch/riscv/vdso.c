// SPDX-License-Identifier: MIT
/* What programs share with the kernel to read the clocks by themselves. */
#include <ahoy/compiler.h>
#include <ahoy/string.h>
#include <asm/page.h>
#include <asm/vdso.h>

extern const char vdso_start[], vdso_end[];

/* A page of its own, since programs read all of it; vdso_shared() clears it. */
static union {
	struct vdso_data data;
	u8 page[PAGE_SIZE];
} shared __aligned(PAGE_SIZE) __section(".noinit_pages");

const void *vdso_image(size_t *size)
{
	*size = ALIGN((size_t)(vdso_end - vdso_start), (size_t)PAGE_SIZE);
	return vdso_start;
}

struct vdso_data *vdso_shared(void)
{
	static bool cleared;

	if (!cleared)
		memset(&shared, 0, sizeof(shared));
	cleared = true;
	return &shared.data;
}
