// SPDX-License-Identifier: MIT
/*
 * How harts get from block to block: crossings between modes, and the trace log.
 *
 * A trap is told by what the instructions themselves do not do: the next one is
 * not the successor of one that jumps nowhere, or not the target of a direct
 * jump. Where it went is a trap vector from then on, and so later traps are
 * seen too that come right after an indirect jump or a return from a trap,
 * where any address could follow. Earlier entries of that kind are remembered
 * and counted when the vector is learned.
 *
 * The trace log has a line for each run of sequential instructions,
 * "r HART MODE ADDRESS COUNT KIND", for each character of the console,
 * "c HART BYTE", and for each phase, "p NAME". Lines of one hart are in order.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "plugin.h"

static const char *const kind_names[] = { "seq", "branch", "jump", "call",
					  "ret", "ecall",  "xret", "trap" };

static uint64_t firmware_calls, firmware_traps, system_calls, traps;
static FILE *trace;

/* ---- What kind of instruction it is ---------------------------------------- */

static int64_t sign_extend(uint32_t value, int bits)
{
	return (int64_t)((uint64_t)value << (64 - bits)) >> (64 - bits);
}

/* Bits [high:low] of an instruction, put in place. */
static uint32_t field(uint32_t bits, int high, int low, int place)
{
	return (bits >> low & ((UINT32_C(1) << (high - low + 1)) - 1)) << place;
}

static bool is_link(uint32_t reg)
{
	return reg == 1 || reg == 5;
}

static void goes_to(struct slot *slot, enum kind kind, int64_t offset)
{
	slot->kind = kind;
	slot->direct = true;
	slot->target = slot->vaddr + (uint64_t)offset;
}

static void decode_compressed(struct slot *slot, uint32_t bits)
{
	uint32_t rd = field(bits, 11, 7, 0);

	switch (bits & 0xe003) {
	case 0xa001: /* c.j */
		goes_to(slot, KIND_JUMP,
			sign_extend(field(bits, 12, 12, 11) | field(bits, 11, 11, 4) |
					    field(bits, 10, 9, 8) | field(bits, 8, 8, 10) |
					    field(bits, 7, 7, 6) | field(bits, 6, 6, 7) |
					    field(bits, 5, 3, 1) | field(bits, 2, 2, 5),
				    12));
		break;
	case 0xc001: /* c.beqz */
	case 0xe001: /* c.bnez */
		goes_to(slot, KIND_BRANCH,
			sign_extend(field(bits, 12, 12, 8) | field(bits, 11, 10, 3) |
					    field(bits, 6, 5, 6) | field(bits, 4, 3, 1) |
					    field(bits, 2, 2, 5),
				    9));
		break;
	case 0x8002: /* c.jr, c.jalr; c.mv, c.add and c.ebreak jump nowhere */
		if (field(bits, 6, 2, 0) || !rd)
			break;
		if (bits & 0x1000)
			slot->kind = KIND_CALL;
		else
			slot->kind = is_link(rd) ? KIND_RET : KIND_JUMP;
		break;
	default:
		break;
	}
}

void flow_decode(struct slot *slot, uint32_t bits)
{
	uint32_t rd = field(bits, 11, 7, 0), rs1 = field(bits, 19, 15, 0);

	slot->marker = -1;
	if (slot->size == 2) {
		decode_compressed(slot, bits);
		return;
	}
	if ((bits & 0xfffff) == 0x02013) /* slti x0, x0, N: a hint, does nothing */
		slot->marker = (int16_t)(bits >> 20);
	switch (bits & 0x7f) {
	case 0x63: /* branches */
		goes_to(slot, KIND_BRANCH,
			sign_extend(field(bits, 31, 31, 12) | field(bits, 30, 25, 5) |
					    field(bits, 11, 8, 1) | field(bits, 7, 7, 11),
				    13));
		break;
	case 0x6f: /* jal */
		goes_to(slot, is_link(rd) ? KIND_CALL : KIND_JUMP,
			sign_extend(field(bits, 31, 31, 20) | field(bits, 30, 21, 1) |
					    field(bits, 20, 20, 11) | field(bits, 19, 12, 12),
				    21));
		break;
	case 0x67: /* jalr */
		if (is_link(rd))
			slot->kind = KIND_CALL;
		else
			slot->kind = !rd && is_link(rs1) ? KIND_RET : KIND_JUMP;
		break;
	case 0x73:
		if (bits == 0x00000073)
			slot->kind = KIND_ECALL;
		else if (bits == 0x10200073 || bits == 0x30200073)
			slot->kind = KIND_XRET;
		break;
	default:
		break;
	}
}

/* ---- Crossings --------------------------------------------------------------- */

/* A trap other than a call for service, into @to. One inside firmware crosses nothing. */
static void count_trap(enum mode from, enum mode to, enum kind kind, uint64_t times)
{
	if (to == KERNEL)
		traps += times;
	else if (to == FIRMWARE && (from != FIRMWARE || kind == KIND_XRET))
		firmware_traps += times;
}

/* Count a trap from @prev to @site. */
static void trapped(const struct slot *prev, struct site *site)
{
	enum mode from = prev->site->mode;

	if (!site->vector) {
		site->vector = true;
		count_trap(KERNEL, site->mode, KIND_XRET, site->enters);
	}
	if (prev->kind == KIND_ECALL && from == KERNEL && site->mode == FIRMWARE)
		firmware_calls++;
	else if (prev->kind == KIND_ECALL && from == USER && site->mode == KERNEL)
		system_calls++;
	else
		count_trap(from, site->mode, prev->kind, 1);
}

/* Did the instruction itself lead to the block? Otherwise a trap did. */
static bool leads_to(const struct slot *prev, struct site *site)
{
	bool next = site->vaddr == prev->vaddr + prev->size;
	enum mode from = prev->site->mode;

	switch (prev->kind) {
	case KIND_SEQ:
		/* The same one again: QEMU stopped before it was done. */
		return next || site->vaddr == prev->vaddr;
	case KIND_BRANCH:
		return next || site->vaddr == prev->target;
	case KIND_ECALL:
		return false;
	default:
		if (prev->direct)
			return site->vaddr == prev->target;
		/* Without a trap only a return from one changes the mode. */
		if (site->vector || (prev->kind != KIND_XRET && site->mode != from))
			return false;
		if (site->mode == KERNEL ||
		    (site->mode == FIRMWARE && (from != FIRMWARE || prev->kind == KIND_XRET)))
			site->enters++;
		return true;
	}
}

/* ---- The trace log ------------------------------------------------------------- */

/* Some gigabytes; whoever wants more has asked for the wrong thing. */
#define MOST_RUNS (UINT64_C(1) << 27)

static void write_run(unsigned int hart, struct hart *h, enum kind kind)
{
	static uint64_t runs;

	if (++runs > MOST_RUNS)
		die("the trace has become too long: ", option.trace);
	fprintf(trace, "r %u %c %" PRIx64 " %" PRIu64 " %s\n", hart, mode_names[h->run_mode][0],
		h->run_start, h->run_count, kind_names[kind]);
	h->run_count = 0;
}

void flow_split(unsigned int hart, enum kind kind)
{
	struct hart *h = &harts[hart];

	if (trace && (h->run_count || kind == KIND_TRAP))
		write_run(hart, h, kind);
}

void flow_insn(unsigned int hart, const struct slot *slot)
{
	struct hart *h = &harts[hart];

	if (!trace || h->run_count++)
		return;
	h->run_start = slot->vaddr;
	h->run_mode = slot->site->mode;
}

void flow_block(struct hart *h, const struct block *block)
{
	unsigned int hart = (unsigned int)(h - harts);
	struct site *site = block->slots[0].site;
	const struct slot *prev = h->last;

	if (!prev)
		return;
	if (!leads_to(prev, site)) {
		trapped(prev, site);
		flow_split(hart, prev->kind == KIND_ECALL ? KIND_ECALL : KIND_TRAP);
	} else if (prev->kind != KIND_SEQ || prev->site->mode != site->mode) {
		flow_split(hart, prev->kind);
	}
}

void flow_start(void)
{
	if (!option.trace)
		return;
	trace = fopen(option.trace, "w");
	if (!trace)
		die("cannot write ", option.trace);
	setvbuf(trace, NULL, _IOFBF, 1 << 18);
}

void flow_text(unsigned int hart, const char *text, size_t len)
{
	flow_split(hart, KIND_SEQ);
	for (size_t i = 0; trace && i < len; i++)
		fprintf(trace, "c %u %02x\n", hart, (unsigned char)text[i]);
}

void flow_phase(unsigned int hart, const char *name)
{
	flow_split(hart, KIND_SEQ);
	if (trace)
		fprintf(trace, "p %s\n", name);
}

void flow_finish(void)
{
	for (unsigned int hart = 0; hart < n_harts; hart++)
		flow_split(hart, KIND_SEQ);
	if (trace && fclose(trace))
		die("cannot write ", option.trace);
	fprintf(out, "crossings firmware_calls %" PRIu64 "\n", firmware_calls);
	fprintf(out, "crossings firmware_traps %" PRIu64 "\n", firmware_traps);
	fprintf(out, "crossings system_calls %" PRIu64 "\n", system_calls);
	fprintf(out, "crossings traps %" PRIu64 "\n", traps);
}
