// SPDX-License-Identifier: MIT
/* The ring of bytes, alone and between two threads. */
#include "lib.h"

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>

#include <ahoy/ring.h>

enum {
	SIZE = 16,
	MANY = 200000
};

/* No more and no less than its size, in order, also where positions wrap. */
static void test_bounds(void **state)
{
	uint8_t *bytes = malloc(SIZE), back[2 * SIZE];
	struct ring ring = { .data = bytes, .size = SIZE };
	unsigned int start, count, i;

	(void)state;
	for (start = 0; start < 2 * SIZE; start++) {
		for (count = 0; count <= SIZE; count++) {
			ring.in = ring.out = UINT32_MAX - SIZE + start;
			for (i = 0; i < count; i++) {
				assert_int_equal(ring_count(&ring), i);
				assert_true(ring_put(&ring, (uint8_t)(start + i)));
			}
			assert_int_equal(ring_put(&ring, 0), count < SIZE);
			assert_int_equal(ring_get(&ring, back, count), count);
			for (i = 0; i < count; i++)
				assert_int_equal(back[i], (uint8_t)(start + i));
			assert_int_equal(ring_get(&ring, back, sizeof(back)), count < SIZE);
			assert_int_equal(ring_get(&ring, back, sizeof(back)), 0);
			assert_int_equal(ring_count(&ring), 0);
		}
	}
	free(bytes);
}

static void *put_many(void *arg)
{
	unsigned int i;

	for (i = 0; i < MANY; i++)
		while (!ring_put(arg, (uint8_t)(i * 7 + i / 256)))
			sched_yield();
	return NULL;
}

/* One puts while another gets: nothing is lost, doubled or seen too early. */
static void test_threads(void **state)
{
	uint8_t *bytes = malloc(SIZE), back[SIZE / 2];
	struct ring ring = { .data = bytes, .size = SIZE };
	unsigned int at = 0, len, i, wrong = 0;
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, put_many, &ring), 0);
	while (at < MANY) {
		assert_true(ring_count(&ring) <= SIZE);
		len = ring_get(&ring, back, 1 + at % sizeof(back));
		for (i = 0; i < len; i++, at++)
			wrong += back[i] != (uint8_t)(at * 7 + at / 256);
		if (!len)
			sched_yield();
	}
	pthread_join(thread, NULL);
	assert_int_equal(wrong, 0);
	assert_int_equal(ring_count(&ring), 0);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}
