/* SPDX-License-Identifier: MIT */
/* The page that the kernel shares with the functions that programs call for the time. */
#ifndef ASM_VDSO_H
#define ASM_VDSO_H

#include <ahoy/types.h>

struct vdso_data {
	/* Ticks of the time counter, moved up by shift, times this and 2^-64 are nanoseconds. */
	u64 multiplier;
	u64 shift;
	u64 wall_offset; /* of CLOCK_REALTIME from CLOCK_MONOTONIC, in ns */
};

/* The shared object for programs, and its size, whole pages, in *@size. Context: any. */
const void *vdso_image(size_t *size);

/* The page that programs see before it. Context: one at a time, the first time. */
struct vdso_data *vdso_shared(void);

#endif
