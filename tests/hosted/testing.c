// SPDX-License-Identifier: MIT
#include "testing.h"
#include <sys/wait.h>

/* --- archives ---------------------------------------------------------------------------- */

static char *archive;
static size_t archive_size, archive_room;

static void append(const void *data, size_t size)
{
	if (archive_size + size > archive_room) {
		archive_room = 2 * archive_room + size;
		archive = realloc(archive, archive_room);
	}
	memcpy(archive + archive_size, data, size);
	archive_size += size;
}

static void pad(void)
{
	append("\0\0\0", -archive_size % 4);
}

void archive_add(const char *name, unsigned int mode, const void *data, size_t size,
		 unsigned int rdev)
{
	static unsigned int number;
	char header[111];

	snprintf(header, sizeof(header),
		 "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", ++number, mode, 0, 0,
		 1, 0, (unsigned int)size, 0, 0, rdev >> 8, rdev & 0xff,
		 (unsigned int)strlen(name) + 1, 0);
	append(header, 110);
	append(name, strlen(name) + 1);
	pad();
	if (size)
		append(data, size);
	pad();
}

const void *archive_end(size_t *size)
{
	archive_add("TRAILER!!!", 0, NULL, 0, 0);
	*size = archive_size;
	return archive;
}

struct elf_file {
	unsigned char ident[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, phoff, shoff;
	uint32_t flags;
	uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
	uint32_t p_type, p_flags;
	uint64_t p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_align;
};

size_t archive_elf(unsigned char *elf)
{
	struct elf_file file = {
		.ident = "\177ELF\2\1\1",
		.type = 2,
		.machine = 243,
		.version = 1,
		.entry = 0x10078,
		.phoff = 64,
		.flags = 5,
		.ehsize = 64,
		.phentsize = 56,
		.phnum = 1,
		.p_type = 1,
		.p_flags = 5,
		.p_vaddr = 0x10000,
		.p_filesz = 124,
		.p_memsz = 124,
		.p_align = 4096,
	};

	memset(elf, 0, 124);
	memcpy(elf, &file, sizeof(file));
	return 124;
}

void standard_archive(void)
{
	static unsigned char elf[124];
	static char text[TEXT_SIZE];

	for (size_t i = 0; i < TEXT_SIZE; i++)
		text[i] = (char)('a' + i % 26);
	archive_add("init", 0100755, elf, archive_elf(elf), 0);
	archive_add("text", 0100644, text, sizeof(text), 0);
	archive_add("empty", 0100644, NULL, 0, 0);
	archive_add("folder", 040755, NULL, 0, 0);
	archive_add("folder/inner", 040755, NULL, 0, 0);
	archive_add("folder/file", 0100644, "inside\n", 7, 0);
	archive_add("link", 0120777, "folder/../text", 14, 0);
	archive_add("folder/up", 0120777, "/folder", 7, 0);
	archive_add("loop", 0120777, "loop2", 5, 0);
	archive_add("loop2", 0120777, "/loop", 5, 0);
	archive_add("made/by/path", 0100644, "x", 1, 0);
	archive_add("nobody", 020666, NULL, 0, 77 << 8);
	archive_add("script", 0100755, "#!/init argument\n", 17, 0);
}

/* --- checks --------------------------------------------------------------------------------- */

void check_equal(long got, long want, const char *text, const char *file, int line)
{
	if (got == want)
		return;
	fprintf(stderr, "%s:%d: %s: %ld is not %ld\n", file, line, text, got, want);
	_exit(1);
}

/* --- user memory ------------------------------------------------------------------------------ */

unsigned long user_alloc(size_t size)
{
	long addr = sys(SYS_mmap, 0, size, 3, 0x22, -1, 0);

	CHECK(addr > 0);
	return (unsigned long)addr;
}

unsigned long user_write(unsigned long addr, const void *data, size_t size)
{
	CHECK_EQ(copy_to_user((void *)addr, data, size), 0);
	return addr;
}

void user_read(void *data, unsigned long addr, size_t size)
{
	CHECK_EQ(copy_from_user(data, (const void *)addr, size), 0);
}

unsigned long user_text(unsigned long addr, const char *text)
{
	return user_write(addr, text, strlen(text) + 1);
}

/* --- running ------------------------------------------------------------------------------------- */

bool run_hosted(void (*fn)(void))
{
	const void *start;
	size_t size;
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid) {
		waitpid(pid, &status, 0);
		return !status;
	}
	alarm(60);
	standard_archive();
	start = archive_end(&size);
	CHECK_EQ(hosted_start(start, size), 0);
	fn();
	sys(SYS_exit_group, 0);
	_exit(1);
}
