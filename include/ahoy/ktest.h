/* SPDX-License-Identifier: MIT */
/*
 * Tests that run in the kernel, before the line. A test is a function beside
 * the code that it tests, in a file of its own:
 *
 *	KTEST(page_alloc, merging)
 *	{
 *		KTEST_ASSERT(page);
 *		KTEST_EXPECT(count == 3);
 *	}
 *
 * The console shows the results as KTAP (the kernel's form of the Test
 * Anything Protocol, version 1). A failure is a panic when all have run.
 */
#ifndef AHOY_KTEST_H
#define AHOY_KTEST_H

#include <ahoy/printk.h>
#include <ahoy/section.h>
#include <ahoy/types.h>

struct ktest {
	const char *name;
	void (*fn)(void);
};

/* Define test @name of @suite; a block follows. Context: init level test. */
#define KTEST(suite, name)                                                                         \
	static void ktest_##suite##_##name(void);                                                  \
	LINKER_TABLE_ROW(struct ktest, ktest, 0, suite##_##name) = {                               \
		#suite "." #name,                                                                  \
		ktest_##suite##_##name,                                                            \
	};                                                                                         \
	static void ktest_##suite##_##name(void)

/* The test has failed: says where. Context: a test. */
void ktest_fail(const char *file, int line, const char *what);

/* It must be so; if not, the test has failed and goes on. */
#define KTEST_EXPECT(cond)                                                                         \
	do {                                                                                       \
		if (unlikely(!(cond)))                                                             \
			ktest_fail(__FILE__, __LINE__, #cond);                                     \
	} while (0)

/* The same, but the test ends here. For the test's own function. */
#define KTEST_ASSERT(cond)                                                                         \
	do {                                                                                       \
		if (unlikely(!(cond))) {                                                           \
			ktest_fail(__FILE__, __LINE__, #cond);                                     \
			return;                                                                    \
		}                                                                                  \
	} while (0)

/*
 * @count times the parameter ktest.scale= (1 where there is none), for tests
 * that are worth running longer. Return: at most U32_MAX. Context: a test.
 */
u32 ktest_scaled(u32 count);

/* Numbers from 0 to @bound - 1, the same ones at each boot. */
u32 ktest_random(u32 bound);

#endif
