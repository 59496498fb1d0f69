// SPDX-License-Identifier: MIT
/* Copies that end where the program's memory does, as those of read() and write(). */
#include "file.h"
#include <ahoy/compiler.h>
#include <ahoy/errno.h>

/* How much of @n bytes at @addr are on one page */
static size_t on_page(const void __user *addr, size_t n)
{
	return min(n, USER_PAGE_SIZE - (unsigned long)addr % USER_PAGE_SIZE);
}

static noinline long put_pages(char __user *dst, const char *src, size_t n)
{
	size_t done = 0;

	while (done < n) {
		size_t piece = on_page(dst + done, n - done);

		if (copy_to_user(dst + done, src + done, piece))
			break;
		done += piece;
	}
	return done ? (long)done : -EFAULT;
}

static noinline long take_pages(char *dst, const char __user *src, size_t n)
{
	size_t done = 0;

	while (done < n) {
		size_t piece = on_page(src + done, n - done);

		if (copy_from_user(dst + done, src + done, piece))
			break;
		done += piece;
	}
	return done ? (long)done : -EFAULT;
}

static noinline long clear_pages(char __user *dst, size_t n)
{
	size_t done = 0;

	while (done < n) {
		size_t piece = on_page(dst + done, n - done);

		if (clear_user(dst + done, piece))
			break;
		done += piece;
	}
	return done ? (long)done : -EFAULT;
}

long user_put(void __user *dst, const void *src, size_t n)
{
	return likely(!copy_to_user(dst, src, n)) ? (long)n : put_pages(dst, src, n);
}

long user_take(void *dst, const void __user *src, size_t n)
{
	return likely(!copy_from_user(dst, src, n)) ? (long)n : take_pages(dst, src, n);
}

long user_clear(void __user *dst, size_t n)
{
	return likely(!clear_user(dst, n)) ? (long)n : clear_pages(dst, n);
}

bool call_interrupted(void)
{
	static const u32 word;

	return wait_on_interruptible(&word, 1, 0) == -EINTR;
}
