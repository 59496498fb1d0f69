// SPDX-License-Identifier: MIT
#include <ahoy/chacha20.h>
#include <ahoy/string.h>

#define ROTATE(word, bits) ((word) << (bits) | (word) >> (32 - (bits)))

/* A macro, so that all sixteen words stay in registers. */
#define QUARTER_ROUND(a, b, c, d)                                                                  \
	do {                                                                                       \
		a += b, d = ROTATE(d ^ a, 16);                                                     \
		c += d, b = ROTATE(b ^ c, 12);                                                     \
		a += b, d = ROTATE(d ^ a, 8);                                                      \
		c += d, b = ROTATE(b ^ c, 7);                                                      \
	} while (0)

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
	u32 s[16] = { 0x61707865, 0x3320646e, 0x79622d32, 0x6b206574 };
	u32 x0, x1, x2, x3, x4, x5, x6, x7, x8, x9, x10, x11, x12, x13, x14, x15;
	unsigned int i;

	for (i = 0; i < 8; i++)
		s[4 + i] = load(key + 4 * i);
	s[12] = counter;
	x0 = s[0], x1 = s[1], x2 = s[2], x3 = s[3], x4 = s[4], x5 = s[5], x6 = s[6], x7 = s[7];
	x8 = s[8], x9 = s[9], x10 = s[10], x11 = s[11], x12 = s[12], x13 = 0, x14 = 0, x15 = 0;
	for (i = 0; i < 10; i++) {
		QUARTER_ROUND(x0, x4, x8, x12);
		QUARTER_ROUND(x1, x5, x9, x13);
		QUARTER_ROUND(x2, x6, x10, x14);
		QUARTER_ROUND(x3, x7, x11, x15);
		QUARTER_ROUND(x0, x5, x10, x15);
		QUARTER_ROUND(x1, x6, x11, x12);
		QUARTER_ROUND(x2, x7, x8, x13);
		QUARTER_ROUND(x3, x4, x9, x14);
	}
#define STORE(n) store(block + 4 * (n), s[n] + x##n)
	STORE(0), STORE(1), STORE(2), STORE(3), STORE(4), STORE(5), STORE(6), STORE(7);
	STORE(8), STORE(9), STORE(10), STORE(11), STORE(12), STORE(13), STORE(14), STORE(15);
#undef STORE
}
