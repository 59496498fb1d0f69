// SPDX-License-Identifier: MIT
/*
 * fixdep: make a dependency file depend on options instead of on autoconf.h.
 *
 * The compiler lists every header a source file includes, autoconf.h among
 * them, and that one changes with every option. This reads the list, looks in
 * each file for the words CONFIG_..., and writes a makefile fragment in which
 * the target depends on include/config/....h of just those options: the
 * configuration step touches such a stamp when its option changes.
 *
 * usage: fixdep DEPFILE TARGET COMMAND > TARGET.cmd
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HASH_SIZE 1024

struct option {
	struct option *next;
	size_t len;
	char name[];
};

static struct option *seen[HASH_SIZE];

static void die(const char *what, const char *name)
{
	fprintf(stderr, "fixdep: %s: %s: %s\n", name, what, strerror(errno));
	exit(2);
}

/* The whole file as a string of its own; the caller frees it. */
static char *read_file(const char *name)
{
	FILE *f = fopen(name, "rb");
	char *text;
	long size;

	if (!f)
		die("cannot open", name);
	if (fseek(f, 0, SEEK_END) || (size = ftell(f)) < 0 || fseek(f, 0, SEEK_SET))
		die("cannot seek", name);
	text = malloc(size + 1);
	if (!text)
		die("cannot hold", name);
	if (fread(text, 1, size, f) != (size_t)size)
		die("cannot read", name);
	text[size] = '\0';
	fclose(f);
	return text;
}

/* Print the option's stamp, the first time it is met. */
static void use_option(const char *name, size_t len)
{
	unsigned int hash = 5381;
	struct option *o;
	size_t i;

	for (i = 0; i < len; i++)
		hash = hash * 33 + (unsigned char)name[i];
	for (o = seen[hash % HASH_SIZE]; o; o = o->next)
		if (o->len == len && !memcmp(o->name, name, len))
			return;
	o = malloc(sizeof(*o) + len);
	if (!o)
		die("cannot hold", "option");
	o->len = len;
	memcpy(o->name, name, len);
	o->next = seen[hash % HASH_SIZE];
	seen[hash % HASH_SIZE] = o;

	printf("\t$(wildcard include/config/");
	for (i = 0; i < len; i++)
		putchar(name[i] == '_' ? '/' : tolower((unsigned char)name[i]));
	printf(".h) \\\n");
}

static void scan_options(const char *text)
{
	const char *p = text, *end;

	while ((p = strstr(p, "CONFIG_"))) {
		int inside = p > text && (isalnum((unsigned char)p[-1]) || p[-1] == '_');

		p += strlen("CONFIG_");
		for (end = p; isalnum((unsigned char)*end) || *end == '_'; end++)
			;
		if (!inside && end > p)
			use_option(p, end - p);
		p = end;
	}
}

static int ends_with(const char *s, const char *tail)
{
	size_t n = strlen(s), t = strlen(tail);

	return n >= t && !strcmp(s + n - t, tail);
}

int main(int argc, char **argv)
{
	char *deps, *word, *text;

	if (argc != 4) {
		fprintf(stderr, "usage: fixdep DEPFILE TARGET COMMAND\n");
		return 2;
	}
	printf("savedcmd_%s := %s\n\ndeps_%s := \\\n", argv[2], argv[3], argv[2]);

	deps = read_file(argv[1]);
	for (word = strtok(deps, " \t\n\\"); word; word = strtok(NULL, " \t\n\\")) {
		if (word[strlen(word) - 1] == ':' ||
		    ends_with(word, "include/generated/autoconf.h"))
			continue;
		printf("\t%s \\\n", word);
		text = read_file(word);
		scan_options(text);
		free(text);
	}
	printf("\n%s: $(deps_%s)\n\n$(deps_%s):\n", argv[2], argv[2], argv[2]);
	free(deps);
	if (ferror(stdout) || fflush(stdout))
		die("cannot write", "standard output");
	return 0;
}
