// SPDX-License-Identifier: MIT
/* Program files: opened, checked, and mapped. */
#include "exec.h"
#include "file.h"
#include <ahoy/kconfig.h>
#include <ahoy/string.h>

int binary_open(struct binary *binary, const char *path)
{
	unsigned int mode;
	int err = 0;
	long n;

	binary->more_phdrs = NULL;
	binary->object = file_open_exec(path, &binary->size, &mode, &err);
	if (!binary->object)
		return err;
	if (!(mode & 0111))
		return -EACCES;
	n = memory_object_read(binary->object, 0, binary->head, HEAD_SIZE);
	if (n < 0)
		return (int)n;
	if (n < HEAD_SIZE)
		memset(binary->head + n, 0, (size_t)(HEAD_SIZE - n));
	return 0;
}

void binary_close(struct binary *binary)
{
	kfree(binary->more_phdrs);
	if (binary->object)
		memory_object_put(binary->object);
	binary->more_phdrs = NULL;
	binary->object = NULL;
}

/* Find the program headers: in the head, else read. */
static int get_phdrs(struct binary *binary)
{
	u64 offset = binary->header.phoff;
	size_t size = (size_t)binary->header.phnum * sizeof(struct elf_phdr);

	if (offset <= HEAD_SIZE && size <= HEAD_SIZE - offset) {
		binary->phdrs = (const struct elf_phdr *)(const void *)(binary->head + offset);
		return 0;
	}
	binary->more_phdrs = kmalloc(size);
	binary->phdrs = binary->more_phdrs;
	if (!binary->more_phdrs)
		return -ENOMEM;
	return memory_object_read(binary->object, offset, binary->more_phdrs, size) == (long)size
		       ? 0
		       : -EIO;
}

int binary_check(struct binary *binary)
{
	int err = elf_check_header(&binary->header, binary->size);

	if (!err)
		err = get_phdrs(binary);
	if (!err)
		err = elf_check_segments(&binary->header, binary->phdrs, binary->size, user_end,
					 &binary->image);
	if (!err && IS_ENABLED(CONFIG_ELF_REFUSE_WX) &&
	    elf_writable_code(&binary->header, binary->phdrs))
		err = -EACCES;
	return err;
}

static unsigned int segment_access(const struct elf_phdr *phdr)
{
	return (phdr->flags & PF_R ? VM_READ : 0) | (phdr->flags & PF_W ? VM_WRITE : 0) |
	       (phdr->flags & PF_X ? VM_EXEC : 0);
}

/* Map from the file what is in it, and zeroes for the pages behind. */
static int map_segment(const struct binary *binary, const struct elf_phdr *phdr,
		       struct address_space *space, unsigned int flags)
{
	unsigned long vaddr = phdr->vaddr + binary->bias;
	unsigned long at = ALIGN_DOWN(vaddr, USER_PAGE_SIZE);
	unsigned long zeroes = phdr->filesz ? ALIGN(vaddr + phdr->filesz, USER_PAGE_SIZE) : at;
	unsigned long end = ALIGN(vaddr + phdr->memsz, USER_PAGE_SIZE);
	int err = 0;

	flags |= segment_access(phdr);
	if (zeroes > at)
		err = address_space_map(space, &at, zeroes - at, binary->object,
					ALIGN_DOWN(phdr->offset, USER_PAGE_SIZE), flags);
	if (!err && end > zeroes)
		err = address_space_map(space, &zeroes, end - zeroes, NULL, 0, flags);
	return err;
}

int binary_map(const struct binary *binary, struct address_space *space, unsigned int flags)
{
	const struct elf_phdr *phdr = binary->phdrs, *end = phdr + binary->header.phnum;
	int err = 0;

	for (; phdr < end && !err; phdr++)
		if (phdr->type == PT_LOAD && phdr->memsz)
			err = map_segment(binary, phdr, space, flags);
	return err;
}

/* The file goes on where the segment's memory is to be zero. */
static int clear_tail(const struct binary *binary, const struct elf_phdr *phdr,
		      struct address_space *space)
{
	unsigned long from = phdr->vaddr + phdr->filesz + binary->bias;
	int err;

	if (phdr->filesz == phdr->memsz || !phdr->filesz || !(phdr->flags & PF_W) ||
	    IS_ALIGNED(from, USER_PAGE_SIZE))
		return 0;
	/* A fault that is expected is cheaper here than one that interrupts. */
	err = address_space_fault(space, from, VM_WRITE);
	return err ? err : clear_user((void __user *)from, -from % USER_PAGE_SIZE);
}

int binary_clear(const struct binary *binary, struct address_space *space)
{
	const struct elf_phdr *phdr = binary->phdrs, *end = phdr + binary->header.phnum;
	int err = 0;

	for (; phdr < end && !err; phdr++)
		if (phdr->type == PT_LOAD)
			err = clear_tail(binary, phdr, space);
	return err;
}
