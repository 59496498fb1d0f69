// SPDX-License-Identifier: MIT
#include <ahoy/compiler.h>
#include <ahoy/string.h>
#include <asm/csr.h>
#include <asm/fpu.h>
#include <asm/irqflags.h>
#include <asm/user.h>

void fpu_save(struct fpu_state *state);
void fpu_restore(const struct fpu_state *state);

BUILD_BUG_ON(offsetof(struct fpu_state, fcsr) != 256);

static void set_status(struct user_frame *frame, unsigned long fs)
{
	frame->status = (frame->status & ~SSTATUS_FS) | fs;
}

/* If the program has had the registers since they were saved, they are still there. Masked. */
static void save_dirty(struct user_frame *frame)
{
	if ((frame->status & SSTATUS_FS) != SSTATUS_FS_DIRTY)
		return;
	csr_set(sstatus, SSTATUS_FS_DIRTY);
	fpu_save(&frame->fpu);
	csr_clear(sstatus, SSTATUS_FS);
	frame->fpu.used = true;
}

/* Switch the registers on. Return: false if there are none: then these bits stay zero. */
static bool switch_on(void)
{
	csr_set(sstatus, SSTATUS_FS_DIRTY);
	return csr_read(sstatus) & SSTATUS_FS;
}

bool fpu_present(void)
{
	unsigned long flags = local_irq_save();
	bool present = switch_on();

	csr_clear(sstatus, SSTATUS_FS);
	local_irq_restore(flags);
	return present;
}

bool fpu_first_use(struct user_frame *frame)
{
	unsigned long flags;
	bool present;

	if (frame->status & SSTATUS_FS)
		return false;
	/* If it is illegal for another reason, it is so again then, and is reported. */
	flags = local_irq_save();
	present = switch_on();
	if (present) {
		fpu_restore(&frame->fpu);
		csr_clear(sstatus, SSTATUS_FS);
		set_status(frame, SSTATUS_FS_DIRTY);
	}
	local_irq_restore(flags);
	return present;
}

void fpu_switch(struct user_frame *frame)
{
	save_dirty(frame);
	set_status(frame, 0);
}

void fpu_clone(struct user_frame *child, struct user_frame *parent)
{
	unsigned long flags = local_irq_save();

	save_dirty(parent);
	local_irq_restore(flags);
	if (parent->fpu.used)
		child->fpu = parent->fpu;
}

void fpu_reset(struct user_frame *frame)
{
	unsigned long flags = local_irq_save();

	set_status(frame, 0);
	if (frame->fpu.used)
		memset(&frame->fpu, 0, sizeof(frame->fpu));
	local_irq_restore(flags);
}
