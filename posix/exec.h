/* SPDX-License-Identifier: MIT */
/* What loading a program is made of. */
#ifndef POSIX_EXEC_H
#define POSIX_EXEC_H

#include "process.h"
#include <ahoy/compiler.h>
#include <ahoy/core.h>
#include <ahoy/elf.h>
#include <ahoy/errno.h>

/* So much of a file is read at once: the headers of most programs, a script's first line. */
#define HEAD_SIZE (sizeof(struct elf_header) + 5 * sizeof(struct elf_phdr))

/* A program file, or the interpreter of one */
struct binary {
	struct memory_object *object;
	u64 size;
	struct elf_image image;
	const struct elf_phdr *phdrs;
	struct elf_phdr *more_phdrs; /* allocated, if they are not in the head */
	unsigned long bias;	     /* what is added to its addresses */
	union {
		const u8 *head; /* the first HEAD_SIZE bytes, filled up with zeroes */
		const struct elf_header *header;
	};
	u64 copy[HEAD_SIZE / 8]; /* of them, if they cannot be looked at where they are */
};

/* Strings, each with its NUL, one behind the other */
struct strings {
	char *text; /* NULL until there is a first one */
	size_t size, room, max;
	char small[128]; /* where the first ones are */
};

struct exec {
	const char *path;
	/* Arguments of execve(), or none for the first program */
	const char __user *const __user *argv, *const __user *envp;
	struct strings strings; /* arguments, environment, path */
	size_t argc, envc;
	struct strings prefix; /* of a script: what stands in the place of argv[0] */
	struct binary program, interp;
	struct memory *memory;
	unsigned long vdso;
	unsigned long sp;
	u64 scratch[64]; /* for what is written to the program's memory, if it is small */
};

/* Open the program file @path. Return: 0, or an error. binary_close() is due in any case. */
int binary_open(struct binary *binary, const char *path);
void binary_close(struct binary *binary);

/* Is it a program that can be loaded? Return: 0, -ENOEXEC, -EACCES, -ENOMEM. */
int binary_check(struct binary *binary);

/* Map its segments, moved by its bias; @flags: VM_REPLACE or 0. Return: 0 or an error. */
int binary_map(const struct binary *binary, struct address_space *space, unsigned int flags);

/* Write what of the file stands in pages with zeroes, in the current space. Return: 0 or an error. */
int binary_fill(struct exec *exec, const struct binary *binary);

/* Add the @size bytes at @text, or a string from user memory. Return: 0, -E2BIG, -ENOMEM, -EFAULT. */
int strings_add(struct strings *strings, const char *text, size_t size);
int strings_add_user(struct strings *strings, const char __user *text);

void strings_free(struct strings *strings);

/* Write the stack, into the current space. @interp_base: AT_BASE. Return: 0 or an error. */
int stack_write(struct exec *exec);

#ifdef CONFIG_BINFMT_SCRIPT
/*
 * As long as the program is a script, open its interpreter in its place, and note
 * the arguments for it. Return: 0 or an error.
 */
int script_resolve(struct exec *exec);
#else
static inline int script_resolve(struct exec *exec)
{
	return 0;
}
#endif

#ifdef CONFIG_ELF_INTERPRETER
/* Open and map the interpreter that the program names, if it does. Return: 0 or an error. */
int interp_load(struct exec *exec);
#else
static inline int interp_load(struct exec *exec)
{
	return exec->program.image.interp ? -ENOEXEC : 0;
}
#endif

#ifdef CONFIG_RANDOMIZE_VA_SPACE
/* Up to @pages pages, in bytes, which nobody can guess. */
unsigned long random_offset(unsigned long pages);
#else
static inline unsigned long random_offset(unsigned long pages)
{
	return 0;
}
#endif

#endif
