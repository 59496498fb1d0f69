/* SPDX-License-Identifier: MIT */
/*
 * The kernel's reading of the device tree as a part of one source file, on the
 * host: kernel/of.c and mm/memblock.c with what they need around them. Physical
 * addresses are the host's. The file that includes this defines
 *
 *   void found(const struct of_device *dev);	the driver of all devices
 *   void panicked(const char *text);		which does not return
 */
#ifndef TESTS_HOST_OF_ENV_H
#define TESTS_HOST_OF_ENV_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The only memory that is there. */
static uint8_t *blob;
static size_t blob_size;

#define CHECK(cond)                                                                                \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #cond);         \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* The host's functions under other names, before lib/'s take theirs. */
static inline void host_copy(void *dst, const void *src, size_t n)
{
	memcpy(dst, src, n);
}

static inline const char *host_strchr(const char *s, int c)
{
	return strchr(s, c);
}

#include "rename.h"

#include <ahoy/errno.h>
#include <ahoy/of.h>
#include <ahoy/printf.h>
#include <ahoy/section.h>

void found(const struct of_device *dev);
void panicked(const char *text) __noreturn;

/* The table of drivers is an array here, not the linker's. */
#define DRIVERS 3
#undef LINKER_TABLE
#define LINKER_TABLE(type, table) static const type table##_start[DRIVERS]
#define of_driver_end		  (of_driver_start + DRIVERS)

/* With their variables in sections of their own, where the compiler can. */
#ifdef __clang__
#pragma clang section bss = "state_bss" data = "state_data"
#endif
#include "../../kernel/of.c"
#include "../../mm/memblock.c"
#ifdef __clang__
/* In case one of the two is empty. */
static int in_bss __used;
static int in_data __used = 1;
#pragma clang section bss = "" data = ""
#endif

static const struct of_driver of_driver_start[DRIVERS] = {
	{ .compatible = "ns16550a", .len = 8, .found = found },
	{ .compatible = "sifive,uart0", .len = 12, .found = found },
	{ .compatible = "sifive,test0", .len = 12, .found = found },
};

void panic(const char *fmt, ...)
{
	char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	panicked(text);
}

int sprint_symbol(char *buf, size_t size, unsigned long addr, bool offset)
{
	(void)buf, (void)size, (void)addr, (void)offset;
	return 0;
}

int io_probe_read32(const void *addr, u32 *value)
{
	size_t at = (size_t)((const u8 *)addr - blob);

	*value = 0;
	return at < blob_size ? 0 : -EFAULT;
}

int map_readonly_early(phys_addr_t pa, size_t size)
{
	CHECK(pa == (uintptr_t)blob);
	return size <= blob_size ? 0 : -ERANGE;
}

#endif
