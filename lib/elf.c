// SPDX-License-Identifier: MIT
/* What an ELF file's headers say, checked; include/ahoy/elf.h describes it. */
#include <ahoy/compiler.h>
#include <ahoy/elf.h>
#include <ahoy/errno.h>
#include <ahoy/string.h>

/* ident[] */
#define EI_CLASS   4
#define EI_DATA	   5
#define EI_VERSION 6
#define EI_OSABI   7

#define ELFCLASS64  2
#define ELFDATA2LSB 1
#define EV_CURRENT  1
/* System V, and GNU, which says that GNU's extensions of symbols are used */
#define ELFOSABI_NONE 0
#define ELFOSABI_GNU  3

/* Is the range inside of @size bytes? */
static bool inside(u64 offset, u64 len, u64 size)
{
	return offset <= size && len <= size - offset;
}

static bool power_of_two(u64 n)
{
	return n && !(n & (n - 1));
}

static bool known_ident(const u8 *ident)
{
	return !memcmp(ident, ELF_MAGIC, 4) && ident[EI_CLASS] == ELFCLASS64 &&
	       ident[EI_DATA] == ELFDATA2LSB && ident[EI_VERSION] == EV_CURRENT &&
	       (ident[EI_OSABI] == ELFOSABI_NONE || ident[EI_OSABI] == ELFOSABI_GNU);
}

/* Compressed instructions or none; all floating-point ABIs but that of 128 bits; nothing else. */
static bool known_flags(u32 flags)
{
	return !(flags & ~(EF_RISCV_RVC | EF_RISCV_FLOAT_ABI)) &&
	       (flags & EF_RISCV_FLOAT_ABI) != EF_RISCV_FLOAT_ABI_QUAD;
}

int elf_check_header(const struct elf_header *header, u64 file_size)
{
	u64 size = (u64)header->phnum * sizeof(struct elf_phdr);

	if (file_size < sizeof(*header) || !known_ident(header->ident))
		return -ENOEXEC;
	if (header->type != ET_EXEC && header->type != ET_DYN)
		return -ENOEXEC;
	if (header->machine != EM_RISCV || header->version != EV_CURRENT ||
	    header->ehsize < sizeof(*header) || !known_flags(header->flags))
		return -ENOEXEC;
	if (header->phentsize != sizeof(struct elf_phdr) || !size || size > ELF_PHDRS_MAX ||
	    !IS_ALIGNED(header->phoff, 8) || !inside(header->phoff, size, file_size))
		return -ENOEXEC;
	return 0;
}

/*
 * A segment to load, of which @end is the end of those before, in whole pages.
 * A relocatable program may start at 0: it will be moved.
 */
static bool loadable(const struct elf_phdr *phdr, u64 file_size, u64 end, u64 addr_end)
{
	return phdr->filesz <= phdr->memsz && inside(phdr->offset, phdr->filesz, file_size) &&
	       inside(phdr->vaddr, phdr->memsz, addr_end) && phdr->vaddr >= end &&
	       (phdr->align <= 1 || power_of_two(phdr->align)) && phdr->align < addr_end &&
	       IS_ALIGNED(phdr->vaddr - phdr->offset, ELF_PAGE_SIZE);
}

/* A segment that may be loaded: what it adds to the image. */
static void add_segment(const struct elf_header *header, const struct elf_phdr *phdr,
			struct elf_image *image, bool *starts)
{
	u64 size = (u64)header->phnum * sizeof(*phdr);

	if (!image->end)
		image->start = ALIGN_DOWN(phdr->vaddr, ELF_PAGE_SIZE);
	image->end = ALIGN(phdr->vaddr + phdr->memsz, ELF_PAGE_SIZE);
	if (phdr->align > image->align)
		image->align = phdr->align;
	if (header->phoff >= phdr->offset &&
	    inside(header->phoff - phdr->offset, size, phdr->filesz))
		image->phdrs = phdr->vaddr + (header->phoff - phdr->offset);
	if (phdr->flags & PF_X && header->entry >= phdr->vaddr &&
	    header->entry - phdr->vaddr < phdr->memsz)
		*starts = true;
}

int elf_check_segments(const struct elf_header *header, const struct elf_phdr *phdrs, u64 file_size,
		       u64 addr_end, struct elf_image *image)
{
	u64 first = header->type == ET_DYN ? 0 : ELF_PAGE_SIZE;
	bool starts = false;

	*image = (struct elf_image){
		.relocatable = header->type == ET_DYN,
		.align = ELF_PAGE_SIZE,
		.entry = header->entry,
	};
	for (const struct elf_phdr *phdr = phdrs; phdr < phdrs + header->phnum; phdr++) {
		if (phdr->type == PT_LOAD && phdr->memsz) {
			if (!loadable(phdr, file_size, image->end ? image->end : first, addr_end))
				return -ENOEXEC;
			add_segment(header, phdr, image, &starts);
		} else if (phdr->type == PT_LOAD && phdr->filesz) {
			return -ENOEXEC;
		} else if (phdr->type == PT_INTERP) {
			if (image->interp || phdr->filesz < 2 || phdr->filesz > ELF_INTERP_MAX ||
			    !phdr->offset || !inside(phdr->offset, phdr->filesz, file_size))
				return -ENOEXEC;
			image->interp = phdr->offset;
			image->interp_size = phdr->filesz;
		} else if (phdr->type == PT_GNU_STACK) {
			image->executable_stack = phdr->flags & PF_X;
		}
	}
	/* Code is at even addresses. */
	return starts && IS_ALIGNED(header->entry, 2) ? 0 : -ENOEXEC;
}

bool elf_writable_code(const struct elf_header *header, const struct elf_phdr *phdrs)
{
	for (const struct elf_phdr *phdr = phdrs; phdr < phdrs + header->phnum; phdr++) {
		if (phdr->type == PT_GNU_STACK && phdr->flags & PF_X)
			return true;
		if (phdr->type == PT_LOAD && phdr->memsz && phdr->flags & PF_W &&
		    phdr->flags & PF_X)
			return true;
	}
	return false;
}

int elf_check_interp(const char *name, u64 size)
{
	return size >= 2 && strnlen(name, size) == size - 1 ? 0 : -ENOEXEC;
}
