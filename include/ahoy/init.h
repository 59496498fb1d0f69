/* SPDX-License-Identifier: MIT */
/*
 * Start-up: what runs between the entry and the line, and when.
 *
 * A part that has something to do at start registers a function for a level
 * with INIT(). What works from a level on:
 *
 *   console  the log, panic() and (after this level) the final console
 *   mm       the tree has been read: memory regions, command line, clock
 *   late     everything; what is printed here comes right before the line
 *   test     the same; the kernel's own tests
 */
#ifndef AHOY_INIT_H
#define AHOY_INIT_H

#include <ahoy/section.h>
#include <ahoy/types.h>

struct thread;

#define INIT_LEVEL_mm	1
#define INIT_LEVEL_late 2
#define INIT_LEVEL_test 3

struct init_row {
	void (*fn)(void);
	u8 level;
};

/*
 * Call @fn (void, no argument) once at @level: mm, late or test. Inside a level the
 * order is that of the functions' names.
 * Context: boot hart, boot stack, interrupts off. It cannot fail; what must
 * not go on without it calls panic().
 */
#define INIT(lvl, function)                                                                        \
	LINKER_TABLE_ROW(struct init_row, init, 0, function) = {                                   \
		.fn = (function),                                                                  \
		.level = INIT_LEVEL_##lvl,                                                         \
	}

#ifdef CONFIG_INIT_TABLE
/* Run the functions of one level. Context: boot hart, once a level, in order. */
void init_run(u8 level);
#else
static inline void init_run(u8 level)
{
}
#endif

/*
 * The first C function. @hartid: the boot hart as firmware counts; @fdt: the
 * physical address of the device tree as firmware passed it, unchecked.
 * Called by arch with a stack (or, without CONFIG_BOOT_STACK, by firmware
 * itself), in the kernel's final address space.
 */
void start_kernel(unsigned long hartid, unsigned long fdt) __noreturn;

/*
 * What comes after the line. @status: 0, or 1 to 255 for a failure. Context: any
 * thread, interrupts enabled.
 */
#if defined(CONFIG_USERSPACE) || defined(CONFIG_KERNEL_LIBC_MUSL)
void kernel_end(u32 status) __noreturn;
#endif

/* Who runs it: the boot hart's current thread from its entry on. */
extern struct thread boot_thread;

#ifdef CONFIG_BOOT_STACK
#define __entry
#else
/* start_kernel() is the entry itself. */
#define __entry __used __section(".head.text")
#endif

#endif
