/* SPDX-License-Identifier: MIT */
/*
 * ELF files for 64-bit RISC-V, as programs: what their headers say, and whether
 * that can be believed. Numbers, layouts: ELF gABI, and the RISC-V ELF psABI.
 *
 * Nothing here trusts the file, allocates or locks. Context: any.
 */
#ifndef AHOY_ELF_H
#define AHOY_ELF_H

#include <ahoy/types.h>

struct elf_header {
	u8 ident[16];
	u16 type, machine;
	u32 version;
	u64 entry, phoff, shoff;
	u32 flags;
	u16 ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct elf_phdr {
	u32 type, flags;
	u64 offset, vaddr, paddr, filesz, memsz, align;
};

#define ELF_MAGIC "\177ELF"

#define ET_EXEC 2
#define ET_DYN	3

#define EM_RISCV 243

/* e_flags (psABI, 8.1) */
#define EF_RISCV_RVC		1
#define EF_RISCV_FLOAT_ABI	6
#define EF_RISCV_FLOAT_ABI_QUAD 6

#define PT_LOAD	     1
#define PT_INTERP    3
#define PT_PHDR	     6
#define PT_GNU_STACK 0x6474e551

#define PF_X 1
#define PF_W 2
#define PF_R 4

/* Program headers, and the interpreter's name with its NUL, that are too large to be true. */
#define ELF_PHDRS_MAX  65536
#define ELF_INTERP_MAX 4096

/* What programs may be loaded from */
#define ELF_PAGE_SIZE 4096ULL

/* What the headers say of the program. Addresses of ET_DYN count from where it will be. */
struct elf_image {
	bool relocatable; /* ET_DYN: it runs anywhere */
	bool executable_stack;
	u64 start, end; /* of all its segments, in whole pages */
	u64 align;	/* that the place of a relocatable one must have */
	u64 entry;
	u64 phdrs;		 /* where the program headers are in memory, 0 if nowhere */
	u64 interp, interp_size; /* where in the file the interpreter's name is; 0: none */
};

/**
 * elf_check_header() - is this a file that can be run here?
 * @header: its first bytes
 * @file_size: how many it has
 *
 * Return: 0, and then the program headers are inside the file; -ENOEXEC.
 */
int elf_check_header(const struct elf_header *header, u64 file_size);

/**
 * elf_check_segments() - can these segments be loaded?
 * @header: a header that elf_check_header() likes
 * @phdrs: its program headers
 * @file_size: bytes in the file
 * @addr_end: the end of user memory
 * @image: what they say
 *
 * They lie inside the file and inside user memory, beyond its first page; they
 * ascend and share no page; the file's pages can be theirs; the program starts
 * in one that is executable.
 *
 * Return: 0; -ENOEXEC.
 */
int elf_check_segments(const struct elf_header *header, const struct elf_phdr *phdrs, u64 file_size,
		       u64 addr_end, struct elf_image *image);

/**
 * elf_writable_code() - may anything be written and executed, segment or stack?
 * @header, @phdrs: as elf_check_segments() liked them
 */
bool elf_writable_code(const struct elf_header *header, const struct elf_phdr *phdrs);

/**
 * elf_check_interp() - is this the name of an interpreter?
 * @name: the @size bytes of the file that are said to be it
 *
 * Return: 0, and then it has one NUL, at its end; -ENOEXEC.
 */
int elf_check_interp(const char *name, u64 size);

#endif
