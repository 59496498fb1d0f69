/* SPDX-License-Identifier: MIT */
/*
 * Tests as ordinary Linux programs. A program is one file with TEST()s, linked
 * with ktap.c and ktap_main.c, which runs each in a process of its own under a time limit, and
 * prints KTAP. It ends with 0 if none failed.
 *
 * The program is run in a folder that has data/ (see test_user.py). Where the
 * variable QEMU_USER is set it runs under qemu-riscv64, whose differences from
 * Linux are told where on_qemu_user() is asked.
 */
#ifndef KTAP_H
#define KTAP_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/types.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define PAGE	      4096UL

/* Statuses by which a test ends, beside 0; and why one is left out, which main() has shared. */
#define KTAP_FAILED  1
#define KTAP_SKIPPED 77
extern char *ktap_skip_reason;

struct test {
	const char *name;
	void (*run)(void);
	unsigned int seconds;
};

/* A test that may take @limit seconds on a machine that does nothing else. */
#define TEST_LIMIT(id, limit)                                                                      \
	static void run_##id(void);                                                                \
	static const struct test test_##id = { #id, run_##id, limit };                             \
	static const struct test *const test_row_##id __attribute__((used, section("tests"))) =    \
		&test_##id;                                                                        \
	static void run_##id(void)
#define TEST(id) TEST_LIMIT(id, 20)

/* Go on after a failure, or end the test. Both print what was not so, and where. */
#define EXPECT(condition) ktap_expect(!!(condition), __FILE__, __LINE__, #condition)
#define ASSERT(condition)                                                                          \
	do {                                                                                       \
		if (!EXPECT(condition))                                                            \
			ktap_give_up();                                                            \
	} while (0)

/* Two integers are the same. */
#define EXPECT_EQ(value, wanted)                                                                   \
	ktap_expect_eq((long)(value), (long)(wanted), __FILE__, __LINE__, #value, #wanted)
#define ASSERT_EQ(value, wanted)                                                                   \
	do {                                                                                       \
		if (!EXPECT_EQ(value, wanted))                                                     \
			ktap_give_up();                                                            \
	} while (0)

/* End the test: it cannot be made here, because of @why. */
#define SKIP(why) ktap_skip(why)

bool ktap_expect(bool so, const char *file, int line, const char *what);
bool ktap_expect_eq(long value, long wanted, const char *file, int line, const char *value_text,
		    const char *wanted_text);
_Noreturn void ktap_give_up(void);
_Noreturn void ktap_skip(const char *why);

/* Print one line; parts of it are not mixed with what others print. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What a program can be asked for by its own name: --NAME. Return: the exit status. */
struct child_role {
	const char *name;
	int (*run)(int argc, char **argv);
};
#define CHILD_ROLE(id)                                                                             \
	static int role_run_##id(int argc, char **argv);                                           \
	static const struct child_role role_##id = { #id, role_run_##id };                         \
	static const struct child_role *const role_row_##id                                        \
		__attribute__((used, section("roles"))) = &role_##id;                              \
	static int role_run_##id(int argc, char **argv)

bool on_qemu_user(void);

/* Ahoy promises more than Linux in places: the variable AHOY is set. */
bool on_ahoy(void);

/* Have Linux end this process first when there is no memory left (1000), or never (-1000). */
void first_to_go(int score);

/* Memory in use on the whole machine; it ends the test where that says nothing. */
long used_memory(void);

/* How much of it may be different, because Linux keeps free pages at hand for each hart. */
#define SLACK (on_ahoy() ? 256L << 10 : 8L << 20)

/* End a child of a test: with 0 if nothing was wrong in it so far. */
_Noreturn void end_child(void);

/* A system call as it is: no check by the C library, errors are negative. */
long sys6(long nr, long a0, long a1, long a2, long a3, long a4, long a5);
#define SYS_(nr, a, b, c, d, e, f, ...)                                                            \
	sys6(nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
#define sys(...) SYS_(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)

/* Run @fn(@arg) in a child, and wait for it. Return: its status, as of wait4(). */
int in_child(void (*fn)(void *arg), void *arg);

/* The signal that ends a child that does this, or 0. */
int signal_of(void (*fn)(void *arg), void *arg);
int signal_of_load(const volatile void *address);
int signal_of_store(volatile void *address);
int signal_of_jump(const void *address);

/* @n pages that children share, of zeroes; private ones; both end the test if there are none. */
void *shared_pages(size_t n);
void *private_pages(size_t n);

/* Addresses that the kernel must not read from, or must not write to; NULL at the end. */
struct bad_pointer {
	const char *name;
	char *address;
};
const struct bad_pointer *bad_to_read(void);
const struct bad_pointer *bad_to_write(void);

/* The last @n bytes of a page, behind which nothing is mapped. */
char *before_nothing(size_t n);

/* Each call in @call, with "bad" as the pointer, must be @wanted. */
#define EXPECT_BAD(list, call, wanted)                                                             \
	do {                                                                                       \
		for (const struct bad_pointer *row = list; row->name; row++) {                     \
			char *bad = row->address;                                                  \
                                                                                                   \
			if (!ktap_expect_eq((call), (wanted), __FILE__, __LINE__, #call, #wanted)) \
				say("# with a pointer to %s", row->name);                          \
		}                                                                                  \
	} while (0)

/* The path by which this program was started. */
const char *self_path(void);

/* A file of data/ opened for reading; it ends the test if it is not there. */
int open_data(const char *name);

#define TEXT_SIZE 10000

/* What byte @i of data/text is. */
static inline char text_byte(size_t i)
{
	return (char)('a' + (i * 7 + i / 26) % 26);
}

#endif
