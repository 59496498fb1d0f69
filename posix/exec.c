// SPDX-License-Identifier: MIT
/*
 * Loading programs: all that can fail comes first, in a space of its own, which
 * the current thread enters to write the stack. Only then does the process lose
 * what it was.
 */
#include "exec.h"
#include "abi.h"
#include "file.h"
#include "syscall.h"
#include <ahoy/kconfig.h>
#include <ahoy/string.h>

/* Arguments may take a quarter of the stack, no less than this, and no more than kmalloc() has. */
#define ARGS_MIN (128UL << 10)
#define ARGS_MAX (3UL << 20)
/* Of one of them, with its NUL */
#define ARG_MAX (128UL << 10)

/* A stack without limit has this one; below it is a gap. */
#define STACK_MAX (1UL << 30)
#define STACK_MIN (128UL << 10)
#define STACK_GAP (1UL << 20)

/* Between the stack and a program above it: for the vDSO, and a page that nobody has */
#define VDSO_ROOM (16 * USER_PAGE_SIZE)

/* Pages that addresses differ by, at random */
#define RANDOM_BASE  (1UL << 18)
#define RANDOM_STACK (1UL << 12)

/* --- strings -------------------------------------------------------------------------- */

/* Have room for @size bytes more. */
static int strings_room(struct strings *strings, size_t size)
{
	size_t room = max_t(size_t, 2 * strings->room, 256);
	char *text;

	if (size > strings->max || strings->size > strings->max - size)
		return -E2BIG;
	if (size <= strings->room - strings->size)
		return 0;
	while (room < strings->size + size)
		room *= 2;
	if (!strings->text && strings->size + size <= sizeof(strings->small)) {
		strings->text = strings->small;
		strings->room = sizeof(strings->small);
		return 0;
	}
	text = krealloc(strings->text == strings->small ? NULL : strings->text, room);
	if (!text)
		return -ENOMEM;
	if (strings->text == strings->small)
		memcpy(text, strings->small, strings->size);
	strings->text = text;
	strings->room = room;
	return 0;
}

void strings_free(struct strings *strings)
{
	if (strings->text != strings->small)
		kfree(strings->text);
	strings->text = NULL;
}

int strings_add(struct strings *strings, const char *text, size_t size)
{
	int err = strings_room(strings, size);

	if (err)
		return err;
	memcpy(strings->text + strings->size, text, size);
	strings->size += size;
	return 0;
}

int strings_add_user(struct strings *strings, const char __user *text)
{
	size_t piece = 64, size = 0;

	while (size < ARG_MAX) {
		int err = strings_room(strings, piece);
		long len;

		/* The last bytes that may be there */
		if (err == -E2BIG && piece > 1) {
			piece = 1;
			continue;
		}
		if (err)
			return err;
		len = strncpy_from_user(strings->text + strings->size, text + size, piece);
		if (len < 0)
			return (int)len;
		if ((size_t)len < piece) {
			strings->size += (size_t)len + 1;
			return size + (size_t)len < ARG_MAX ? 0 : -E2BIG;
		}
		strings->size += piece;
		size += piece;
		piece = piece > 1 && piece < 4096 ? 2 * piece : piece;
	}
	return -E2BIG;
}

/* Add the strings of a list from its element @first on; *@count grows. Pointers count too. */
static int add_list(struct strings *strings, const char __user *const __user *list, size_t first,
		    size_t *count)
{
	const char __user *text;

	if (!list)
		return 0;
	for (size_t i = first;; i++) {
		int err = copy_from_user(&text, list + i, sizeof(text));

		if (err || !text)
			return err;
		if (strings->max < strings->size + sizeof(text))
			return -E2BIG;
		strings->max -= sizeof(text);
		err = strings_add_user(strings, text);
		if (err)
			return err;
		++*count;
	}
}

/* What a script has instead of argv[0] */
static int add_prefix(struct exec *exec)
{
	const char *text = exec->prefix.text, *end = text + exec->prefix.size;

	for (; text < end; text += strlen(text) + 1)
		exec->argc++;
	return strings_add(&exec->strings, exec->prefix.text, exec->prefix.size);
}

/* What follows "--" on the command line is the first program's. */
static int add_first_args(struct exec *exec)
{
	const char *text = core_command_line();
	int err = 0;

	if (!exec->prefix.text) {
		err = strings_add(&exec->strings, exec->path, strlen(exec->path) + 1);
		exec->argc++;
	}
	while ((text = strchr(text, '-')) && (text[1] != '-' || (text[2] && text[2] != ' ')))
		text++;
	if (text)
		text += 2;
	while (!err && text && *text) {
		const char *word = text;

		while (*text && *text != ' ')
			text++;
		if (text > word) {
			err = strings_add(&exec->strings, word, (size_t)(text - word));
			if (!err)
				err = strings_add(&exec->strings, "", 1);
			exec->argc++;
		}
		while (*text == ' ')
			text++;
	}
	return err;
}

/* The environment that Linux gives the first program */
static int add_first_env(struct exec *exec)
{
	static const char env[] = "HOME=/\0TERM=linux";

	exec->envc = 2;
	return strings_add(&exec->strings, env, sizeof(env));
}

static int collect_strings(struct exec *exec, bool first)
{
	int err = 0;

	if (exec->prefix.text)
		err = add_prefix(exec);
	if (!err)
		err = first ? add_first_args(exec)
			    : add_list(&exec->strings, exec->argv, exec->prefix.text ? 1 : 0,
				       &exec->argc);
	/* Programs may rely on argv[0]: without any there is an empty one, as in Linux. */
	if (!err && !exec->argc) {
		err = strings_add(&exec->strings, "", 1);
		exec->argc = 1;
	}
	if (!err)
		err = first ? add_first_env(exec)
			    : add_list(&exec->strings, exec->envp, 0, &exec->envc);
	if (!err)
		err = strings_add(&exec->strings, exec->path, strlen(exec->path) + 1);
	return err;
}

/* --- memory --------------------------------------------------------------------------- */

static int map_program(struct exec *exec)
{
	struct binary *program = &exec->program;
	struct elf_image *image = &program->image;
	int err;

	program->bias = 0;
	if (image->relocatable)
		program->bias = ALIGN(ABI_PROGRAM_BASE + random_offset(RANDOM_BASE), image->align) -
				image->start;
	if (image->end + program->bias > user_end)
		return -ENOMEM;
	err = binary_map(program, exec->memory->space, 0);
	exec->memory->brk_start = image->end + program->bias + random_offset(RANDOM_STACK);
	exec->memory->brk = exec->memory->brk_start;
	return err;
}

/*
 * The stack goes below the program, where they share tables of pages; else
 * somewhere above, with much space for brk() between.
 */
static int map_stack(struct exec *exec)
{
	struct memory *memory = exec->memory;
	unsigned int flags = VM_READ | VM_WRITE;
	u64 limit = process_limit(RLIMIT_STACK);
	unsigned long start = exec->program.image.start + exec->program.bias;
	unsigned long size = ALIGN(limit < STACK_MAX ? limit : STACK_MAX, USER_PAGE_SIZE);
	unsigned long at, below = VDSO_ROOM + random_offset(RANDOM_STACK);
	int err;

	if (size < STACK_MIN)
		size = STACK_MIN;
	if (exec->program.image.executable_stack)
		flags |= VM_EXEC;
	if (start > size + STACK_GAP + below + USER_PAGE_SIZE)
		at = start - below - size;
	else
		at = ALIGN(memory->brk_start + ABI_FAR, ABI_FAR) - size +
		     random_offset(RANDOM_STACK);
	if (at >= user_end)
		at = ABI_FAR;
	err = address_space_map(memory->space, &at, size, NULL, 0, flags | VM_ANYWHERE);
	memory->stack_start = at;
	memory->stack_end = at + size;
	memory->map_base = ALIGN(max(memory->stack_end, memory->brk_start) + ABI_FAR, ABI_FAR) +
			   random_offset(RANDOM_BASE);
	if (memory->map_base >= user_end)
		memory->map_base = ABI_FAR;
	memory->map_free = memory->map_base;
	return err;
}

/*
 * Code that reads the clock, behind its data. Where there is no room for both
 * the program does without.
 */
static int map_vdso(struct exec *exec)
{
	struct memory_object *data, *code;
	unsigned long at = exec->memory->stack_end + USER_PAGE_SIZE, data_at;
	size_t size;
	int err = vdso_objects(&data, &code, &size);

	if (err)
		return err == -ENOENT ? 0 : err;
	err = address_space_map(exec->memory->space, &at, size, code, 0,
				VM_READ | VM_EXEC | VM_ANYWHERE);
	data_at = at - USER_PAGE_SIZE;
	if (!err)
		err = address_space_map(exec->memory->space, &data_at, USER_PAGE_SIZE, data, 0,
					VM_READ);
	memory_object_put(data);
	memory_object_put(code);
	if (!err)
		exec->vdso = at;
	return err == -EEXIST ? 0 : err;
}

/* Map all that the program starts with. */
static int build(struct exec *exec)
{
	int err;

	exec->memory = memory_create();
	if (!exec->memory)
		return -ENOMEM;
	err = map_program(exec);
	if (!err)
		err = map_stack(exec);
	if (!err)
		err = interp_load(exec);
	if (!err)
		err = map_vdso(exec);
	return err;
}

static unsigned long entry(const struct exec *exec)
{
	const struct binary *first = exec->interp.object ? &exec->interp : &exec->program;

	return first->image.entry + first->bias;
}

/* And write to it, from inside. */
static int fill(struct exec *exec)
{
	struct address_space *space = exec->memory->space;
	int err;

	address_space_enter(space);
	err = binary_fill(exec, &exec->program);
	if (!err && exec->interp.object)
		err = binary_fill(exec, &exec->interp);
	/* The first instruction's page will be missed at once; whether others are, nobody knows. */
	if (!err)
		err = address_space_fault(space, entry(exec), VM_EXEC);
	return err ? err : stack_write(exec);
}

/* --- the new program -------------------------------------------------------------------- */

/* From here on nothing fails: the current task, the only one, runs the new program. */
static void commit(struct exec *exec, struct user_regs *regs)
{
	struct task *task = current_task();
	struct process *process = task->process;
	struct memory *before = process->memory;

	process->memory = exec->memory;
	exec->memory = NULL;
	/* Whoever waits for the old memory to be free again */
	vfork_done(task);
	if (before)
		memory_put(before);
	if (before)
		files_close_on_exec(process->files);
	task->clear_child_tid = NULL;
	task->robust_list = NULL;
	process->executed = true;
	user_fp_reset();
	abi_start(regs, entry(exec), exec->sp);
}

static void release(struct exec *exec)
{
	binary_close(&exec->program);
	binary_close(&exec->interp);
	strings_free(&exec->strings);
	strings_free(&exec->prefix);
	if (exec->memory)
		memory_put(exec->memory);
}

static u64 args_max(void)
{
	u64 quarter = process_limit(RLIMIT_STACK) / 4;

	return max_t(u64, ARGS_MIN, min_t(u64, quarter, ARGS_MAX));
}

/* Load @exec->path. Return: 0, and the program can go on with *@regs; or an error. */
static int load(struct exec *exec, bool first, struct user_regs *regs)
{
	int err = binary_open(&exec->program, exec->path);

	exec->strings.max = args_max();
	if (!err)
		err = script_resolve(exec);
	if (!err)
		err = binary_check(&exec->program);
	if (!err)
		err = collect_strings(exec, first);
	if (!err)
		err = build(exec);
	if (!err)
		err = fill(exec);
	if (!err)
		err = process_single_out();
	if (!err)
		commit(exec, regs);
	else
		address_space_enter(first ? NULL : current_process()->memory->space);
	release(exec);
	return err;
}

/* All but the buffers, which are large. */
static void prepare(struct exec *exec, const char *path)
{
	exec->path = path;
	exec->argv = NULL;
	exec->envp = NULL;
	exec->argc = 0;
	exec->envc = 0;
	exec->strings.text = NULL;
	exec->strings.size = 0;
	exec->strings.room = 0;
	exec->prefix.text = NULL;
	exec->program.object = NULL;
	exec->program.more_phdrs = NULL;
	exec->interp.object = NULL;
	exec->interp.more_phdrs = NULL;
	exec->interp.bias = 0;
	exec->memory = NULL;
	exec->vdso = 0;
}

int exec_first(const char *path, struct user_regs *regs)
{
	/* Memory of this size would be the only one of its kind so far. */
	static struct exec exec __noinit;

	prepare(&exec, path);
	return load(&exec, true, regs);
}

/* execve() of a path in kernel memory, from the program that has @regs */
static int exec_path(const char *path, unsigned long argv, unsigned long envp,
		     struct user_regs *regs)
{
	struct exec *exec = kmalloc(sizeof(*exec));
	int err = -ENOMEM;

	if (exec) {
		prepare(exec, path);
		exec->argv = (const char __user *const __user *)argv;
		exec->envp = (const char __user *const __user *)envp;
		err = load(exec, false, regs);
	}
	kfree(exec);
	return err;
}

static long execve(unsigned long path, unsigned long argv, unsigned long envp,
		   struct user_regs *regs)
{
	char *text = kmalloc(PATH_MAX);
	long len;
	int err;

	if (!text)
		return -ENOMEM;
	len = strncpy_from_user(text, (const char __user *)path, PATH_MAX);
	if (len < 0)
		err = (int)len;
	else if (len == PATH_MAX)
		err = -ENAMETOOLONG;
	else
		err = len ? exec_path(text, argv, envp, regs) : -ENOENT;
	kfree(text);
	return err;
}

SYSCALL_REGS(3, 221, execve)
{
	long err = execve(regs->a0, regs->a1, regs->a2, regs);

	/* Without an error there is nobody to tell. */
	if (err)
		regs->a0 = (unsigned long)err;
}
