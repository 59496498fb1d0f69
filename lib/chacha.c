// SPDX-License-Identifier: MIT
#include <ahoy/chacha.h>

#define ROTATE(word, bits) ((word) << (bits) | (word) >> (32 - (bits)))

/* A macro, so that all sixteen words stay in registers. */
#define QUARTER_ROUND(a, b, c, d)                                                                  \
	do {                                                                                       \
		a += b, d = ROTATE(d ^ a, 16);                                                     \
		c += d, b = ROTATE(b ^ c, 12);                                                     \
		a += b, d = ROTATE(d ^ a, 8);                                                      \
		c += d, b = ROTATE(b ^ c, 7);                                                      \
	} while (0)

void chacha_block(const u32 key[CHACHA_KEY], u32 counter, unsigned int rounds,
		  u32 block[CHACHA_BLOCK])
{
	/* "expand 32-byte k", the key, the counter, the nonce */
	const u32 c0 = 0x61707865, c1 = 0x3320646e, c2 = 0x79622d32, c3 = 0x6b206574;
	u32 x0 = c0, x1 = c1, x2 = c2, x3 = c3, x12 = counter, x13 = 0, x14 = 0, x15 = 0;
	u32 x4 = key[0], x5 = key[1], x6 = key[2], x7 = key[3];
	u32 x8 = key[4], x9 = key[5], x10 = key[6], x11 = key[7];

	for (; rounds; rounds -= 2) {
		QUARTER_ROUND(x0, x4, x8, x12);
		QUARTER_ROUND(x1, x5, x9, x13);
		QUARTER_ROUND(x2, x6, x10, x14);
		QUARTER_ROUND(x3, x7, x11, x15);
		QUARTER_ROUND(x0, x5, x10, x15);
		QUARTER_ROUND(x1, x6, x11, x12);
		QUARTER_ROUND(x2, x7, x8, x13);
		QUARTER_ROUND(x3, x4, x9, x14);
	}
	block[0] = x0 + c0, block[1] = x1 + c1, block[2] = x2 + c2, block[3] = x3 + c3;
	block[4] = x4 + key[0], block[5] = x5 + key[1], block[6] = x6 + key[2];
	block[7] = x7 + key[3], block[8] = x8 + key[4], block[9] = x9 + key[5];
	block[10] = x10 + key[6], block[11] = x11 + key[7], block[12] = x12 + counter;
	block[13] = x13, block[14] = x14, block[15] = x15;
}
