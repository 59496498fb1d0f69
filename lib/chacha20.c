// SPDX-License-Identifier: MIT
#include <ahoy/chacha20.h>
#include <ahoy/string.h>

static u32 rotate(u32 word, unsigned int bits)
{
	return word << bits | word >> (32 - bits);
}

static void quarter_round(u32 *a, u32 *b, u32 *c, u32 *d)
{
	*a += *b;
	*d = rotate(*d ^ *a, 16);
	*c += *d;
	*b = rotate(*b ^ *c, 12);
	*a += *b;
	*d = rotate(*d ^ *a, 8);
	*c += *d;
	*b = rotate(*b ^ *c, 7);
}

static u32 load(const u8 *bytes)
{
	return (u32)bytes[0] | (u32)bytes[1] << 8 | (u32)bytes[2] << 16 | (u32)bytes[3] << 24;
}

static void store(u8 *bytes, u32 word)
{
	bytes[0] = (u8)word;
	bytes[1] = (u8)(word >> 8);
	bytes[2] = (u8)(word >> 16);
	bytes[3] = (u8)(word >> 24);
}

void chacha20_block(const u8 key[CHACHA20_KEY_SIZE], u32 counter, u8 block[CHACHA20_BLOCK_SIZE])
{
	/* "expand 32-byte k", the key, the counter, the nonce */
	u32 start[16] = { 0x61707865, 0x3320646e, 0x79622d32, 0x6b206574 }, s[16];
	unsigned int i;

	for (i = 0; i < 8; i++)
		start[4 + i] = load(key + 4 * i);
	start[12] = counter;
	memcpy(s, start, sizeof(s));
	for (i = 0; i < 10; i++) {
		quarter_round(&s[0], &s[4], &s[8], &s[12]);
		quarter_round(&s[1], &s[5], &s[9], &s[13]);
		quarter_round(&s[2], &s[6], &s[10], &s[14]);
		quarter_round(&s[3], &s[7], &s[11], &s[15]);
		quarter_round(&s[0], &s[5], &s[10], &s[15]);
		quarter_round(&s[1], &s[6], &s[11], &s[12]);
		quarter_round(&s[2], &s[7], &s[8], &s[13]);
		quarter_round(&s[3], &s[4], &s[9], &s[14]);
	}
	for (i = 0; i < 16; i++)
		store(block + 4 * i, s[i] + start[i]);
}
