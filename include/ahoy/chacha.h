/* SPDX-License-Identifier: MIT */
/* The block function of the ChaCha ciphers (RFC 8439 has the one with 20 rounds). */
#ifndef AHOY_CHACHA_H
#define AHOY_CHACHA_H

#include <ahoy/types.h>

/* In words, which are little-endian: as they lie in memory. */
#define CHACHA_KEY   8
#define CHACHA_BLOCK 16

/*
 * Make block @counter of the stream of @key with an all-zero nonce (RFC 8439, 2.3).
 * @rounds: an even number, 8 to 20. Context: any.
 */
void chacha_block(const u32 key[CHACHA_KEY], u32 counter, unsigned int rounds,
		  u32 block[CHACHA_BLOCK]);

#endif
