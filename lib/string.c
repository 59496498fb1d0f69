// SPDX-License-Identifier: MIT
/*
 * Memory and strings.
 *
 * Where both pointers allow it, whole words are moved: instructions are what
 * this project counts. An access is never misaligned, because a hart may trap
 * on those to firmware, which costs hundreds of instructions, or not take them
 * at all. The compiler must not recognise these loops as what they implement
 * (a memset that calls memset): -ffreestanding tells clang, and
 * -fno-tree-loop-distribute-patterns tells GCC.
 */
#include <ahoy/compiler.h>
#include <ahoy/string.h>

/* A word of memory, whatever type it was written as. */
typedef unsigned long __attribute__((__may_alias__)) word_t;

#define WORD sizeof(word_t)

static inline bool word_aligned(const void *p)
{
	return IS_ALIGNED((uintptr_t)p, WORD);
}

/* Both pointers reach a word boundary at the same time. */
static inline bool aligned_alike(const void *a, const void *b)
{
	return IS_ALIGNED((uintptr_t)a ^ (uintptr_t)b, WORD);
}

/*
 * Always copies upward, and reads what it is about to overwrite first: memmove
 * relies on both.
 *
 * __used, here and below: the compiler's own calls appear after link-time
 * optimisation has decided what is needed. --gc-sections still drops them.
 */
__used void *memcpy(void *dst, const void *src, size_t n)
{
	u8 *d = dst;
	const u8 *s = src;
	u8 *end = d + n;

	if (aligned_alike(d, s)) {
		while (d != end && !word_aligned(d))
			*d++ = *s++;
		while ((size_t)(end - d) >= 4 * WORD) {
			word_t a = ((const word_t *)s)[0];
			word_t b = ((const word_t *)s)[1];
			word_t c = ((const word_t *)s)[2];
			word_t e = ((const word_t *)s)[3];

			((word_t *)d)[0] = a;
			((word_t *)d)[1] = b;
			((word_t *)d)[2] = c;
			((word_t *)d)[3] = e;
			d += 4 * WORD;
			s += 4 * WORD;
		}
		while ((size_t)(end - d) >= WORD) {
			*(word_t *)d = *(const word_t *)s;
			d += WORD;
			s += WORD;
		}
	}
	while (d != end)
		*d++ = *s++;
	return dst;
}

__used void *memmove(void *dst, const void *src, size_t n)
{
	u8 *d = (u8 *)dst + n;
	const u8 *s = (const u8 *)src + n;

	/* Copying upward is right unless dst begins inside the source. */
	if ((uintptr_t)dst - (uintptr_t)src >= n)
		return memcpy(dst, src, n);

	if (aligned_alike(d, s)) {
		while (d != dst && !word_aligned(d))
			*--d = *--s;
		while ((size_t)(d - (u8 *)dst) >= WORD) {
			d -= WORD;
			s -= WORD;
			*(word_t *)d = *(const word_t *)s;
		}
	}
	while (d != dst)
		*--d = *--s;
	return dst;
}

/* By hand: GCC unrolls no loops. */
static __always_inline void set4(word_t *p, word_t w)
{
	p[0] = p[1] = p[2] = p[3] = w;
}

static __always_inline void set16(word_t *p, word_t w)
{
	set4(p, w);
	set4(p + 4, w);
	set4(p + 8, w);
	set4(p + 12, w);
}

__used void *memset(void *dst, int c, size_t n)
{
	u8 *d = dst;
	u8 *end = d + n;
	/* The byte in each byte of the word. */
	word_t w = (u8)c * (~0UL / 0xff), *p, *stop;

	while (d != end && !word_aligned(d))
		*d++ = (u8)c;
	p = (word_t *)d;
	n = (size_t)(end - d) / WORD;
	/* Thirty-two words at a time: what is cleared is mostly whole pages. */
	for (stop = p + n / 32 * 32; p != stop; p += 32) {
		set16(p, w);
		set16(p + 16, w);
	}
	for (stop = p + n % 32 / 4 * 4; p != stop; p += 4)
		set4(p, w);
	for (stop = p + n % 4; p != stop; p++)
		*p = w;
	d = (u8 *)p;
	while (d != end)
		*d++ = (u8)c;
	return dst;
}

__used int memcmp(const void *a, const void *b, size_t n)
{
	const u8 *p = a;
	const u8 *q = b;

	/* Whole words only tell that they differ; the bytes then tell how. */
	if (word_aligned(p) && word_aligned(q)) {
		for (; n >= WORD && *(const word_t *)p == *(const word_t *)q; n -= WORD) {
			p += WORD;
			q += WORD;
		}
	}
	for (; n; n--, p++, q++) {
		if (*p != *q)
			return *p - *q;
	}
	return 0;
}

void *memchr(const void *s, int c, size_t n)
{
	const u8 *p = s;

	for (; n; n--, p++) {
		if (*p == (u8)c)
			return (void *)(uintptr_t)p;
	}
	return NULL;
}

size_t strlen(const char *s)
{
	const char *p = s;

	while (*p)
		p++;
	return (size_t)(p - s);
}

size_t strnlen(const char *s, size_t max)
{
	size_t n = 0;

	while (n < max && s[n])
		n++;
	return n;
}

int strcmp(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return (u8)*a - (u8)*b;
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n; n--, a++, b++) {
		if (!*a || *a != *b)
			return (u8)*a - (u8)*b;
	}
	return 0;
}

char *strchr(const char *s, int c)
{
	for (; *s != (char)c; s++) {
		if (!*s)
			return NULL;
	}
	return (char *)(uintptr_t)s;
}

char *strrchr(const char *s, int c)
{
	const char *last = NULL;

	do {
		if (*s == (char)c)
			last = s;
	} while (*s++);
	return (char *)(uintptr_t)last;
}
