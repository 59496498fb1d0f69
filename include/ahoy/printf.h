/* SPDX-License-Identifier: MIT */
/*
 * Formatted text into a buffer, as C's printf and Linux's printk have it.
 *
 *   %[flags][width][.precision][length]conversion
 *
 * flags		- + space # 0
 * width, precision	digits, or * for an int argument
 * length		hh h l ll z t j
 * conversion		d i u x X o c s %, and p with these kinds:
 *
 *   %p   the pointer itself, 16 hexadecimal digits: nothing is hashed or hidden
 *   %px  the same
 *   %pS  symbol+offset/size of a code or data address (CONFIG_KALLSYMS, else as %p)
 *   %ps  symbol alone (CONFIG_KALLSYMS, else as %p)
 *   %pa  a phys_addr_t, through a pointer to it: 0x and 16 digits
 *   %pe  an error pointer: -ENOMEM (CONFIG_SYMBOLIC_ERRNAME, else -12); others as %p
 *   %ph  bytes in hexadecimal, "%*ph" with their number (1 to 64): 00 01 ff
 *
 * %s of NULL prints (null), of an error number or an address in page zero
 * (efault). There is no %n, and there are no floating-point numbers: from a
 * conversion that is not known on, the format is printed as it stands, because
 * nobody can tell any more which argument is whose.
 *
 * Where the C library is musl (CONFIG_KERNEL_LIBC_MUSL), vsnprintf() and
 * snprintf() are its own, which know what C has and nothing of this kernel's;
 * scnprintf() and vscnprintf() are as above, and know floating point too.
 *
 * Context: any.
 */
#ifndef AHOY_PRINTF_H
#define AHOY_PRINTF_H

#include <stdarg.h>

#include <ahoy/compiler.h>
#include <ahoy/types.h>

/**
 * vsnprintf() - format into a buffer
 * @buf: where to write; may be NULL when @size is 0
 * @size: bytes in @buf, with room for the NUL that always ends the text unless @size is 0
 * @fmt: see above
 * @args: its arguments; not usable afterwards without va_end and va_start
 *
 * Return: the length of the whole text without NUL, also where @buf was too
 * small for it; INT_MAX where it is longer than that.
 */
int vsnprintf(char *buf, size_t size, const char *fmt, va_list args) __printf(3, 0);

/**
 * snprintf() - as vsnprintf(), with the arguments written out
 * Return: the length of the whole text without NUL.
 */
int snprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);

/**
 * vscnprintf() - as vsnprintf(), but tells what is in the buffer
 * Return: the length of the text in @buf without NUL: less than @size, or 0.
 */
int vscnprintf(char *buf, size_t size, const char *fmt, va_list args) __printf(3, 0);

/**
 * scnprintf() - as vscnprintf(), with the arguments written out
 * Return: the length of the text in @buf without NUL: less than @size, or 0.
 */
int scnprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);

#endif
