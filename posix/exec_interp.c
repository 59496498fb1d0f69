// SPDX-License-Identifier: MIT
/* Programs that name an interpreter, which loads their libraries: PT_INTERP. */
#include "exec.h"

/* Its name, from the program's file. Return: NULL and the error in *@err. */
static char *interp_name(const struct binary *program, int *err)
{
	u64 size = program->image.interp_size;
	char *name = kmalloc(size);

	*err = -ENOMEM;
	if (!name)
		return NULL;
	*err = -ENOEXEC;
	if (memory_object_read(program->object, program->image.interp, name, size) == (long)size)
		*err = elf_check_interp(name, size);
	if (!*err)
		return name;
	kfree(name);
	return NULL;
}

/* Find a place for all of its segments, and keep others off what is between them. */
static int place(struct exec *exec)
{
	struct binary *interp = &exec->interp;
	unsigned long at = ALIGN(exec->memory->map_base, interp->image.align);
	size_t size = interp->image.end - interp->image.start;
	int err;

	if (!interp->image.relocatable) {
		at = interp->image.start;
		err = address_space_map(exec->memory->space, &at, size, NULL, 0, 0);
		return err == -EEXIST ? -ENOEXEC : err;
	}
	err = address_space_map(exec->memory->space, &at, size, NULL, 0, VM_ANYWHERE);
	if (!err && !IS_ALIGNED(at - interp->image.start, interp->image.align))
		err = -ENOMEM;
	interp->bias = at - interp->image.start;
	return err;
}

int interp_load(struct exec *exec)
{
	struct binary *interp = &exec->interp;
	char *name;
	int err;

	if (!exec->program.image.interp)
		return 0;
	name = interp_name(&exec->program, &err);
	if (!name)
		return err;
	err = binary_open(interp, name);
	kfree(name);
	if (!err)
		err = binary_check(interp);
	/* Whose interpreter wants another one, nobody knows. */
	if (!err && interp->image.interp)
		err = -ENOEXEC;
	if (!err)
		err = place(exec);
	return err ? err : binary_map(interp, exec->memory->space, VM_REPLACE);
}
