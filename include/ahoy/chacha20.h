/* SPDX-License-Identifier: MIT */
/* The block function of the ChaCha20 cipher (RFC 8439). */
#ifndef AHOY_CHACHA20_H
#define AHOY_CHACHA20_H

#include <ahoy/types.h>

#define CHACHA20_KEY_SIZE   32
#define CHACHA20_BLOCK_SIZE 64

/*
 * Make block @counter of the stream of @key with an all-zero nonce (RFC 8439, 2.3).
 * Context: any.
 */
void chacha20_block(const u8 key[CHACHA20_KEY_SIZE], u32 counter, u8 block[CHACHA20_BLOCK_SIZE]);

#endif
