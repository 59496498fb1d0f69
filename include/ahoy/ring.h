/* SPDX-License-Identifier: MIT */
/*
 * A queue of bytes in a ring between one who puts and one who gets, at the same
 * time and without a lock. Positions only grow and wrap at 2^32; a byte's place is its
 * position modulo the size. Each side writes its own position alone, after
 * (release) it has touched the bytes, and reads the other's before (acquire).
 */
#ifndef AHOY_RING_H
#define AHOY_RING_H

#include <ahoy/compiler.h>
#include <ahoy/types.h>

struct ring {
	u8 *data;
	u32 size; /* a power of two, at most 2^31 */
	u32 in;	  /* position of the next byte put: written by who puts */
	u32 out;  /* position of the next byte got: written by who gets */
};

/* A ring's initial value. @bytes: an array; how many it has is a power of two. */
#define RING_INIT(bytes)                                                                           \
	{                                                                                          \
		.data = (bytes), .size = sizeof(bytes),                                            \
	}

/* How many bytes are in @ring. Context: any; others may change it at once. */
static __always_inline u32 ring_count(const struct ring *ring)
{
	/* In this order, so that it is never less than none. */
	u32 out = __atomic_load_n(&ring->out, __ATOMIC_ACQUIRE);

	return __atomic_load_n(&ring->in, __ATOMIC_ACQUIRE) - out;
}

/* Put @byte in. Return: false if there is no room. Context: one at a time. */
static __always_inline bool ring_put(struct ring *ring, u8 byte)
{
	u32 in = ring->in;

	if (in - __atomic_load_n(&ring->out, __ATOMIC_ACQUIRE) == ring->size)
		return false;
	ring->data[in & (ring->size - 1)] = byte;
	__atomic_store_n(&ring->in, in + 1, __ATOMIC_RELEASE);
	return true;
}

/*
 * Get up to @len bytes, the oldest first. Return: how many there were.
 * Context: one at a time, beside one who puts.
 */
static __always_inline u32 ring_get(struct ring *ring, u8 *buf, u32 len)
{
	u32 out = ring->out, i;
	u32 count = __atomic_load_n(&ring->in, __ATOMIC_ACQUIRE) - out;

	if (len > count)
		len = count;
	for (i = 0; i < len; i++)
		buf[i] = ring->data[(out + i) & (ring->size - 1)];
	__atomic_store_n(&ring->out, out + len, __ATOMIC_RELEASE);
	return len;
}

#endif
