// SPDX-License-Identifier: MIT
/* lib/elf.c: programs as they are, and with one thing wrong at a time. */
#include "lib.h"

#include <cmocka.h>

#define FILE_SIZE 0x5000
#define ADDR_END  (1ULL << 38)
#define PHDRS	  6

struct program {
	struct elf_header header;
	struct elf_phdr phdrs[PHDRS];
};

/* Code, data with zeroes behind, an interpreter, a stack; of what GNU ld makes. */
static struct program good(void)
{
	return (struct program){
		.header = {
			.ident = { 0x7f, 'E', 'L', 'F', 2, 1, 1 },
			.type = 2, .machine = 243, .version = 1,
			.entry = 0x10400, .phoff = 64, .flags = 5,
			.ehsize = 64, .phentsize = 56, .phnum = PHDRS, .shentsize = 64,
		},
		.phdrs = {
			{ .type = 0x70000003, .flags = 4, .offset = 0x3000, .filesz = 0x51 },
			{ .type = 3, .flags = 4, .offset = 0x200, .vaddr = 0x10200,
			  .filesz = 16, .memsz = 16, .align = 1 },
			{ .type = 1, .flags = 5, .vaddr = 0x10000, .filesz = 0x1800,
			  .memsz = 0x1800, .align = 0x1000 },
			{ .type = 1, .flags = 6, .offset = 0x1800, .vaddr = 0x12800,
			  .filesz = 0x300, .memsz = 0x2000, .align = 0x1000 },
			{ .type = 6, .flags = 4, .offset = 64, .vaddr = 0x10040 },
			{ .type = 0x6474e551, .flags = 6 },
		},
	};
}

static int check(const struct program *p, struct elf_image *image)
{
	struct elf_image ignored;
	int err = elf_check_header(&p->header, FILE_SIZE);

	return err ? err
		   : elf_check_segments(&p->header, p->phdrs, FILE_SIZE, ADDR_END,
					image ? image : &ignored);
}

static void a_program(void **state)
{
	struct program p = good();
	struct elf_image image;

	(void)state;
	assert_int_equal(check(&p, &image), 0);
	assert_false(image.relocatable || image.executable_stack);
	assert_int_equal(image.start, 0x10000);
	assert_int_equal(image.end, 0x15000);
	assert_int_equal(image.align, 0x1000);
	assert_int_equal(image.entry, 0x10400);
	assert_int_equal(image.phdrs, 0x10040);
	assert_int_equal(image.interp, 0x200);
	assert_int_equal(image.interp_size, 16);
	assert_false(elf_writable_code(&p.header, p.phdrs));
}

static void anywhere(void **state)
{
	struct program p = good();
	struct elf_image image;

	(void)state;
	p.header.type = 3;
	for (int i = 2; i < 4; i++)
		p.phdrs[i].vaddr -= 0x10000;
	p.phdrs[3].align = 0x200000;
	p.header.entry = 0x400;
	assert_int_equal(check(&p, &image), 0);
	assert_true(image.relocatable);
	assert_int_equal(image.start, 0);
	assert_int_equal(image.end, 0x5000);
	assert_int_equal(image.align, 0x200000);
	assert_int_equal(image.phdrs, 0x40);
	/* The same at a place of its own would have the first page. */
	p.header.type = 2;
	assert_int_equal(check(&p, &image), -ENOEXEC);
}

/* Set @field of a good program to @value: the answer is @err. */
#define WITH(field, value, err)                                                                    \
	do {                                                                                       \
		struct program p = good();                                                         \
		p.field = (value);                                                                 \
		if (check(&p, NULL) != (err))                                                      \
			print_error("%s = %s\n", #field, #value);                                  \
		assert_int_equal(check(&p, NULL), err);                                            \
	} while (0)

static void headers(void **state)
{
	(void)state;
	for (int i = 0; i < 7; i++)
		WITH(header.ident[i], 0x55, -ENOEXEC);
	WITH(header.ident[4], 1, -ENOEXEC); /* 32 bits */
	WITH(header.ident[5], 2, -ENOEXEC); /* big-endian */
	WITH(header.ident[7], 3, 0);	    /* GNU */
	WITH(header.ident[7], 9, -ENOEXEC); /* FreeBSD */
	WITH(header.type, 1, -ENOEXEC);
	WITH(header.type, 4, -ENOEXEC);
	WITH(header.machine, 62, -ENOEXEC);
	WITH(header.version, 2, -ENOEXEC);
	WITH(header.ehsize, 52, -ENOEXEC);
	WITH(header.phentsize, 32, -ENOEXEC);
	WITH(header.phentsize, 64, -ENOEXEC);
	WITH(header.phnum, 0, -ENOEXEC);
	WITH(header.phnum, 0xffff, -ENOEXEC);
	WITH(header.phoff, 65, -ENOEXEC);
	WITH(header.phoff, FILE_SIZE, -ENOEXEC);
	WITH(header.phoff, ~7ULL, -ENOEXEC);
	/* Floating-point arguments in no, single, double and quad registers */
	WITH(header.flags, 0, 0);
	WITH(header.flags, 2, 0);
	WITH(header.flags, 4, 0);
	WITH(header.flags, 6, -ENOEXEC);
	WITH(header.flags, 8, -ENOEXEC);  /* RV32E */
	WITH(header.flags, 16, -ENOEXEC); /* total store order */
}

static void program_headers_in_the_file(void **state)
{
	struct program p = good();
	u64 end = p.header.phoff + sizeof(p.phdrs);

	(void)state;
	assert_int_equal(elf_check_header(&p.header, end), 0);
	assert_int_equal(elf_check_header(&p.header, end - 1), -ENOEXEC);
	assert_int_equal(elf_check_header(&p.header, 63), -ENOEXEC);
}

static void segments(void **state)
{
	(void)state;
	WITH(header.entry, 0x10402, 0);
	WITH(header.entry, 0x10401, -ENOEXEC);
	WITH(header.entry, 0x12800, -ENOEXEC); /* data */
	WITH(header.entry, 0x11800, -ENOEXEC); /* behind the code */
	WITH(header.entry, 0, -ENOEXEC);
	WITH(phdrs[2].flags, 4, -ENOEXEC);
	WITH(phdrs[2].filesz, 0x1801, -ENOEXEC); /* more than it has in memory */
	WITH(phdrs[2].vaddr, 0x10001, -ENOEXEC); /* not as in the file */
	WITH(phdrs[2].vaddr, 0, -ENOEXEC);
	WITH(phdrs[2].align, 3, -ENOEXEC);
	WITH(phdrs[2].align, 1ULL << 63, -ENOEXEC);
	WITH(phdrs[2].align, 0, 0);
	WITH(phdrs[2].align, 1, 0);
	WITH(phdrs[3].offset, FILE_SIZE - 0x800 + 0x1000, -ENOEXEC);
	WITH(phdrs[3].offset, ~0ULL - 0x7ff, -ENOEXEC);
	WITH(phdrs[3].memsz, ~0ULL, -ENOEXEC);
	WITH(phdrs[3].memsz, ADDR_END - 0x12800, 0);
	WITH(phdrs[3].memsz, ADDR_END - 0x12800 + 1, -ENOEXEC);
	WITH(phdrs[3].vaddr, ADDR_END - 0x1800, -ENOEXEC);
	WITH(phdrs[3].vaddr, 0xffffffff80000800, -ENOEXEC);
	WITH(phdrs[3].vaddr, 0x11800, -ENOEXEC); /* shares a page */
	WITH(phdrs[3].vaddr, 0x10800, -ENOEXEC); /* overlaps */
	WITH(phdrs[3].vaddr, 0x8800, -ENOEXEC);	 /* not in order */
	WITH(phdrs[3].memsz, 0, -ENOEXEC);
}

static void no_segment(void **state)
{
	struct program p = good();

	(void)state;
	p.phdrs[2].type = 0;
	p.phdrs[3].type = 0;
	assert_int_equal(check(&p, NULL), -ENOEXEC);
	/* One of nothing is none, and does not matter. */
	p = good();
	p.phdrs[3].filesz = 0;
	p.phdrs[3].memsz = 0;
	p.phdrs[3].vaddr = 3;
	assert_int_equal(check(&p, NULL), 0);
}

static void interpreters(void **state)
{
	struct program p = good();

	(void)state;
	WITH(phdrs[1].filesz, 1, -ENOEXEC);
	WITH(phdrs[1].filesz, 4096, 0);
	WITH(phdrs[1].filesz, 4097, -ENOEXEC);
	WITH(phdrs[1].offset, FILE_SIZE - 15, -ENOEXEC);
	WITH(phdrs[1].offset, ~0ULL, -ENOEXEC);
	WITH(phdrs[1].offset, 0, -ENOEXEC);
	p.phdrs[0] = p.phdrs[1];
	assert_int_equal(check(&p, NULL), -ENOEXEC);

	assert_int_equal(elf_check_interp("/ld", 4), 0);
	assert_int_equal(elf_check_interp("/ld", 3), -ENOEXEC);
	assert_int_equal(elf_check_interp("/l\0d", 5), -ENOEXEC);
	assert_int_equal(elf_check_interp("", 1), -ENOEXEC);
}

static void writable_code(void **state)
{
	struct program p = good();
	struct elf_image image;

	(void)state;
	p.phdrs[3].flags = 7;
	assert_int_equal(check(&p, NULL), 0);
	assert_true(elf_writable_code(&p.header, p.phdrs));
	p = good();
	p.phdrs[5].flags = 7;
	assert_int_equal(check(&p, &image), 0);
	assert_true(image.executable_stack);
	assert_true(elf_writable_code(&p.header, p.phdrs));
}

/* Program headers that no segment shows cannot be found in memory. */
static void hidden_headers(void **state)
{
	struct program p = good();
	struct elf_image image;

	(void)state;
	p.header.phoff = 0x4000;
	assert_int_equal(check(&p, &image), 0);
	assert_int_equal(image.phdrs, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_program),	  cmocka_unit_test(anywhere),
		cmocka_unit_test(headers),	  cmocka_unit_test(program_headers_in_the_file),
		cmocka_unit_test(segments),	  cmocka_unit_test(no_segment),
		cmocka_unit_test(interpreters),	  cmocka_unit_test(writable_code),
		cmocka_unit_test(hidden_headers),
	};

	return cmocka_run_group_tests_name("elf", tests, NULL, NULL);
}
