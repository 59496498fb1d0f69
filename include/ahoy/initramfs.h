/* SPDX-License-Identifier: MIT */
/* The archive of the first files. */
#ifndef AHOY_INITRAMFS_H
#define AHOY_INITRAMFS_H

#include <ahoy/types.h>

/*
 * Where it is, in the linear map, and its size in *@size: what the boot loader
 * passed, else what is in the image. Return: NULL if there is none. Context: any.
 */
const void *initramfs_find(size_t *size);

#endif
