// SPDX-License-Identifier: MIT
/* Program files: opened, checked, and mapped. */
#include "exec.h"
#include "file.h"
#include <ahoy/kconfig.h>
#include <ahoy/string.h>

int binary_open(struct binary *binary, const char *path)
{
	const void *head;
	unsigned int mode;
	int err = 0;
	long n;

	binary->more_phdrs = NULL;
	binary->object = file_open_exec(path, &binary->size, &mode, &err);
	if (!binary->object)
		return err;
	if (!(mode & 0111))
		return -EACCES;
	head = memory_object_view(binary->object, 0, HEAD_SIZE);
	binary->head = head;
	/* Who made the archive may not have aligned it. */
	if (head && IS_ALIGNED((unsigned long)head, 8))
		return 0;
	binary->head = (const u8 *)binary->copy;
	n = memory_object_read(binary->object, 0, binary->copy, HEAD_SIZE);
	if (n < 0)
		return (int)n;
	if (n < HEAD_SIZE)
		memset((u8 *)binary->copy + n, 0, (size_t)(HEAD_SIZE - n));
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
	u64 offset = binary->header->phoff;
	size_t size = (size_t)binary->header->phnum * sizeof(struct elf_phdr);

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
	int err = elf_check_header(binary->header, binary->size);

	if (!err)
		err = get_phdrs(binary);
	if (!err)
		err = elf_check_segments(binary->header, binary->phdrs, binary->size, user_end,
					 &binary->image);
	if (!err && IS_ENABLED(CONFIG_ELF_REFUSE_WX) &&
	    elf_writable_code(binary->header, binary->phdrs))
		err = -EACCES;
	return err;
}

static unsigned int segment_access(const struct elf_phdr *phdr)
{
	return (phdr->flags & PF_R ? VM_READ : 0) | (phdr->flags & PF_W ? VM_WRITE : 0) |
	       (phdr->flags & PF_X ? VM_EXEC : 0);
}

/* Does the segment end in a page that has contents of the file, and then zeroes? */
static bool has_mixed_page(const struct binary *binary, const struct elf_phdr *phdr)
{
	return phdr->filesz && phdr->filesz < phdr->memsz && phdr->flags & PF_W &&
	       !IS_ALIGNED(phdr->vaddr + phdr->filesz + binary->bias, USER_PAGE_SIZE);
}

/*
 * Map from the file what is in it, and zeroes for the rest. A page of both is one
 * of zeroes, to which the file's part is copied later: the program will write to
 * it, and a copy of all of it would have to be cleared again.
 */
static int map_segment(const struct binary *binary, const struct elf_phdr *phdr,
		       struct address_space *space, unsigned int flags)
{
	unsigned long vaddr = phdr->vaddr + binary->bias;
	unsigned long at = ALIGN_DOWN(vaddr, USER_PAGE_SIZE);
	unsigned long file_end = vaddr + phdr->filesz, zeroes = at;
	unsigned long end = ALIGN(vaddr + phdr->memsz, USER_PAGE_SIZE);
	int err = 0;

	if (has_mixed_page(binary, phdr))
		zeroes = ALIGN_DOWN(file_end, USER_PAGE_SIZE);
	else if (phdr->filesz)
		zeroes = ALIGN(file_end, USER_PAGE_SIZE);
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
	const struct elf_phdr *phdr = binary->phdrs, *end = phdr + binary->header->phnum;
	int err = 0;

	for (; phdr < end && !err; phdr++)
		if (phdr->type == PT_LOAD && phdr->memsz)
			err = map_segment(binary, phdr, space, flags);
	return err;
}

/* Copy the file's part of a page that has both. */
static int fill_mixed_page(struct exec *exec, const struct binary *binary,
			   const struct elf_phdr *phdr)
{
	unsigned long end = phdr->vaddr + phdr->filesz + binary->bias;
	unsigned long start =
		max_t(unsigned long, ALIGN_DOWN(end, USER_PAGE_SIZE), phdr->vaddr + binary->bias);
	size_t n = end - start;
	u64 offset = phdr->offset + phdr->filesz - n;
	const void *from = memory_object_view(binary->object, offset, n);
	void *buf = NULL;
	int err;

	if (!from) {
		from = buf = kmalloc(n);
		if (!buf)
			return -ENOMEM;
	}
	err = -EIO;
	if (!buf || memory_object_read(binary->object, offset, buf, n) == (long)n)
		/* A fault that is expected is cheaper here than one that interrupts. */
		err = address_space_fault(exec->memory->space, start, VM_WRITE);
	if (!err)
		err = copy_to_user((void __user *)start, from, n);
	kfree(buf);
	return err;
}

int binary_fill(struct exec *exec, const struct binary *binary)
{
	const struct elf_phdr *phdr = binary->phdrs, *end = phdr + binary->header->phnum;
	int err = 0;

	for (; phdr < end && !err; phdr++)
		if (phdr->type == PT_LOAD && has_mixed_page(binary, phdr))
			err = fill_mixed_page(exec, binary, phdr);
	return err;
}
