// SPDX-License-Identifier: MIT
#include <ahoy/cmdline.h>
#include <ahoy/compiler.h>
#include <ahoy/fail_alloc.h>
#include <ahoy/init.h>
#include <ahoy/kstrtox.h>
#include <ahoy/printk.h>
#include <asm/current.h>

static struct thread *victim;
static unsigned long countdown; /* 0: it has failed */

/* One of so many fails, whoever asks; 0: none. */
static unsigned int one_of;
static bool booted;

void fail_alloc_at(unsigned long n)
{
	countdown = n;
	victim = thread_current();
}

bool fail_alloc_end(void)
{
	victim = NULL;
	return countdown == 0;
}

static bool at_random(void)
{
	static u64 state;
	u64 now = __atomic_add_fetch(&state, 0x9e3779b97f4a7c15ULL, __ATOMIC_RELAXED);

	/* The constants of splitmix64; its high bits are as good as any. */
	now = (now ^ now >> 30) * 0xbf58476d1ce4e5b9ULL;
	return (now ^ now >> 27) % one_of == 0;
}

bool alloc_must_fail(void)
{
	if (unlikely(victim == thread_current()) && countdown && --countdown == 0)
		return true;
	return unlikely(one_of) && READ_ONCE(booted) && at_random();
}

static void set_one_of(const char *value)
{
	unsigned int n;

	if (!value || kstrtouint(value, 0, &n))
		pr_err("fail_alloc=%s: not a number\n", value ? value : "");
	else
		one_of = n;
}
PARAM(fail_alloc, set_one_of);

/* Up to here, having no memory may be the end. */
static void fail_alloc_begin(void)
{
	booted = true;
}
INIT(test, fail_alloc_begin);
