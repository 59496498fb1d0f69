// SPDX-License-Identifier: MIT
/*
 * The kernel's own reading of the device tree, with the table of memory that it
 * fills, on any bytes: it returns or panics, stays inside the tree, and what it
 * says afterwards lies there too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(cond)                                                                                \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #cond);         \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

static uint8_t *blob;
static size_t blob_size;
static jmp_buf panicked;

/* Before lib/'s functions take the host's names. */
static uint8_t *copy_input(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size);

	if (!copy)
		abort();
	return memcpy(copy, data, size);
}

#include "../host/rename.h"

#include <ahoy/printf.h>
#include <ahoy/section.h>

/* The table of drivers is an array here, not the linker's. */
#define DRIVERS 3
#undef LINKER_TABLE
#define LINKER_TABLE(type, table) static const type table##_start[DRIVERS]
#define of_driver_end		  (of_driver_start + DRIVERS)

/* The sources, with their variables in sections of their own. */
#pragma clang section bss = "state_bss" data = "state_data"
#include "../../kernel/of.c"
#include "../../mm/memblock.c"
/* In case one of the two is empty. */
static int in_bss __used;
static int in_data __used = 1;
#pragma clang section bss = "" data = ""

extern char __start_state_bss[], __stop_state_bss[], __start_state_data[], __stop_state_data[];

/* Each input finds the variables as they were at first. */
__attribute__((__no_sanitize__("address"))) static void reset_state(void)
{
	size_t size = (size_t)(__stop_state_data - __start_state_data);
	static char *saved;

	if (!saved) {
		saved = malloc(size);
		if (!saved)
			abort();
		for (size_t i = 0; i < size; i++)
			saved[i] = __start_state_data[i];
	}
	for (size_t i = 0; i < size; i++)
		__start_state_data[i] = saved[i];
	for (char *p = __start_state_bss; p < __stop_state_bss; p++)
		*p = 0;
}

void panic(const char *fmt, ...)
{
	char text[256];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vscnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	CHECK(len > 0);
	longjmp(panicked, 1);
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

static bool inside(const void *p, size_t len)
{
	size_t at = (size_t)((const u8 *)p - blob);

	return at <= blob_size && len <= blob_size - at;
}

static void found(const struct of_device *dev)
{
	CHECK(dev->compatible_len && inside(dev->compatible, dev->compatible_len));
	CHECK(!dev->compatible[dev->compatible_len - 1]);
}

static const struct of_driver of_driver_start[DRIVERS] = {
	{ .compatible = "ns16550a", .found = found },
	{ .compatible = "sifive,uart0", .found = found },
	{ .compatible = "sifive,test0", .found = found },
};

static void ask(void)
{
	phys_addr_t from = 0, start, end;
	unsigned int ranges = 0;
	const char *args;
	size_t len;
	u32 baud;

	args = of_bootargs(&len);
	CHECK(!args || (len && inside(args, len + 1)));
	of_stdout(&baud);
	of_timebase_frequency();
	CHECK(memblock_has_memory());
	CHECK(memblock_overlaps_memory(0, U64_MAX));
	for (; memblock_next_mappable(from, &start, &end); from = end) {
		CHECK(start < end && start >= from);
		CHECK(++ranges <= MAX_BANKS + MAX_RESERVED);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < FDT_HEADER_SIZE || size > FDT_MAX_SIZE)
		return 0;
	blob = copy_input(data, size);
	blob_size = size;
	/* The fuzzer should not have to guess these. */
	memcpy(blob, "\xd0\x0d\xfe\xed", 4);
	if (fdt_read32(blob + 4) > size) {
		for (int i = 0; i < 4; i++)
			blob[4 + i] = (uint8_t)(size >> (24 - 8 * i));
	}
	reset_state();
	if (!setjmp(panicked)) {
		of_init((uintptr_t)blob);
		ask();
	}
	free(blob);
	return 0;
}
