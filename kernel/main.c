// SPDX-License-Identifier: MIT
/*
 * The way of the line, from the first C function to the end. What is not
 * configured is an empty inline function here, and so not there at all.
 */
#include <ahoy/cmdline.h>
#include <ahoy/console.h>
#include <ahoy/init.h>
#include <ahoy/irq.h>
#include <ahoy/libc.h>
#include <ahoy/of.h>
#include <ahoy/panic.h>
#include <ahoy/phase.h>
#include <ahoy/power.h>
#include <ahoy/printk.h>
#include <ahoy/slab.h>
#include <ahoy/smp.h>
#include <ahoy/stackprotector.h>
#include <ahoy/thread.h>
#include <ahoy/user.h>
#include <asm/irqflags.h>
#include <asm/traps.h>

/* A program has a text of its own. */
static __always_inline __maybe_unused void write_line(void)
{
	static const char line[] __aligned(1) = "Hello world.\n";

	if (!IS_ENABLED(CONFIG_LINE_PRINTF))
		console_write(line, sizeof(line) - 1);
	else if (IS_ENABLED(CONFIG_KERNEL_LIBC_MUSL))
		printf("Hello world.\n");
	else
		console_printf("%s", line);
}

#ifdef CONFIG_LINE_BY_THREAD
static int line_thread(void *arg)
{
	write_line();
	return 0;
}

static void print_line(void)
{
	struct thread *thread = thread_create("line", line_thread, NULL, PRIORITY_DEFAULT);

	if (thread)
		thread_join(thread);
	else
		line_thread(NULL);
}
#elif defined(CONFIG_LINE_BY_PROGRAM)
/* It is the program's text, and its way. What the kernel comes to is up to it. */
static void __noreturn print_line(void)
{
	user_space_start();
}
#else
static __always_inline void print_line(void)
{
	write_line();
}
#endif

#if !defined(CONFIG_USERSPACE) && !defined(CONFIG_KERNEL_LIBC_MUSL)
static __always_inline
#endif
	void __noreturn
	kernel_end(u32 status)
{
	console_poll();
	heap_report();
	if (!IS_ENABLED(CONFIG_FINISH_IDLE))
		console_flush();
	local_irq_disable();
	if (status)
		machine_fail(status);
	machine_finish();
}

void __entry start_kernel(unsigned long hartid, unsigned long fdt)
{
	traps_init();
	stackprotector_init();
	console_init_early();
	PHASE("device tree");
	of_init(fdt);
	stackprotector_init();
	cmdline_init();
	PHASE("mm");
	init_run(INIT_LEVEL_mm);
	PHASE("console");
	console_init();
	printk_console_ready();
	irq_init(hartid);
	local_irq_enable();
	PHASE("late");
	smp_start(hartid);
	init_run(INIT_LEVEL_late);
	if (IS_ENABLED(CONFIG_KTEST) || IS_ENABLED(CONFIG_BENCH) || IS_ENABLED(CONFIG_FAIL_ALLOC)) {
		PHASE("test");
		init_run(INIT_LEVEL_test);
	}
	PHASE("line");
	print_line();
	kernel_end(0);
}
