// SPDX-License-Identifier: MIT
/*
 * Random system calls. An input is a program: numbers of calls, and where their
 * arguments come from - small numbers, results of earlier calls, memory, paths,
 * what is likely to be wrong. It runs as a child of the first process, with all
 * the children and threads that it makes. Afterwards nothing may be left of them.
 */
#include "../../posix/syscall.h"
#include "testing.h"

LINKER_TABLE(struct syscall_row, syscall);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Memory that every program begins with: paths, and room */
#define ARENA	   0x30000000UL
#define ARENA_SIZE (16 * 4096UL)
#define PATHS	   (ARENA + 4096)
#define PATH_ROOM  32

static const char *const paths[] = {
	"/init",     "/script",	   "/text",	     "link",
	"/loop",     "folder",	   "folder/up/file", "/dev/console",
	"/dev/zero", "/dev/null",  "/dev/urandom",   "..",
	"",	     "/missing/x", "/empty",	     "/nobody",
};

static const unsigned long bad_pointers[] = {
	0,
	8,
	0x2ffff000,
	ARENA + ARENA_SIZE - 4,
	ARENA + ARENA_SIZE,
	1UL << 38,
	(1UL << 38) - 8,
	1UL << 62,
	-8UL,
	-4096UL,
};

static const unsigned long values[] = {
	-1UL,	 -2UL,	   -100UL,    64,	    100,       127,	  255,	     256,
	1000,	 1023,	   1024,      1025,	    4095,      4096,	  4097,	     8192,
	65536,	 1 << 20,  1UL << 30, 1UL << 31,    1UL << 32, 1UL << 63, INT64_MAX, INT32_MAX,
	0x10f00, 0x111,	   0x4111,    0x3d0f00,	    02000000,  0200000,	  0101,	     0x22,
	0x32,	 0x100022, ARENA,     ARENA + 4096,
};

/* --- a program ------------------------------------------------------------------------------- */

#define RESULTS 16
#define THREADS 24

/* Where a thread is in the input */
struct cursor {
	const uint8_t *at, *end;
	unsigned long results[RESULTS];
	unsigned int calls;
};

static struct cursor cursors[THREADS];
static unsigned int cursors_used;
static __thread struct cursor *cursor;

static unsigned int byte(void)
{
	return cursor->at < cursor->end ? *cursor->at++ : 0;
}

static unsigned long argument(void)
{
	unsigned int kind = byte();

	if (kind < 32)
		return kind;
	if (kind < 48)
		return cursor->results[kind - 32];
	if (kind < 80)
		return ARENA + 2 * 4096 + (kind - 48) * 200;
	if (kind < 90)
		return bad_pointers[kind - 80];
	if (kind < 90 + sizeof(values) / sizeof(values[0]))
		return values[kind - 90];
	if (kind >= 130 && kind < 160)
		return PATHS + (kind - 130) % (sizeof(paths) / sizeof(paths[0])) * PATH_ROOM;
	if (kind < 200)
		return byte() | byte() << 8;
	return byte() | (unsigned long)byte() << 8 | (unsigned long)byte() << 32;
}

static void make_arena(void)
{
	/* PROT_READ | PROT_WRITE; MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS */
	if (sys(SYS_mmap, ARENA, ARENA_SIZE, 3, 0x32, -1, 0) != (long)ARENA)
		return;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		(void)!copy_to_user((void *)(PATHS + PATH_ROOM * i), paths[i],
				    strlen(paths[i]) + 1);
	/* Pointers, so that there are lists of arguments and of buffers */
	for (unsigned long i = 0; i < 8; i++) {
		unsigned long pair[] = { PATHS + PATH_ROOM * i, 16 * i };

		(void)!copy_to_user((void *)(ARENA + 16 * i), pair, sizeof(pair));
	}
}

static int run_rest(void *arg);

/* What a thread that the next call makes is to do; NULL: there are enough of them. */
static struct cursor *next_cursor(void)
{
	unsigned int nr = __atomic_fetch_add(&cursors_used, 1, __ATOMIC_RELAXED);

	if (nr >= THREADS)
		return NULL;
	cursors[nr] = *cursor;
	return &cursors[nr];
}

#define SYS_reboot 142
#define SYS_clone3 435

/* @fail_after: so many allocations succeed; negative: all */
static void one_call(long fail_after)
{
	size_t rows = (size_t)(syscall_end - syscall_start);
	unsigned long nr = syscall_start[byte() % rows].nr, args[6];
	unsigned int count = 6;
	long result;

	for (unsigned int i = 0; i < count; i++)
		args[i] = argument();
	if (nr == SYS_reboot)
		return;
	if (nr == SYS_clone || nr == SYS_clone3) {
		struct cursor *next = next_cursor();

		if (!next)
			return;
		hosted_next_program(run_rest, next);
	}
	if (fail_after >= 0)
		hosted_fail_after(fail_after);
	result = hosted_syscall(nr, args[0], args[1], args[2], args[3], args[4], args[5]);
	hosted_fail_after(-1);
	cursor->results[cursor->calls++ % RESULTS] = (unsigned long)result;
}

static void run_calls(void)
{
	while (cursor->at < cursor->end && cursor->calls < 200) {
		/* Now and then an access to memory, which may be this program's end */
		if (*cursor->at == 255) {
			byte();
			hosted_touch(argument(), 1 + byte() % 2);
		} else if (*cursor->at >= 240) {
			/* Sometimes there is no memory. */
			one_call(byte() - 240);
		} else {
			one_call(-1);
		}
	}
}

static int run_rest(void *arg)
{
	cursor = arg;
	run_calls();
	return 0;
}

static int run_all(void *arg)
{
	cursor = arg;
	make_arena();
	run_calls();
	return 0;
}

static int run_executed(const struct user_regs *regs)
{
	(void)regs;
	hosted_fail_after(-1);
	make_arena();
	run_calls();
	return 0;
}

/* --- the first process ------------------------------------------------------------------------- */

#define SIGKILL 9
#define WNOHANG 1

static void died(int status)
{
	fprintf(stderr, "the first process ended: %d\n", status);
	abort();
}

/* Have all contents of files in memory once: they stay, and are no leak. */
static void warm_up(void)
{
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		long fd = sys(SYS_openat, CWD, PATHS + PATH_ROOM * i, 0);
		long at = sys(SYS_mmap, 0, 3 * 4096, 1, 2, fd, 0);
		char first;

		for (long page = 0; at > 0 && page < 3; page++)
			(void)!copy_from_user(&first, (void *)(at + 4096 * page), 1);
		if (at > 0)
			sys(SYS_munmap, at, 3 * 4096);
		sys(SYS_close, fd);
	}
	sys(SYS_read, 0, ARENA, 1);
	for (unsigned long page = 0; page < ARENA_SIZE; page += 4096)
		hosted_touch(ARENA + page, 2);
}

/* What children may have changed of it; and few descriptors, so that they come to an end */
static void reset_limits(void)
{
	for (unsigned long i = 0; i < 16; i++) {
		unsigned long limit[2] = { -1UL, -1UL };

		if (i == 7)
			limit[0] = 8, limit[1] = 4096;
		user_write(ARENA, limit, 16);
		sys(SYS_prlimit64, 0, i, ARENA, 0);
	}
}

/* Wait until no child is left; those that take too long are killed. */
static void wait_for_all(void)
{
	for (unsigned int rounds = 0; sys(SYS_wait4, -1, 0, WNOHANG, 0) != -ECHILD; rounds++) {
		if (rounds > 200)
			usleep(100);
		else
			sched_yield();
		if (rounds > 300)
			sys(SYS_kill, -1, SIGKILL);
	}
	for (unsigned int rounds = 0; hosted_counts().threads; rounds++) {
		if (rounds > 10)
			usleep(100);
		if (rounds > 50000)
			panic("threads are left");
		sched_yield();
	}
}

static void check_same(const char *what, long before, long now)
{
	if (before == now)
		return;
	fprintf(stderr, "%s: %ld before, %ld now\n", what, before, now);
	abort();
}

static void start(void)
{
	const void *archive;
	size_t size;

	hosted_virtual_time();
	hosted_type_end();
	hosted_end = died;
	hosted_exec = run_executed;
	standard_archive();
	archive = archive_end(&size);
	CHECK_EQ(hosted_start(archive, size), 0);
	make_arena();
	warm_up();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool started;
	struct hosted_counts before, now;

	if (!started)
		start();
	started = true;
	reset_limits();
	before = hosted_counts();
	cursors_used = 1;
	memset(&cursors[0], 0, sizeof(cursors[0]));
	cursors[0].at = data;
	cursors[0].end = data + size;
	CHECK(hosted_clone(17, run_all, &cursors[0]) > 0);
	wait_for_all();
	hosted_fail_after(-1);
	hosted_printed();
	now = hosted_counts();
	check_same("blocks", before.blocks, now.blocks);
	check_same("pages", before.pages, now.pages);
	check_same("objects", before.objects, now.objects);
	check_same("spaces", before.spaces, now.spaces);
	return 0;
}
