// SPDX-License-Identifier: MIT
#include <ahoy/errno.h>
#include <ahoy/ktest.h>
#include <ahoy/mutex.h>
#include <ahoy/sched.h>

#define WORKERS 4
#define ROUNDS	100

static struct mutex mutex;
static unsigned long counter;

/* Lost updates would show, also where threads are only switched in between. */
static int count(void *arg)
{
	for (unsigned int i = 0; i < ROUNDS; i++) {
		unsigned long seen;

		mutex_lock(&mutex);
		seen = READ_ONCE(counter);
		if (i % 8 == 0)
			thread_yield();
		WRITE_ONCE(counter, seen + 1);
		mutex_unlock(&mutex);
	}
	return 0;
}

KTEST(mutex, exclusion)
{
	struct thread *threads[WORKERS];
	unsigned int i;

	counter = 0;
	for (i = 0; i < WORKERS; i++) {
		threads[i] = thread_create("count", count, NULL, PRIORITY_DEFAULT);
		KTEST_ASSERT(threads[i]);
	}
	for (i = 0; i < WORKERS; i++)
		thread_join(threads[i]);
	KTEST_EXPECT(counter == (unsigned long)WORKERS * ROUNDS);
	KTEST_EXPECT(mutex.state == MUTEX_FREE && !mutex.owner);
}

static int try(void *arg)
{
	bool taken = mutex_trylock(&mutex);

	if (taken)
		mutex_unlock(&mutex);
	return taken;
}

KTEST(mutex, trylock)
{
	struct thread *thread;

	KTEST_ASSERT(mutex_trylock(&mutex));
	KTEST_EXPECT(mutex_is_mine(&mutex));
	KTEST_EXPECT(!mutex_trylock(&mutex));
	thread = thread_create("try", try, NULL, PRIORITY_DEFAULT);
	KTEST_ASSERT(thread);
	KTEST_EXPECT(thread_join(thread) == false);
	mutex_unlock(&mutex);
	KTEST_EXPECT(!mutex_is_mine(&mutex));
	thread = thread_create("try", try, NULL, PRIORITY_DEFAULT);
	KTEST_ASSERT(thread);
	KTEST_EXPECT(thread_join(thread) == true);
}

/* A queue of one place, between one who fills it and one who empties it. */
static struct condition changed;
static unsigned int place;

static int produce(void *arg)
{
	for (unsigned int i = 1; i <= ROUNDS; i++) {
		mutex_lock(&mutex);
		while (place)
			condition_wait(&changed, &mutex, TIME_NEVER);
		place = i;
		condition_broadcast(&changed);
		mutex_unlock(&mutex);
	}
	return 0;
}

KTEST(condition, queue)
{
	struct thread *producer = thread_create("produce", produce, NULL, PRIORITY_DEFAULT);
	unsigned int wrong = 0;

	KTEST_ASSERT(producer);
	for (unsigned int i = 1; i <= ROUNDS; i++) {
		mutex_lock(&mutex);
		while (!place)
			condition_wait(&changed, &mutex, TIME_NEVER);
		wrong += place != i;
		place = 0;
		condition_signal(&changed);
		mutex_unlock(&mutex);
	}
	KTEST_EXPECT(thread_join(producer) == 0);
	KTEST_EXPECT(wrong == 0);
}

static struct completion completion;

static int wait_once(void *arg)
{
	return completion_wait(&completion, TIME_NEVER);
}

KTEST(completion, counts)
{
	struct thread *threads[3];
	unsigned int i;

	/* What has happened before is not lost. */
	complete(&completion);
	KTEST_EXPECT(completion_wait(&completion, TIME_NEVER) == 0);
	for (i = 0; i < 3; i++) {
		threads[i] = thread_create("wait", wait_once, NULL, PRIORITY_DEFAULT);
		KTEST_ASSERT(threads[i]);
	}
	thread_yield();
	for (i = 0; i < 3; i++)
		complete(&completion);
	for (i = 0; i < 3; i++)
		KTEST_EXPECT(thread_join(threads[i]) == 0);
	KTEST_EXPECT(completion.done == 0);
}

#ifdef CONFIG_TIMERS
KTEST(completion, deadline)
{
	u64 start = time_now();

	KTEST_EXPECT(completion_wait(&completion, start + NSEC_PER_MSEC) == -ETIMEDOUT);
	KTEST_EXPECT(time_now() >= start + NSEC_PER_MSEC);
	mutex_lock(&mutex);
	KTEST_EXPECT(condition_wait(&changed, &mutex, time_now() + NSEC_PER_MSEC) == -ETIMEDOUT);
	KTEST_EXPECT(mutex_is_mine(&mutex));
	mutex_unlock(&mutex);
}
#endif
