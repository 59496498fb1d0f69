/* SPDX-License-Identifier: MIT */
/*
 * Memory and strings. The names that C's own library has behave as it says
 * there; memcpy, memmove, memset and memcmp are also what the compiler calls
 * for copies and clearings that it makes itself.
 *
 * None makes a misaligned access, reads beyond what it must, or calls anything
 * outside this file. Context: any, also before paging is on.
 */
#ifndef AHOY_STRING_H
#define AHOY_STRING_H

#include <ahoy/types.h>

/**
 * memcpy() - copy @n bytes from @src to @dst; they must not overlap
 * Return: @dst.
 */
void *memcpy(void *dst, const void *src, size_t n);

/**
 * memmove() - copy @n bytes from @src to @dst; they may overlap
 * Return: @dst.
 */
void *memmove(void *dst, const void *src, size_t n);

/**
 * memset() - fill @n bytes at @dst with the low byte of @c
 * Return: @dst.
 */
void *memset(void *dst, int c, size_t n);

/**
 * memcmp() - compare @n bytes, as unsigned ones
 * Return: less than, equal to or greater than zero, as @a is to @b.
 */
int memcmp(const void *a, const void *b, size_t n);

/**
 * memchr() - find the first byte equal to the low byte of @c among @n bytes
 * Return: where it is, or NULL.
 */
void *memchr(const void *s, int c, size_t n);

/**
 * strlen() - bytes before the NUL
 * Return: the length of @s.
 */
size_t strlen(const char *s);

/**
 * strnlen() - bytes before the NUL, looking at no more than @max of them
 * Return: the length of @s, or @max.
 */
size_t strnlen(const char *s, size_t max);

/**
 * strcmp() - compare two strings, as unsigned bytes
 * Return: less than, equal to or greater than zero, as @a is to @b.
 */
int strcmp(const char *a, const char *b);

/**
 * strncmp() - compare the first @n bytes of two strings at most
 * Return: less than, equal to or greater than zero, as @a is to @b.
 */
int strncmp(const char *a, const char *b, size_t n);

/**
 * strchr() - find the first @c in @s; the NUL can be looked for too
 * Return: where it is, or NULL.
 */
char *strchr(const char *s, int c);

/**
 * strrchr() - find the last @c in @s; the NUL can be looked for too
 * Return: where it is, or NULL.
 */
char *strrchr(const char *s, int c);

/**
 * strscpy() - copy a string into a buffer of @size bytes, cutting it if it must
 *
 * What is written always ends in a NUL, unless @size is 0. Bytes of @dst after
 * the NUL are left alone; of @src no more than @size bytes are read.
 *
 * Return: the length of the copy without its NUL; -E2BIG if it was cut or @size is 0.
 */
long strscpy(char *dst, const char *src, size_t size);

#endif
