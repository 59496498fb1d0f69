/* SPDX-License-Identifier: MIT */
/* Names of the kernel's functions and data, by address. */
#ifndef AHOY_KALLSYMS_H
#define AHOY_KALLSYMS_H

#include <ahoy/types.h>

#ifdef CONFIG_KALLSYMS
/**
 * sprint_symbol() - write the symbol that an address belongs to
 * @buf: where to write it, with a NUL
 * @size: bytes in @buf
 * @addr: the address
 * @offset: true: symbol+0xoffset/0xsize, false: the symbol alone
 *
 * Return: the length of the text, or 0 if the address is of no symbol. Context: any.
 */
int sprint_symbol(char *buf, size_t size, unsigned long addr, bool offset);
#else
static inline int sprint_symbol(char *buf, size_t size, unsigned long addr, bool offset)
{
	return 0;
}
#endif

#endif
