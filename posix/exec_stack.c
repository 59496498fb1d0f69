// SPDX-License-Identifier: MIT
/*
 * What a program finds on its stack: from the stack pointer on argc, argv and
 * envp with their NULLs, the auxiliary vector, random bytes, and at the end the
 * strings (System V ABI, process initialisation).
 */
#include "abi.h"
#include "exec.h"
#include <ahoy/kconfig.h>
#include <ahoy/string.h>

enum aux_type {
	AT_NULL = 0,
	AT_PHDR = 3,
	AT_PHENT = 4,
	AT_PHNUM = 5,
	AT_PAGESZ = 6,
	AT_BASE = 7,
	AT_FLAGS = 8,
	AT_ENTRY = 9,
	AT_UID = 11,
	AT_EUID = 12,
	AT_GID = 13,
	AT_EGID = 14,
	AT_HWCAP = 16,
	AT_CLKTCK = 17,
	AT_SECURE = 23,
	AT_RANDOM = 25,
	AT_EXECFN = 31,
	AT_SYSINFO_EHDR = 33,
};

/* What times() counts in, a second */
#define CLOCK_TICKS 100

#define RANDOM_SIZE 16
#define AUX_MAX	    20

/* A word of nothing ends the stack. */
#define END_SIZE 8

/* The pointers to @n strings from @string on, and a NULL. Return: what is behind the last one. */
static const char *put_pointers(u64 **word, const char *string, size_t n, unsigned long move)
{
	while (n--) {
		*(*word)++ = (unsigned long)string + move;
		string += strlen(string) + 1;
	}
	*(*word)++ = 0;
	return string;
}

static void put_aux(u64 **word, enum aux_type type, u64 value)
{
	*(*word)++ = type;
	*(*word)++ = value;
}

static void put_auxv(const struct exec *exec, u64 **word, unsigned long random,
		     unsigned long exec_name)
{
	const struct binary *program = &exec->program;
	unsigned long bias = program->bias;

	if (exec->vdso)
		put_aux(word, AT_SYSINFO_EHDR, exec->vdso);
	put_aux(word, AT_HWCAP, user_hwcap());
	put_aux(word, AT_PAGESZ, USER_PAGE_SIZE);
	put_aux(word, AT_CLKTCK, CLOCK_TICKS);
	put_aux(word, AT_PHDR, program->image.phdrs ? program->image.phdrs + bias : 0);
	put_aux(word, AT_PHENT, sizeof(struct elf_phdr));
	put_aux(word, AT_PHNUM, program->header->phnum);
	put_aux(word, AT_BASE, exec->interp.bias);
	put_aux(word, AT_FLAGS, 0);
	put_aux(word, AT_ENTRY, program->image.entry + bias);
	put_aux(word, AT_UID, 0);
	put_aux(word, AT_EUID, 0);
	put_aux(word, AT_GID, 0);
	put_aux(word, AT_EGID, 0);
	put_aux(word, AT_SECURE, 0);
	put_aux(word, AT_RANDOM, random);
	put_aux(word, AT_EXECFN, exec_name);
	put_aux(word, AT_NULL, 0);
}

int stack_write(struct exec *exec)
{
	const struct strings *strings = &exec->strings;
	/* Aligned as they are here, so that words of them are copied */
	unsigned long text = ALIGN_DOWN(exec->memory->stack_end - END_SIZE - strings->size, 8);
	unsigned long move = text - (unsigned long)strings->text;
	/* argc, both lists with their ends, pairs */
	size_t room = 8 * (exec->argc + exec->envc + 3 + 2 * AUX_MAX) + RANDOM_SIZE;
	u64 *table = room <= sizeof(exec->scratch) ? exec->scratch : kmalloc(room);
	u64 *word = table;
	const char *next;
	size_t size;
	int err;

	if (!table)
		return -ENOMEM;
	exec->sp = ALIGN_DOWN(text - room, ABI_STACK_ALIGN);
	/* Known now, and so the random bytes come first; sp is moved up to what is used. */
	*word++ = exec->argc;
	next = put_pointers(&word, strings->text, exec->argc, move);
	next = put_pointers(&word, next, exec->envc, move);
	put_auxv(exec, &word, exec->sp + room - RANDOM_SIZE, (unsigned long)next + move);
	random_bytes((u8 *)table + room - RANDOM_SIZE, RANDOM_SIZE);
	size = room;
	/* A fault that is expected is cheaper here than one that interrupts. */
	err = address_space_fault(exec->memory->space, exec->sp, VM_WRITE);
	if (!err)
		err = copy_to_user((void __user *)exec->sp, table, size);
	if (!err)
		err = copy_to_user((void __user *)text, strings->text, strings->size);
	if (table != exec->scratch)
		kfree(table);
	return err;
}
