// SPDX-License-Identifier: MIT
/* Pages by number, against a plain array; with memory running out now and then. */
#include "lib.h"

#include <stdlib.h>

#include <cmocka.h>

#include "../../mm/page_index.c"

/* Some close together, some far apart, the last ones at the end of the largest object. */
enum {
	NUMBERS = 400
};

static struct page_index tree;
static u64 numbers[NUMBERS];
static struct page *pages[NUMBERS];
static long budget = -1; /* allocations that succeed; -1: all */
static long allocated;
static uint64_t seed = 1;

void *kzalloc(size_t size)
{
	if (budget == 0)
		return NULL;
	budget -= budget > 0;
	allocated++;
	return calloc(1, size);
}

void kfree(const void *p)
{
	allocated -= p != NULL;
	free((void *)(uintptr_t)p);
}

static unsigned int random_below(unsigned int bound)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned int)(seed >> 33) % bound;
}

static int compare(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

static void choose_numbers(void)
{
	unsigned int i;

	for (i = 0; i < NUMBERS; i++)
		numbers[i] = i < NUMBERS / 2 ? i * 3 + 1 : (u64)random_below(1 << 30) << 6 | i % 64;
	numbers[0] = 0;
	numbers[NUMBERS - 1] = (1ULL << 36) - 1;
	qsort(numbers, NUMBERS, sizeof(numbers[0]), compare);
	for (i = 1; i < NUMBERS; i++)
		assert_true(numbers[i - 1] < numbers[i]);
}

static void check_all(void)
{
	for (unsigned int i = 0; i < NUMBERS; i++)
		assert_ptr_equal(page_index_get(&tree, numbers[i]), pages[i]);
	assert_null(page_index_get(&tree, 2));
	assert_null(page_index_get(&tree, ~0ULL));
}

/* Take out the first one from @first on, which must be the first there is. */
static int take_from(unsigned int first)
{
	struct page *page = page_index_take(&tree, numbers[first]);
	unsigned int i = first;

	while (i < NUMBERS && !pages[i])
		i++;
	assert_ptr_equal(page, i < NUMBERS ? pages[i] : NULL);
	if (i < NUMBERS)
		pages[i] = NULL;
	return page != NULL;
}

static void test_random(void **state)
{
	(void)state;
	choose_numbers();
	for (unsigned int round = 0; round < 20000; round++) {
		unsigned int i = random_below(NUMBERS);

		if (pages[i] || !random_below(3)) {
			take_from(i);
			continue;
		}
		budget = random_below(4) ? -1 : (long)random_below(3);
		if (!page_index_set(&tree, numbers[i], (struct page *)&pages[i]))
			pages[i] = (struct page *)&pages[i];
		else
			assert_true(budget == 0);
		budget = -1;
		if (round % 64 == 0)
			check_all();
	}
	check_all();
	while (take_from(0))
		;
	/* Not a node is left, also none of those that failures have left empty. */
	assert_int_equal(allocated, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests_name("page_index", tests, NULL, NULL);
}
