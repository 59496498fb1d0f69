// SPDX-License-Identifier: MIT
/*
 * What the kernel makes of device trees: of those given as files on the command
 * line, and of changed ones. Each is read in a process of its own, as a kernel
 * reads one in its life, which says in text what it found.
 */
#include "of_env.h"

#undef memcpy
#undef memset
#undef strcmp
#undef strlen
#undef strrchr

#include <cmocka.h>

/* -- in the process that reads ----------------------------------------------- */

static FILE *report;
static struct of_device devices[16];
static u64 paths[16];
static unsigned int device_count;

void found(const struct of_device *dev)
{
	CHECK(device_count < ARRAY_SIZE(devices));
	paths[device_count] = of_path(dev);
	devices[device_count++] = *dev;
}

void panicked(const char *message)
{
	/* "device tree at 0x...: reason" */
	fprintf(report, "panic%s\n", host_strchr(message, ':'));
	fflush(report);
	_exit(0);
}

/* One line a device (* is stdout), one for the rest, one a range of memory. */
static void say_what_was_found(void)
{
	phys_addr_t start, end = 0;
	const char *args;
	size_t len;
	u32 baud;
	u64 path = of_stdout(&baud);

	for (unsigned int i = 0; i < device_count; i++) {
		const struct of_device *dev = &devices[i];

		fprintf(report, "%s%s 0x%llx+0x%llx", paths[i] == path ? "*" : "", dev->compatible,
			dev->base, dev->size);
		if (dev->clock_frequency || dev->current_speed || dev->reg_shift ||
		    dev->reg_io_width)
			fprintf(report, " clock=%u speed=%u shift=%u width=%u",
				dev->clock_frequency, dev->current_speed, dev->reg_shift,
				dev->reg_io_width);
		fprintf(report, "\n");
	}
	args = of_bootargs(&len);
	fprintf(report, "timebase=%u baud=%u args=[%.*s]\n", of_timebase_frequency(), baud,
		args ? (int)len : 0, args ? args : "");
	while (memblock_next_mappable(end, &start, &end))
		fprintf(report, "memory 0x%llx-0x%llx\n", start, end);
}

/* -- in the test --------------------------------------------------------------- */

static char text[4096];

/* Read a tree of @size bytes in another process. Return: what it says. */
static const char *read_tree_of(const uint8_t *bytes, size_t size)
{
	size_t len = 0, n;
	int fds[2], status;
	pid_t child;

	assert_int_equal(pipe(fds), 0);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		/* It comes to an end in any case. */
		alarm(10);
		close(fds[0]);
		report = fdopen(fds[1], "w");
		blob = malloc(size);
		blob_size = size;
		CHECK(report && blob);
		host_copy(blob, bytes, size);
		of_init((uintptr_t)blob);
		say_what_was_found();
		fflush(report);
		_exit(0);
	}
	close(fds[1]);
	while ((n = (size_t)read(fds[0], text + len, sizeof(text) - 1 - len)) > 0 &&
	       n < sizeof(text))
		len += n;
	close(fds[0]);
	text[len] = '\0';
	assert_int_equal(waitpid(child, &status, 0), child);
	if (status)
		print_error("the reader ended with status 0x%x, after: %s\n", (unsigned int)status,
			    text);
	assert_int_equal(status, 0);
	return text;
}

static char **files;
static uint8_t bytes[64 * 1024];

/* Read a file of the command line by the end of its name. Return: its size. */
static size_t load(const char *name)
{
	for (char **file = files; *file; file++) {
		const char *base = strrchr(*file, '/');
		size_t size;
		FILE *f;

		if (strcmp(base ? base + 1 : *file, name))
			continue;
		f = fopen(*file, "rb");
		assert_non_null(f);
		size = fread(bytes, 1, sizeof(bytes), f);
		fclose(f);
		assert_true(size > 0 && size < sizeof(bytes));
		return size;
	}
	print_error("%s is not on the command line\n", name);
	fail();
	return 0;
}

static void check_tree(const char *name, const char *expected)
{
	size_t size = load(name);

	assert_string_equal(read_tree_of(bytes, size), expected);
}

static void qemu_machines(void **state)
{
	(void)state;
	check_tree("qemu-virt.dtb",
		   "*ns16550a 0x10000000+0x100 clock=3686400 speed=0 shift=0 width=0\n"
		   "sifive,test1 0x100000+0x1000\n"
		   "timebase=10000000 baud=0 args=[]\n"
		   "memory 0x80000000-0x88000000\n");
	check_tree("qemu-virt-8.dtb",
		   "*ns16550a 0x10000000+0x100 clock=3686400 speed=0 shift=0 width=0\n"
		   "sifive,test1 0x100000+0x1000\n"
		   "timebase=10000000 baud=0 args=[]\n"
		   "memory 0x80000000-0x88000000\n");
	/* the console is SBI's */
	check_tree("qemu-spike.dtb", "timebase=10000000 baud=0 args=[]\n"
				     "memory 0x80000000-0x88000000\n");
	check_tree("qemu-sifive_u.dtb", "*sifive,uart0 0x10010000+0x1000\n"
					"sifive,uart0 0x10011000+0x1000\n"
					"timebase=1000000 baud=0 args=[]\n"
					"memory 0x80000000-0x88000000\n");
}

static void small(void **state)
{
	(void)state;
	check_tree("small.dtb", "*ns16550a 0x10000000+0x100 clock=3686400 speed=0 shift=0 width=0\n"
				"timebase=0 baud=115200 args=[quiet console=ttyS0]\n"
				"memory 0x80000000-0x88000000\n");
}

static void buses(void **state)
{
	(void)state;
	check_tree("buses.dtb",
		   "*vendor,serial 0x420000104+0x20 clock=1843200 speed=115200 shift=2 width=4\n"
		   "sifive,uart0 0x300000000+0x20\n"
		   "sifive,uart0 0x0+0x20\n"
		   "sifive,test0 0x420000000+0x10\n"
		   "sifive,test0 0x0+0x10\n"
		   "timebase=1000 baud=9600 args=[a b=c]\n"
		   "memory 0x80000000-0x80002000\n"
		   "memory 0x100000000-0x100001000\n");
}

/* Two banks; of one the beginning must not be mapped, of the other it is only taken. */
static void reserved_memory(void **state)
{
	(void)state;
	check_tree("odd.dtb", "timebase=0 baud=0 args=[]\n"
			      "memory 0x80080000-0x80100000\n"
			      "memory 0x90000000-0x90200000\n");
}

static void hostile(void **state)
{
	(void)state;
	check_tree("hostile.dtb", "ns16550a 0x0+0x0\n"
				  "ns16550a 0x0+0x0\n"
				  "timebase=0 baud=0 args=[]\n"
				  "memory 0x80000000-0x88000000\n");
}

/* Nodes like the one before, and nodes that only seem so. */
static void rows(void **state)
{
	(void)state;
	check_tree("rows.dtb", "vendor,net00 0x3+0x1\n"
			       "vendor,net00 0x5+0x1\n"
			       "ns16550 0x7+0x1\n"
			       "vendör,nét 0x8+0x1\n"
			       "ns16550a 0x9+0x0\n"
			       "timebase=0 baud=0 args=[]\n"
			       "memory 0x80000000-0x80100000\n");
}

/* -- trees that cannot be used, each with its reason ----------------------------- */

static void put32(size_t at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		bytes[at + (size_t)i] = (uint8_t)(value >> (24 - 8 * i));
}

static uint32_t get32(size_t at)
{
	return (uint32_t)bytes[at] << 24 | (uint32_t)bytes[at + 1] << 16 |
	       (uint32_t)bytes[at + 2] << 8 | bytes[at + 3];
}

/* Behind the properties and NOPs at @at, each second of which takes its name from the copy. */
static size_t rename_props(size_t at, uint32_t copy, unsigned int *count)
{
	for (; get32(at) == FDT_PROP; at += ALIGN(12 + get32(at + 4), 4))
		if (++*count % 2)
			put32(at + 8, get32(at + 8) + copy);
	return at;
}

/* All names are there twice, and used by turns. */
static void names_twice(void **state)
{
	static const char *const trees[] = { "rows.dtb", "buses.dtb", "qemu-virt.dtb" };
	static char expected[sizeof(text)];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(trees); i++) {
		size_t size = load(trees[i]), at = get32(8), strings = get32(12);
		uint32_t strings_size = get32(32);
		unsigned int count = 0;

		host_copy(expected, read_tree_of(bytes, size), sizeof(expected));
		/* dtc has the names at the end */
		assert_int_equal(strings + strings_size, size);
		host_copy(bytes + size, bytes + strings, strings_size);
		put32(32, 2 * strings_size);
		put32(4, (uint32_t)size + strings_size);
		while (get32(at) != FDT_END) {
			if (get32(at) == FDT_BEGIN_NODE)
				at = ALIGN(at + 4 + strlen((char *)bytes + at + 4) + 1, 4);
			else
				at += 4;
			at = rename_props(at, strings_size, &count);
		}
		assert_true(count > 20);
		assert_string_equal(read_tree_of(bytes, size + strings_size), expected);
	}
}

static void refused(void **state)
{
	static const struct {
		size_t at;
		uint32_t value;
		const char *why;
	} rows[] = {
		{ 0, 0, "panic: no magic number\n" },
		{ 4, 39, "panic: impossible size\n" },
		{ 4, FDT_MAX_SIZE + 1, "panic: impossible size\n" },
		{ 4, 0x10000, "panic: reaches beyond the end of memory\n" },
		{ 20, 16, "panic: not version 17\n" },
		{ 24, 18, "panic: not version 17\n" },
		{ 8, 0xfffffff0, "panic: header describes blocks outside of it\n" },
		{ 12, 0xfffffff0, "panic: header describes blocks outside of it\n" },
		{ 36, 0, "panic: broken structure\n" },
		{ 36, 200, "panic: broken structure\n" },
	};
	size_t size;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size = load("small.dtb");
		put32(rows[i].at, rows[i].value);
		assert_string_equal(read_tree_of(bytes, size), rows[i].why);
	}

	/* "memory" as a type, and not as the beginning of a name */
	size = load("small.dtb");
	for (size_t i = 0; i + 7 <= size; i++) {
		if (!memcmp(bytes + i, "memory", 7))
			bytes[i] = 'n';
	}
	assert_string_equal(read_tree_of(bytes, size), "panic: no memory node\n");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(qemu_machines), cmocka_unit_test(small),
		cmocka_unit_test(buses),	 cmocka_unit_test(reserved_memory),
		cmocka_unit_test(hostile),	 cmocka_unit_test(rows),
		cmocka_unit_test(names_twice),	 cmocka_unit_test(refused),
	};

	(void)argc;
	files = argv + 1;
	return cmocka_run_group_tests_name("of", tests, NULL, NULL);
}
