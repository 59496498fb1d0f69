// SPDX-License-Identifier: MIT
#include <ahoy/panic.h>
#include <ahoy/stackprotector.h>
#include <asm/processor.h>

/* The names that GCC and Clang emit calls to. */
extern unsigned long __stack_chk_guard;
void __stack_chk_fail(void) __noreturn;

/* __used: with LTO, the calls come when the choice of what to keep is made. */
unsigned long __stack_chk_guard __used;
static u64 entropy;

/* One round of FNV-1a with a 64-bit state. */
static u64 mix(u64 state, u8 byte)
{
	return (state ^ byte) * 0x100000001b3ULL;
}

void stackprotector_add_entropy(const u8 *seed, size_t len)
{
	while (len--)
		entropy = mix(entropy, *seed++);
}

void stackprotector_init(void)
{
	u64 time = read_time();
	unsigned int i;

	for (i = 0; i < 64; i += 8)
		entropy = mix(entropy, time >> i);
	/* A zero byte first: a string that runs over cannot reproduce the word. */
	__stack_chk_guard = entropy << 8;
}

__used void __stack_chk_fail(void)
{
	/* Of the call, which is the function's last instruction. */
	panic("stack protector: damaged stack frame in %pS",
	      (char *)__builtin_return_address(0) - 1);
}
