// SPDX-License-Identifier: MIT
/* Crashes on request, to see the reports and to test that protections hold. */
#include <ahoy/cmdline.h>
#include <ahoy/compiler.h>
#include <ahoy/crash.h>
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

LINKER_TABLE(struct crash_way, crash_way);

CRASH_WAY(null, "null", crash_null);
CRASH_WAY(text, "text", crash_text);
CRASH_WAY(rodata, "rodata", crash_rodata);
CRASH_WAY(exec, "exec", crash_exec);
CRASH_WAY(stack, "stack", crash_stack);
CRASH_WAY(panic, "panic", crash_panic);
CRASH_WAY(illegal, "illegal", crash_illegal);
CRASH_WAY(ubsan, "ubsan", crash_ubsan);
CRASH_WAY(smash, "smash", crash_smash);
CRASH_WAY(nested, "nested", crash_nested);
CRASH_WAY(thread_stack, "thread-stack", crash_thread_stack);

static void crash_init(void)
{
	const struct crash_way *way;

	if (!wanted)
		return;
	for_each_row(way, crash_way) {
		if (!strcmp(way->name, wanted)) {
			way->fn();
			console_printf("crash=%s did no harm\n", wanted);
			return;
		}
	}
	pr_err("crash=%s: there is no such way\n", wanted);
}
INIT(late, crash_init);
