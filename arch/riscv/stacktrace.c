// SPDX-License-Identifier: MIT
/*
 * The chain of calls, by frame pointers: s0 points behind two words, the
 * caller's s0 and the return address (RISC-V ABIs Specification, 3.1).
 */
#include <ahoy/compiler.h>
#include <ahoy/fault.h>
#include <ahoy/printk.h>
#include <asm/layout.h>
#include <asm/page.h>
#include <asm/ptrace.h>
#include <asm/traps.h>

/* A damaged chain may be a circle. */
#define MAX_FRAMES 32

struct frame {
	unsigned long fp, ra;
};

extern char boot_stack_top[], trap_stack_top[];

static bool in_stack(unsigned long fp, unsigned long top, unsigned long size)
{
	return fp > top - size + sizeof(struct frame) && fp <= top;
}

#ifdef CONFIG_THREADS
static bool in_thread_stack(unsigned long fp)
{
	return thread_on_stack(fp) && thread_on_stack(fp - sizeof(struct frame) + 1);
}
#else
static bool in_thread_stack(unsigned long fp)
{
	return false;
}
#endif

static bool is_frame(unsigned long fp)
{
	return IS_ALIGNED(fp, 16) &&
	       (in_stack(fp, (unsigned long)boot_stack_top, CONFIG_BOOT_STACK_SIZE) ||
		in_stack(fp, (unsigned long)trap_stack_top, TRAP_STACK_SIZE) ||
		in_thread_stack(fp));
}

static bool is_text(unsigned long pc)
{
	return pc >= (unsigned long)_start && pc < (unsigned long)_etext;
}

#ifdef CONFIG_IRQ
/*
 * The trap entry has called do_irq(), whose frame begins at @fp. What was
 * interrupted has its registers there. Return: where it was, or 0 if @ra is
 * another call's way back.
 */
static unsigned long interrupted(unsigned long fp, unsigned long *ra)
{
	extern char interrupt_return[];

	if (*ra != (unsigned long)interrupt_return)
		return 0;
	*ra = *(const unsigned long *)(fp + IRQ_RA);
	return *(const unsigned long *)(fp + IRQ_EPC);
}
#else
static unsigned long interrupted(unsigned long fp, unsigned long *ra)
{
	return 0;
}
#endif

void show_stack(unsigned long pc, unsigned long ra, unsigned long fp)
{
	bool innermost = true;
	unsigned int i;

	console_printf("Call trace:\n  %pS\n", (void *)pc);
	for (i = 0; i < MAX_FRAMES && is_frame(fp); i++) {
		struct frame frame = ((const struct frame *)fp)[-1];

		/*
		 * GCC's functions that call none save s0 alone, in the place of ra;
		 * others save ra last, and may not have come to it.
		 */
		if (innermost && is_frame(frame.ra))
			frame = (struct frame){ .fp = frame.ra, .ra = ra };
		else if (innermost && !is_text(frame.ra))
			frame.ra = ra;
		if (!is_text(frame.ra))
			break;
		/* Of the call itself: behind one that never returns, another function may begin. */
		console_printf("  %pS\n", (void *)(frame.ra - 1));
		ra = frame.ra;
		pc = interrupted(fp, &ra);
		innermost = pc;
		if (pc)
			console_printf("  %pS\n", (void *)pc);
		fp = frame.fp;
	}
}

void dump_stack(void)
{
	unsigned long fp = (unsigned long)__builtin_frame_address(0);
	const struct frame *frame = (const struct frame *)fp - 1;

	show_stack(frame->ra, frame->ra, frame->fp);
}
