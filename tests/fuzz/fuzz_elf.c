// SPDX-License-Identifier: MIT
/*
 * ELF programs of any bytes: what the checks let pass can be mapped, segment by
 * segment, with nothing outside the file, the range, or another segment's place.
 */
#include "../host/lib.h"

#define CHECK(cond)                                                                                \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #cond);         \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

#define ADDR_END (1ULL << 38)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* 128 bits: nothing overflows. */
typedef unsigned __int128 u128;

static void check_segment(const struct elf_phdr *phdr, const struct elf_image *image, size_t size)
{
	CHECK((u128)phdr->offset + phdr->filesz <= size);
	CHECK(phdr->filesz <= phdr->memsz);
	CHECK(phdr->vaddr >= image->start && (u128)phdr->vaddr + phdr->memsz <= image->end);
	CHECK(phdr->vaddr % 4096 == phdr->offset % 4096);
}

/* No page belongs to two. */
static void check_pair(const struct elf_phdr *a, const struct elf_phdr *b)
{
	CHECK((a->vaddr + a->memsz + 4095) / 4096 <= b->vaddr / 4096);
}

static void check_program(const struct elf_header *header, const struct elf_phdr *phdrs,
			  const struct elf_image *image, size_t size)
{
	const struct elf_phdr *last = NULL;
	bool starts = false;

	CHECK(image->start % 4096 == 0 && image->end % 4096 == 0 && image->start < image->end);
	CHECK(image->end <= ADDR_END && (image->relocatable || image->start >= 4096));
	CHECK(image->align >= 4096 && !(image->align & (image->align - 1)));
	for (int i = 0; i < header->phnum; i++) {
		if (phdrs[i].type != PT_LOAD || !phdrs[i].memsz)
			continue;
		check_segment(&phdrs[i], image, size);
		if (last)
			check_pair(last, &phdrs[i]);
		last = &phdrs[i];
		starts |= phdrs[i].flags & PF_X && header->entry >= phdrs[i].vaddr &&
			  header->entry < phdrs[i].vaddr + phdrs[i].memsz;
	}
	CHECK(starts);
	if (image->phdrs)
		CHECK(image->phdrs >= image->start &&
		      image->phdrs + header->phnum * sizeof(*phdrs) <= image->end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct elf_header header = { 0 };
	struct elf_image image;
	struct elf_phdr *phdrs;

	memcpy(&header, data, size < sizeof(header) ? size : sizeof(header));
	if (elf_check_header(&header, size))
		return 0;
	CHECK((u128)header.phoff + header.phnum * sizeof(*phdrs) <= size);
	/* In memory of exactly their size */
	phdrs = malloc(header.phnum * sizeof(*phdrs));
	if (!phdrs)
		abort();
	memcpy(phdrs, data + header.phoff, header.phnum * sizeof(*phdrs));
	elf_writable_code(&header, phdrs);
	if (!elf_check_segments(&header, phdrs, size, ADDR_END, &image)) {
		check_program(&header, phdrs, &image, size);
		if (image.interp) {
			char *name = malloc(image.interp_size);

			CHECK((u128)image.interp + image.interp_size <= size && name);
			memcpy(name, data + image.interp, image.interp_size);
			if (!elf_check_interp(name, image.interp_size))
				CHECK(strlen(name) == image.interp_size - 1);
			free(name);
		}
	}
	free(phdrs);
	return 0;
}
