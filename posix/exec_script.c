// SPDX-License-Identifier: MIT
/*
 * Scripts: "#! INTERPRETER [ARGUMENT]" in the first line has the interpreter run
 * with that argument and the script's path in the place of argv[0].
 */
#include "exec.h"
#include <ahoy/string.h>

/* How often an interpreter may be a script itself, as Linux has it. */
#define SCRIPTS_MAX 5

/* As much of the line as Linux reads */
#define LINE_MAX 256

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The line behind "#!" without blanks at its ends. Return: -ENOEXEC if a name was cut. */
static int first_line(const struct binary *binary, const char **line, size_t *len)
{
	size_t size = binary->size < LINE_MAX ? (size_t)binary->size : LINE_MAX;
	const char *text = (const char *)binary->head + 2, *end;
	bool whole = size < LINE_MAX;

	size -= 2;
	end = memchr(text, '\n', size);
	whole |= !!end;
	if (!end)
		end = text + size;
	if (memchr(text, '\0', (size_t)(end - text)))
		end = memchr(text, '\0', (size_t)(end - text));
	while (text < end && is_blank(*text))
		text++;
	while (end > text && is_blank(end[-1]))
		end--;
	*line = text;
	*len = (size_t)(end - text);
	/* What was cut may have been a longer name; an argument may be cut. */
	if (!whole && !memchr(text, ' ', *len) && !memchr(text, '\t', *len))
		return -ENOEXEC;
	return *len ? 0 : -ENOEXEC;
}

/* Put @name and @arg, which may be NULL, before what there is. */
static int prepend(struct strings *prefix, const char *name, const char *arg)
{
	size_t name_size = strlen(name) + 1, arg_size = arg ? strlen(arg) + 1 : 0;
	size_t before = prefix->size;
	int err = strings_add(prefix, name, name_size);

	if (!err && arg)
		err = strings_add(prefix, arg, arg_size);
	if (err)
		return err;
	memmove(prefix->text + name_size + arg_size, prefix->text, before);
	memcpy(prefix->text, name, name_size);
	if (arg)
		memcpy(prefix->text + name_size, arg, arg_size);
	return 0;
}

/* Let the program be what @exec's program, a script, wants. */
static int next_interpreter(struct exec *exec)
{
	char *arg = NULL, name[LINE_MAX];
	const char *line;
	size_t len, name_len = 0;
	int err = first_line(&exec->program, &line, &len);

	if (err)
		return err;
	memcpy(name, line, len);
	name[len] = '\0';
	while (name_len < len && !is_blank(name[name_len]))
		name_len++;
	if (name_len < len) {
		for (arg = name + name_len; is_blank(*arg); arg++)
			*arg = '\0';
	}
	err = prepend(&exec->prefix, name, arg);
	if (err)
		return err;
	binary_close(&exec->program);
	return binary_open(&exec->program, name);
}

int script_resolve(struct exec *exec)
{
	struct binary *program = &exec->program;
	int err = 0;

	for (int i = 0; !err && program->head[0] == '#' && program->head[1] == '!'; i++) {
		if (i == SCRIPTS_MAX)
			return -ELOOP;
		if (!i) {
			exec->prefix.size = 0;
			exec->prefix.room = 0;
			exec->prefix.max = exec->strings.max;
			err = strings_add(&exec->prefix, exec->path, strlen(exec->path) + 1);
		}
		if (!err)
			err = next_interpreter(exec);
	}
	return err;
}
