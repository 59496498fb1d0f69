// SPDX-License-Identifier: MIT
/* Crashes on request, to see the reports and to test that protections hold. */
#include <ahoy/cmdline.h>
#include <ahoy/compiler.h>
#include <ahoy/init.h>
#include <ahoy/panic.h>
#include <ahoy/printk.h>
#include <ahoy/string.h>
#include <ahoy/thread.h>
#include <asm/crash.h>
#include <asm/page.h>

static const char *wanted;

static void set_crash(const char *value)
{
	wanted = value ? value : "";
}
PARAM(crash, set_crash);

static const unsigned long constant = 1;

/* The compiler must not see where this leads. */
static void poke(unsigned long where)
{
	OPTIMIZER_HIDE_VAR(where);
	*(volatile unsigned long *)where = 1;
}

static noinline unsigned long recurse(unsigned long depth)
{
	volatile char room[256];
	unsigned long stop = ~0UL;

	OPTIMIZER_HIDE_VAR(stop);
	room[0] = depth;
	return depth == stop ? 0 : recurse(depth + 1) + room[0];
}

static noinline int increment(int value)
{
	return value + 1;
}

static noinline void smash(unsigned int len)
{
	char room[16];
	char *p = room;

	OPTIMIZER_HIDE_VAR(p);
	while (len--)
		*(volatile char *)p++ = 0x55;
}

static void crash_null(void)
{
	poke(8);
}

static void crash_text(void)
{
	poke((unsigned long)_start);
}

static void crash_rodata(void)
{
	poke((unsigned long)&constant);
}

static void crash_exec(void)
{
	static unsigned long code[2];

	crash_put_return(code);
	((void (*)(void))code)();
}

static void crash_stack(void)
{
	recurse(0);
}

static int overflow(void *arg)
{
	recurse(0);
	return 0;
}

static void crash_thread_stack(void)
{
	struct thread *thread;

	if (!IS_ENABLED(CONFIG_THREADS))
		return;
	thread = thread_create("overflow", overflow, NULL, PRIORITY_DEFAULT);
	if (thread)
		thread_join(thread);
}

static void crash_panic(void)
{
	panic("requested by crash=panic");
}

static void crash_ubsan(void)
{
	int value = 0x7fffffff;

	OPTIMIZER_HIDE_VAR(value);
	console_printf("%d\n", increment(value));
}

static void crash_smash(void)
{
	smash(64);
}

static const struct {
	const char *name;
	void (*fn)(void);
} ways[] = {
	{ "null", crash_null },
	{ "text", crash_text },
	{ "rodata", crash_rodata },
	{ "exec", crash_exec },
	{ "stack", crash_stack },
	{ "panic", crash_panic },
	{ "illegal", crash_illegal },
	{ "ubsan", crash_ubsan },
	{ "smash", crash_smash },
	{ "nested", crash_nested },
	{ "thread-stack", crash_thread_stack },
};

static void crash_init(void)
{
	unsigned int i;

	if (!wanted)
		return;
	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		if (!strcmp(ways[i].name, wanted)) {
			ways[i].fn();
			console_printf("crash=%s did no harm\n", wanted);
			return;
		}
	}
	pr_err("crash=%s: there is no such way\n", wanted);
}
INIT(late, crash_init);
