// SPDX-License-Identifier: MIT
/*
 * Numbers that nobody can guess: a stream of ChaCha20, whose key is replaced by
 * part of it at each use, so that who reads it afterwards learns nothing of what
 * was given before. The first key comes from the device tree's rng-seed; without
 * one there is only the time, which is a poor secret.
 */
#include <ahoy/chacha20.h>
#include <ahoy/core.h>
#include <ahoy/mutex.h>
#include <ahoy/of.h>
#include <ahoy/printk.h>
#include <ahoy/string.h>
#include <asm/processor.h>

static struct mutex lock;
static u8 key[CHACHA20_KEY_SIZE];
static bool seeded;

static void mix_in(size_t *at, u8 byte)
{
	key[(*at)++ % sizeof(key)] ^= byte;
}

static void seed(void)
{
	u64 time = read_time();
	size_t at = 0, len, i;
	const u8 *from = of_rng_seed(&len);

	if (!from)
		pr_warn("random: the device tree has no rng-seed\n");
	for (i = 0; i < len; i++)
		mix_in(&at, from[i]);
	for (i = 0; i < 64; i += 8)
		mix_in(&at, (u8)(time >> i));
	seeded = true;
}

/* Replace the key; what was behind it in the stream goes to @once. */
static void next_key(u8 once[CHACHA20_KEY_SIZE])
{
	u8 block[CHACHA20_BLOCK_SIZE];

	mutex_lock(&lock);
	if (!seeded)
		seed();
	chacha20_block(key, 0, block);
	memcpy(key, block, sizeof(key));
	mutex_unlock(&lock);
	memcpy(once, block + sizeof(key), CHACHA20_KEY_SIZE);
}
BUILD_BUG_ON(CHACHA20_BLOCK_SIZE != 2 * CHACHA20_KEY_SIZE);

void random_bytes(void *buf, size_t n)
{
	u8 once[CHACHA20_KEY_SIZE], block[CHACHA20_BLOCK_SIZE], *to = buf;
	u32 counter = 0;

	next_key(once);
	if (n <= sizeof(once)) {
		memcpy(to, once, n);
		return;
	}
	/* The stream of a key that nobody has afterwards */
	while (n) {
		size_t part = min(n, sizeof(block));

		chacha20_block(once, counter++, block);
		memcpy(to, block, part);
		to += part;
		n -= part;
	}
}
