// SPDX-License-Identifier: MIT
/*
 * The kernel's own reading of the device tree, with the table of memory that it
 * fills, on any bytes: it returns or panics, stays inside the tree, and what it
 * says afterwards lies there too.
 */
#include "../host/of_env.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static jmp_buf panic_jump;

void panicked(const char *text)
{
	CHECK(*text);
	longjmp(panic_jump, 1);
}

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

static bool inside(const void *p, size_t len)
{
	size_t at = (size_t)((const u8 *)p - blob);

	return at <= blob_size && len <= blob_size - at;
}

void found(const struct of_device *dev)
{
	CHECK(dev->compatible_len && inside(dev->compatible, dev->compatible_len));
	CHECK(!dev->compatible[dev->compatible_len - 1]);
}

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
	blob = malloc(size);
	blob_size = size;
	if (!blob)
		abort();
	host_copy(blob, data, size);
	/* The fuzzer should not have to guess these. */
	host_copy(blob, "\xd0\x0d\xfe\xed", 4);
	if (fdt_read32(blob + 4) > size) {
		for (int i = 0; i < 4; i++)
			blob[4 + i] = (uint8_t)(size >> (24 - 8 * i));
	}
	reset_state();
	if (!setjmp(panic_jump)) {
		of_init((uintptr_t)blob);
		ask();
	}
	free(blob);
	return 0;
}
