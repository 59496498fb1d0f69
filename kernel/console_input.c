// SPDX-License-Identifier: MIT
/* Console input, from the driver's interrupt to the reader. */
#include <ahoy/compiler.h>
#include <ahoy/console_input.h>
#include <ahoy/errno.h>
#include <ahoy/ring.h>
#include <ahoy/section.h>
#include <ahoy/wait.h>
#include <asm/barrier.h>

static u8 bytes[4096] __noinit;
static struct ring ring = RING_INIT(bytes);
static u32 woken; /* the ring's position up to which the reader was woken: the word it waits for */
static bool full; /* the driver has stopped */
static void (*resume_driver)(void);

void console_input_start(void (*resume)(void))
{
	resume_driver = resume;
}

static bool is_half_empty(void)
{
	return ring_count(&ring) <= sizeof(bytes) / 2;
}

bool console_input_room(void)
{
	if (likely(ring_count(&ring) < sizeof(bytes)))
		return true;
	WRITE_ONCE(full, true);
	/* Either the reader sees this after what it takes next, or it is seen here what it took. */
	mb();
	return is_half_empty();
}

void console_input_put(u8 byte)
{
	ring_put(&ring, byte);
}

bool console_input_wake(void)
{
	u32 in = __atomic_load_n(&ring.in, __ATOMIC_ACQUIRE);

	if (__atomic_exchange_n(&woken, in, __ATOMIC_ACQ_REL) == in)
		return false;
	wake(&woken, 1);
	return true;
}

size_t console_read_nowait(void *buf, size_t len)
{
	u32 count = ring_get(&ring, buf, len < sizeof(bytes) ? len : sizeof(bytes));

	mb();
	if (unlikely(READ_ONCE(full)) && is_half_empty()) {
		WRITE_ONCE(full, false);
		resume_driver();
	}
	return count;
}

size_t console_read(void *buf, size_t len, u64 deadline)
{
	for (;;) {
		u32 seen = __atomic_load_n(&woken, __ATOMIC_ACQUIRE);
		size_t count = console_read_nowait(buf, len);

		if (count || !len || wait_on(&woken, seen, deadline) == -ETIMEDOUT)
			return count;
	}
}
