// SPDX-License-Identifier: MIT
/*
 * Numbers that nobody can guess: a stream of ChaCha with 8 rounds, whose key is
 * replaced by part of it at each use, so that who reads it afterwards learns nothing
 * of what was given before. The first key comes from the device tree's rng-seed;
 * without one there is only the time, which is a poor secret.
 */
#include <ahoy/chacha.h>
#include <ahoy/core.h>
#include <ahoy/mutex.h>
#include <ahoy/of.h>
#include <ahoy/printk.h>
#include <ahoy/string.h>
#include <asm/processor.h>

#define ROUNDS 8

static struct mutex lock;
static u32 key[CHACHA_KEY];
static bool seeded;

static void seed(void)
{
	u64 time = read_time();
	size_t len, i;
	const u32 *from = (const void *)of_rng_seed(&len); /* values of properties are aligned */

	if (!from)
		pr_warn("random: the device tree has no rng-seed\n");
	/* Longer ones are folded; of bytes at the end, fewer than a word, no notice is taken. */
	for (i = 0; i < len / 4; i++)
		key[i % CHACHA_KEY] ^= from[i];
	key[0] ^= (u32)time;
	key[1] ^= (u32)(time >> 32);
	seeded = true;
}

/* Replace the key by the first half of @block; the second is for the caller. */
static void next_key(u32 block[CHACHA_BLOCK])
{
	mutex_lock(&lock);
	if (!seeded)
		seed();
	chacha_block(key, 0, ROUNDS, block);
	memcpy(key, block, sizeof(key));
	mutex_unlock(&lock);
}
BUILD_BUG_ON(CHACHA_BLOCK != 2 * CHACHA_KEY);

void random_bytes(void *buf, size_t n)
{
	u32 first[CHACHA_BLOCK], block[CHACHA_BLOCK], counter = 0;
	const u32 *once = first + CHACHA_KEY;
	u8 *to = buf;

	next_key(first);
	if (n <= sizeof(key)) {
		memcpy(to, once, n);
		return;
	}
	/* The stream of a key that nobody has afterwards */
	while (n) {
		size_t part = min(n, sizeof(block));

		chacha_block(once, counter++, ROUNDS, block);
		memcpy(to, block, part);
		to += part;
		n -= part;
	}
}
