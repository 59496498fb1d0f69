// SPDX-License-Identifier: MIT
/* musl with several threads, and harts: each has an errno, and what they share has locks. */
#include <ahoy/compiler.h>
#include <ahoy/errno.h>
#include <ahoy/ktest.h>
#include <ahoy/libc.h>
#include <ahoy/string.h>
#include <ahoy/thread.h>

/* What is called of musl, as its own headers have it */
typedef struct musl_file FILE;
FILE *fmemopen(void *buf, size_t size, const char *mode);
int fprintf(FILE *file, const char *fmt, ...);
int fclose(FILE *file);
void flockfile(FILE *file);
void funlockfile(FILE *file);
void *malloc(size_t size);
void *realloc(void *p, size_t size);
void free(void *p);

#define errno (*__errno_location())

#define WORKERS 4

/* Run @fn in several threads, with their numbers from 1. Return: how many did not return 0. */
static unsigned int run(int (*fn)(void *arg))
{
	struct thread *thread[WORKERS];
	unsigned int failed = 0;
	unsigned long i;

	for (i = 0; i < WORKERS; i++)
		thread[i] = thread_create("libc", fn, (void *)(i + 1), PRIORITY_DEFAULT);
	for (i = 0; i < WORKERS; i++)
		failed += !thread[i] || thread_join(thread[i]);
	return failed;
}

/* Sets its own by musl and by hand, and sees nobody else's. */
static int use_errno(void *arg)
{
	int number = (int)(long)arg;

	for (unsigned int i = 0; i < ktest_scaled(50); i++) {
		errno = number;
		thread_yield();
		if (errno != number)
			return 1;
		errno = 0;
		if (number % 2)
			strtoull("99999999999999999999", NULL, 10);
		thread_yield();
		if (errno != (number % 2 ? ERANGE : 0))
			return 2;
	}
	return 0;
}

KTEST(libc_thread, errno_is_its_own)
{
	errno = -1;
	KTEST_EXPECT(!run(use_errno));
	KTEST_EXPECT(errno == -1);
}

static bool holds(const u8 *p, size_t size, u8 value)
{
	for (size_t i = 0; i < size; i++)
		if (p[i] != value)
			return false;
	return true;
}

/* Objects from some bytes to some pages, each with a pattern of its own */
static int use_malloc(void *arg)
{
	struct {
		u8 *start;
		size_t size;
	} objects[8] = {};
	u32 random = (u32)(unsigned long)arg;

	for (unsigned int i = 0; i < ktest_scaled(300); i++) {
		unsigned int n = i % ARRAY_SIZE(objects);
		size_t size;

		random = random * 1664525 + 1013904223;
		size = 1 + (random >> 8) % (random % 16 ? 500 : 20000);
		if (!holds(objects[n].start, objects[n].size, (u8)n))
			return 1;
		if (random & 0x80) {
			free(objects[n].start);
			objects[n].start = malloc(size);
		} else {
			objects[n].start = realloc(objects[n].start, size);
		}
		if (!objects[n].start)
			return 2;
		objects[n].size = size;
		memset(objects[n].start, (int)n, size);
		if (i % 16 == 0)
			thread_yield();
	}
	for (unsigned int n = 0; n < ARRAY_SIZE(objects); n++) {
		if (!holds(objects[n].start, objects[n].size, (u8)n))
			return 1;
		free(objects[n].start);
	}
	return 0;
}

KTEST(libc_thread, malloc_has_a_lock)
{
	KTEST_EXPECT(!run(use_malloc));
}

/* Enough that harts meet. */
#define LINES 1000
#define WIDTH 24

#define TEXT_SIZE (WORKERS * LINES * (WIDTH + 1) + 1)

static FILE *file;

static int use_file(void *arg)
{
	char letters[WIDTH / 4 + 1];

	memset(letters, 'a' + (int)(long)arg, WIDTH / 4);
	letters[WIDTH / 4] = '\0';
	for (unsigned int i = 0; i < LINES; i++) {
		if (fprintf(file, "%s%s%s%s\n", letters, letters, letters, letters) != WIDTH + 1)
			return 1;
		if (i % 64 == 0)
			thread_yield();
	}
	return 0;
}

KTEST(libc_thread, lines_are_whole)
{
	char *text = malloc(TEXT_SIZE);

	KTEST_ASSERT(text);
	file = fmemopen(text, TEXT_SIZE, "w");
	KTEST_ASSERT(file);
	KTEST_EXPECT(!run(use_file));
	KTEST_EXPECT(!fclose(file));
	KTEST_EXPECT(strlen(text) == TEXT_SIZE - 1);
	for (char *line = text; *line; line += WIDTH + 1)
		KTEST_ASSERT(holds((u8 *)line, WIDTH, (u8)*line) && line[WIDTH] == '\n');
	free(text);
}

/* Who finds a file locked waits until it is not, and does not keep the others waiting. */
KTEST(libc_thread, waiting_for_a_lock)
{
	char *text = malloc(TEXT_SIZE);
	struct thread *thread;

	KTEST_ASSERT(text);
	file = fmemopen(text, TEXT_SIZE, "w");
	KTEST_ASSERT(file);
	flockfile(file);
	thread = thread_create("waits", use_file, (void *)1, PRIORITY_DEFAULT);
	KTEST_ASSERT(thread);
	for (unsigned int i = 0; i < 100; i++)
		thread_yield();
	KTEST_EXPECT(!READ_ONCE(thread->ended));
	KTEST_EXPECT(fprintf(file, "mine\n") == 5);
	funlockfile(file);
	KTEST_EXPECT(!thread_join(thread));
	KTEST_EXPECT(!fclose(file));
	KTEST_EXPECT(!memcmp(text, "mine\nbbbbb", 10));
	free(text);
}
