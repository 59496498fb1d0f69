// SPDX-License-Identifier: MIT
/*
 * Which translations harts may remember, and how they come to forget them.
 *
 * Translations are remembered by ASID, and ASIDs are each hart's own: it hands
 * them out in turn, and when it has handed out the last one, it forgets all
 * translations and begins anew with another generation. A space's context on a
 * hart is generation and ASID in one number. A hart whose latest context is of
 * another generation, or that finds none, takes a new one; so one that has not
 * loaded the space needs no fence: it is enough to take its context away.
 *
 * With code it is the same: a hart that has not loaded the space in which some was
 * written is not interrupted, but fences when it loads it.
 *
 * Two harts must agree on who does what: one that changes entries looks for
 * those that have loaded the space, and one that loads it looks at its context,
 * and at its bit of stale_code.
 * Each writes its own word before it reads the other's, with a fence between
 * (user_tables_fence(), user_tables_load()), so at least one sees the other.
 *
 * Without ASIDs, all spaces share number zero, every context is of a generation
 * of its own, and every load of another space forgets.
 */
#include <ahoy/compiler.h>
#include <asm/barrier.h>
#include <asm/csr.h>
#include <asm/pte.h>
#include <asm/tlb_model.h>
#include <asm/user_paging.h>

/* The debugging model knows so many numbers only; with few, generations end soon, too. */
#ifdef CONFIG_DEBUG_TLB
#define MAX_ASID_BITS TLB_MODEL_ASID_BITS
#else
#define MAX_ASID_BITS SATP_ASID_BITS
#endif

/* From this many pages on, all of the space is forgotten at once. */
#define FENCE_PAGES_MAX 32

static unsigned int asid_bits;
static unsigned long kernel_satp;

/* Of this hart alone, with interrupts masked. */
static struct {
	u64 latest; /* the context handed out last */
	struct user_tables *loaded;
} harts[USER_HARTS];

static __always_inline u64 asid_mask(void)
{
	return (1UL << asid_bits) - 1;
}

/* --- fences of this hart (Privileged Architecture, 10.2.1) ------------------------ */

static void flush_all(unsigned int hart)
{
	__asm__ __volatile__("sfence.vma" : : : "memory");
	tlb_model_flush_all(hart);
}

/* All of one ASID's translations, not those of the kernel, which are global. */
static void flush_asid(unsigned int hart, unsigned long asid)
{
	__asm__ __volatile__("sfence.vma zero, %0" : : "r"(asid) : "memory");
	tlb_model_flush(hart, asid, 0, user_end);
}

/* Leaves only: the walk to them may be remembered still. */
static void flush_page(unsigned long va, unsigned long asid)
{
	__asm__ __volatile__("sfence.vma %0, %1" : : "r"(va), "r"(asid) : "memory");
}

/* --- contexts ----------------------------------------------------------------------- */

/* A number that nothing is remembered under. */
static u64 new_context(unsigned int hart)
{
	u64 context = harts[hart].latest + 1;

	if (asid_bits && !(context & asid_mask())) {
		/* What is loaded still would be remembered anew, under a number that is free then. */
		csr_write(satp, kernel_satp);
		tlb_model_leave(hart);
		flush_all(hart);
		/* Zero is the kernel's own. */
		context++;
	}
	harts[hart].latest = context;
	return context;
}

static bool is_current(u64 context, unsigned int hart)
{
	return context && (context ^ harts[hart].latest) >> asid_bits == 0;
}

/* Others wrote code while this hart had not loaded @tables. */
static noinline void see_code(struct user_tables *tables, unsigned int hart)
{
	__atomic_fetch_and(&tables->stale_code, ~(1UL << hart), __ATOMIC_RELAXED);
	/* What was written before the bit was set is seen, and then it is fetched. */
	mb();
	fence_code();
}

void user_tables_load(struct user_tables *tables, unsigned int hart)
{
	struct user_tables *before = harts[hart].loaded;
	unsigned long satp = kernel_satp;
	unsigned long asid = 0;

	if (tables) {
		u64 context;

		__atomic_fetch_or(&tables->loaded, 1UL << hart, __ATOMIC_RELAXED);
		mb();
		if (IS_ENABLED(CONFIG_SMP) && READ_ONCE(tables->stale_code) >> hart & 1)
			see_code(tables, hart);
		context = READ_ONCE(tables->context[hart]);
		if (!is_current(context, hart)) {
			context = new_context(hart);
			WRITE_ONCE(tables->context[hart], context);
		}
		asid = context & asid_mask();
		satp &= ~SATP_PPN;
		satp |= asid << SATP_ASID_SHIFT | virt_to_phys(tables->root) >> PAGE_SHIFT;
	}
	/* The kernel's part is the same on both sides, and global. */
	csr_write(satp, satp);
	tlb_model_leave(hart);
	/* Without ASIDs, what another space left must not be found by the next access. */
	if (!asid_bits)
		flush_asid(hart, 0);
	if (tables)
		tlb_model_load(hart, asid, tables);
	if (before && before != tables)
		__atomic_fetch_and(&before->loaded, ~(1UL << hart), __ATOMIC_RELEASE);
	harts[hart].loaded = tables;
}

u64 user_tables_fence(struct user_tables *tables, unsigned long start, unsigned long end,
		      unsigned int hart)
{
	unsigned long asid = csr_read(satp) >> SATP_ASID_SHIFT & (BIT(SATP_ASID_BITS) - 1), va;
	u64 loaded;
	unsigned int i;

	if (tlb_model_omits_fences())
		return 0;
	/* The entries are written before anybody's context is taken away. */
	mb();
	loaded = READ_ONCE(tables->loaded);
	for (i = 0; i < USER_HARTS; i++)
		if (!(loaded >> i & 1))
			WRITE_ONCE(tables->context[i], 0);
	mb();
	loaded |= READ_ONCE(tables->loaded);
	if (!(loaded >> hart & 1))
		return loaded;
	if (end - start > FENCE_PAGES_MAX * PAGE_SIZE) {
		flush_asid(hart, asid);
	} else {
		for (va = start; va < end; va += PAGE_SIZE)
			flush_page(va, asid);
		tlb_model_flush(hart, asid, start, end);
	}
	return loaded & ~(1UL << hart);
}

u64 user_tables_fence_code(struct user_tables *tables, unsigned int hart)
{
	u64 loaded = 0;

	if (IS_ENABLED(CONFIG_SMP)) {
		/* The code is written before anybody is to fence for it. */
		mb();
		loaded = READ_ONCE(tables->loaded);
		__atomic_fetch_or(&tables->stale_code, ~loaded, __ATOMIC_RELAXED);
		mb();
		loaded |= READ_ONCE(tables->loaded);
	}
	fence_code();
	return loaded & ~(1UL << hart);
}

/* --- start -------------------------------------------------------------------------- */

void user_asids_init(void)
{
	unsigned long asids = ((1UL << SATP_ASID_BITS) - 1) << SATP_ASID_SHIFT;

	/* Bits that are not there stay zero (10.1.11). */
	kernel_satp = csr_read(satp);
	csr_write(satp, kernel_satp | asids);
	asids &= csr_read(satp);
	csr_write(satp, kernel_satp);
	flush_all(0);
	for (asid_bits = 0; asid_bits < MAX_ASID_BITS; asid_bits++)
		if (!(asids >> SATP_ASID_SHIFT >> asid_bits & 1))
			break;
}

unsigned int user_asid_bits(void)
{
	return asid_bits;
}

void user_asid_limit(unsigned int bits)
{
	unsigned int i;

	asid_bits = bits;
	/* Every context that exists is of the past, and the next one begins a generation. */
	for (i = 0; i < USER_HARTS; i++)
		harts[i].latest |= 0xffffffff;
}
