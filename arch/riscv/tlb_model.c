// SPDX-License-Identifier: MIT
/*
 * For each hart and ASID: whose translations the hart may remember under it,
 * and which addresses have lost something there that was not fenced since. A
 * hart may remember whatever was valid while it had a space loaded, used or
 * not (Privileged Architecture, 10.2.1), so which entries it did use does not
 * matter.
 */
#include <ahoy/compiler.h>
#include <ahoy/panic.h>
#include <ahoy/printk.h>
#include <ahoy/spinlock.h>
#include <asm/tlb_model.h>
#include <asm/user_paging.h>

#define ASIDS (1 << TLB_MODEL_ASID_BITS)

/* What may be remembered under one ASID. */
struct memory {
	const struct user_tables *owner; /* NULL: nothing is */
	unsigned long start, end;	 /* stale, if start < end */
};

static struct {
	struct memory memories[ASIDS];
	const struct user_tables *loaded;
	unsigned int asid; /* under which they are */
} model[USER_HARTS];

/* The owner of what is remembered of tables that are gone. */
static const struct user_tables gone;

static struct spinlock lock;
static bool omit, counting;
static unsigned int found;

static void report(const char *what, unsigned int hart, unsigned int asid,
		   const struct memory *memory)
{
	if (!counting)
		panic("tlb: %s: hart %u, ASID %u, 0x%lx-0x%lx", what, hart, asid, memory->start,
		      memory->end - 1);
	found++;
}

static void fresh(struct memory *memory)
{
	memory->start = ~0UL;
	memory->end = 0;
}

void tlb_model_begin(struct user_tables *tables)
{
	unsigned long flags = spin_lock(&lock);

	tables->changing = true;
	spin_unlock(&lock, flags);
}

void tlb_model_end(struct user_tables *tables)
{
	unsigned long flags = spin_lock(&lock);
	unsigned int hart;

	tables->changing = false;
	for (hart = 0; hart < USER_HARTS; hart++) {
		struct memory *memory = &model[hart].memories[model[hart].asid];

		if (model[hart].loaded != tables || memory->start >= memory->end)
			continue;
		report("a change was not fenced", hart, model[hart].asid, memory);
		fresh(memory);
	}
	spin_unlock(&lock, flags);
}

void tlb_model_changed(struct user_tables *tables, unsigned long start, unsigned long size)
{
	unsigned long flags = spin_lock(&lock);
	unsigned int hart, asid;

	for (hart = 0; hart < USER_HARTS; hart++) {
		for (asid = 0; asid < ASIDS; asid++) {
			struct memory *memory = &model[hart].memories[asid];

			if (memory->owner != tables)
				continue;
			memory->start = min(memory->start, start);
			memory->end = max(memory->end, start + size);
			if (!tables->changing)
				report("a change of its own", hart, asid, memory);
		}
	}
	spin_unlock(&lock, flags);
}

void tlb_model_leave(unsigned int hart)
{
	unsigned long flags = spin_lock(&lock);

	model[hart].loaded = NULL;
	spin_unlock(&lock, flags);
}

void tlb_model_load(unsigned int hart, unsigned int asid, struct user_tables *tables)
{
	unsigned long flags = spin_lock(&lock);
	struct memory *memory = &model[hart].memories[asid];

	if (memory->owner && memory->owner != tables) {
		report("another space's ASID", hart, asid, memory);
		fresh(memory);
	} else if (!memory->owner) {
		fresh(memory);
	} else if (memory->start < memory->end && !tables->changing) {
		/* While they are being changed, the fence may be on its way. */
		report("a space with a change that was not fenced", hart, asid, memory);
		fresh(memory);
	}
	memory->owner = tables;
	model[hart].loaded = tables;
	model[hart].asid = asid;
	spin_unlock(&lock, flags);
}

static void forget(unsigned int hart, unsigned int asid, unsigned long start, unsigned long end)
{
	struct memory *memory = &model[hart].memories[asid];

	if (start == 0 && end >= user_end && !(model[hart].loaded && model[hart].asid == asid))
		memory->owner = NULL;
	if (start <= memory->start && end >= memory->end)
		fresh(memory);
	else if (start <= memory->start)
		memory->start = max(memory->start, end);
	else if (end >= memory->end)
		memory->end = min(memory->end, start);
}

void tlb_model_flush(unsigned int hart, unsigned int asid, unsigned long start, unsigned long end)
{
	unsigned long flags = spin_lock(&lock);

	forget(hart, asid, start, end);
	spin_unlock(&lock, flags);
}

void tlb_model_flush_harts(u64 harts, unsigned long start, unsigned long end)
{
	unsigned long flags = spin_lock(&lock);
	unsigned int hart, asid;

	for (hart = 0; hart < USER_HARTS; hart++)
		for (asid = 0; harts >> hart & 1 && asid < ASIDS; asid++)
			forget(hart, asid, start, end);
	spin_unlock(&lock, flags);
}

void tlb_model_flush_all(unsigned int hart)
{
	tlb_model_flush_harts(1UL << hart, 0, ~0UL);
}

void tlb_model_gone(struct user_tables *tables)
{
	unsigned long flags = spin_lock(&lock);
	unsigned int hart, asid;

	for (hart = 0; hart < USER_HARTS; hart++)
		for (asid = 0; asid < ASIDS; asid++)
			if (model[hart].memories[asid].owner == tables)
				model[hart].memories[asid].owner = &gone;
	spin_unlock(&lock, flags);
}

unsigned int tlb_model_test(bool omit_fences, bool count)
{
	unsigned long flags = spin_lock(&lock);
	unsigned int result = found;

	omit = omit_fences;
	counting = count;
	found = 0;
	spin_unlock(&lock, flags);
	return result;
}

bool tlb_model_omits_fences(void)
{
	return READ_ONCE(omit);
}
