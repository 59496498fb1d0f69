// SPDX-License-Identifier: MIT
/*
 * A plugin for QEMU's code generator that measures exactly: from the first
 * instruction at the kernel's entry up to the store by which the end of a
 * wanted line reaches the console, whoever executes that store. Then it writes
 * its report and ends QEMU; or counts on until the machine is switched off.
 *
 * It counts instructions by hart and mode, by address and phase, between marks
 * (plugin_marks.c), crossings between modes (plugin_flow.c) and pages touched
 * (plugin_pages.c).
 *
 * The harts must run in one thread (-icount): nothing here is locked. Memory
 * used grows with the code that runs, not with how long it runs.
 *
 * Arguments: entry=ADDR, console=FILE, out=FILE, want=HEX (the text, as hex
 * digits), tx=ADDR, firmware=on|off (whether M-mode is firmware), sites=on|off
 * (report each instruction's count), to-end=on|off (count on), base=ADDR, top=ADDR (bounds of memory),
 * from=ADDR, to=ADDR, from-marker=N, to-marker=N (intervals), phase=ADDR:NAME,
 * trace=FILE. Those of marks may be given several times.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plugin.h"
#include "plugin_qemu.h"

EXPORT int qemu_plugin_version = 1;
EXPORT int qemu_plugin_install(plugin_id id, const struct qemu_info *info, int argc, char **argv);

/* QEMU refuses a plugin whose version is outside its own range: take its part. */
__attribute__((constructor)) static void choose_version(void)
{
	if (qemu_plugin_mem_get_value)
		qemu_plugin_version = 4;
	else if (qemu_plugin_scoreboard_new)
		qemu_plugin_version = 2;
}

const char *const mode_names[MODES] = { "kernel", "firmware", "user" };

bool started;
static bool line_over; /* only instructions are counted */
unsigned int n_harts;
struct hart harts[MAX_HARTS];
FILE *out;

static bool insn_data_copies;
static unsigned int boot_hart;
static uint64_t entry_a1;
static struct block *blocks;

/* Harts of different kinds number their registers differently. */
static struct registers {
	struct qemu_plugin_register *priv;
	struct qemu_plugin_register *a1;
} registers[MAX_HARTS];
static struct glib_array *register_buf;

void die(const char *what, const char *detail)
{
	fprintf(stderr, "meter plugin: %s%s\n", what, detail);
	_exit(3);
}

/* ---- Report -------------------------------------------------------------- */

void sum_counts(uint64_t sums[MODES])
{
	memset(sums, 0, MODES * sizeof(*sums));
	for (unsigned int hart = 0; hart < n_harts; hart++)
		for (int mode = 0; mode < MODES; mode++)
			sums[mode] += harts[hart].counts[mode];
}

void finish(bool line_seen)
{
	fprintf(out, "entered %d\nline %d\nboot %u\nmodes-by %s\n", started, line_seen, boot_hart,
		registers[boot_hart].priv ? "privilege" : "address");
	for (unsigned int hart = 0; hart < n_harts; hart++)
		for (int mode = 0; mode < MODES; mode++)
			if (harts[hart].counts[mode])
				fprintf(out, "hart %u %s %" PRIu64 "\n", hart, mode_names[mode],
					harts[hart].counts[mode]);
	marks_finish();
	flow_finish();
	pages_finish();
	if (line_seen && option.to_end) {
		started = false;
		line_over = true;
		return;
	}
	fprintf(out, "end\n");
	if (fclose(out))
		die("cannot write ", option.out);
}

static void at_exit(plugin_id id, void *data)
{
	uint64_t sums[MODES];

	(void)id;
	(void)data;
	if (!line_over) {
		finish(false);
		return;
	}
	sum_counts(sums);
	for (int mode = 0; mode < MODES; mode++)
		fprintf(out, "off %s %" PRIu64 "\n", mode_names[mode], sums[mode]);
	fprintf(out, "end\n");
	if (fclose(out))
		die("cannot write ", option.out);
}

/* ---- Loads and stores ---------------------------------------------------- */

static void mem_accessed(unsigned int hart, uint32_t info, uint64_t vaddr, void *data)
{
	struct qemu_plugin_hwaddr *addr;
	enum access access;
	uint64_t phys, last;
	enum mode mode;

	(void)data;
	if (!started)
		return;
	addr = qemu_plugin_get_hwaddr(info, vaddr);
	if (!addr)
		return;
	access = qemu_plugin_mem_is_store(info) ? WRITTEN : READ;
	if (qemu_plugin_hwaddr_is_io(addr)) {
		if (access == WRITTEN)
			console_stored(hart, qemu_plugin_hwaddr_phys_addr(addr), info);
		return;
	}
	phys = qemu_plugin_hwaddr_phys_addr(addr);
	mode = harts[hart].last->site->mode;
	pages_touch(phys, mode, access);
	/* One that is not aligned may reach into another page. */
	last = vaddr + (UINT64_C(1) << qemu_plugin_mem_size_shift(info)) - 1;
	if ((last ^ vaddr) >> 12) {
		addr = qemu_plugin_get_hwaddr(info, last);
		if (addr && !qemu_plugin_hwaddr_is_io(addr))
			pages_touch(qemu_plugin_hwaddr_phys_addr(addr), mode, access);
	}
}

/* ---- Instructions -------------------------------------------------------- */

static uint64_t read_register(struct qemu_plugin_register *reg)
{
	uint64_t value = 0;

	g_byte_array_set_size(register_buf, 0);
	if (qemu_plugin_read_register(reg, register_buf) <= 0)
		die("cannot read a register", "");
	memcpy(&value, register_buf->data, register_buf->len < 8 ? register_buf->len : 8);
	return value;
}

/*
 * The mode in which a hart runs what is at vaddr. Where QEMU does not tell the
 * privilege, addresses do: firmware lies below the kernel's entry, the kernel
 * above it in memory or in the upper half.
 */
static enum mode current_mode(unsigned int hart, uint64_t vaddr)
{
	if (registers[hart].priv) {
		switch (read_register(registers[hart].priv) & 3) {
		case 0:
			return USER;
		case 3:
			return option.firmware ? FIRMWARE : KERNEL;
		default:
			return KERNEL;
		}
	}
	if (vaddr >> 63)
		return KERNEL;
	if (vaddr < option.base || vaddr >= option.top)
		return USER;
	return option.firmware && vaddr < option.entry ? FIRMWARE : KERNEL;
}

/* QEMU does not share blocks between privileges: the first run tells for all. */
static void resolve(unsigned int hart, struct block *block)
{
	enum mode mode = current_mode(hart, block->slots[0].vaddr);

	block->resolved = true;
	for (size_t i = 0; i < block->n; i++)
		block->slots[i].site = site_get(block->slots[i].vaddr, mode);
}

static void block_starts(unsigned int hart, void *data)
{
	struct hart *h = &harts[hart];
	static bool running;
	struct block *block = data;

	if (!running && block->host)
		pages_reset_code(block->host);
	running = true;
	if (!block->resolved)
		resolve(hart, block);
	h->block = block;
	if (started) {
		flow_block(h, block);
		pages_block(block, block->slots[0].site->mode);
	} else if (block->slots[0].vaddr == option.entry && registers[hart].a1) {
		entry_a1 = read_register(registers[hart].a1);
	}
}

static void insn_executes(unsigned int hart, void *data)
{
	struct hart *h = &harts[hart];
	struct slot *slot = data;

	if (!started) {
		h->counts[slot->site->mode] += line_over;
		return;
	}
	slot->site->count++;
	h->counts[slot->site->mode]++;
	h->last = slot;
}

static void start(unsigned int hart, const struct slot *slot)
{
	struct block *block = harts[hart].block;

	started = true;
	boot_hart = hart;
	for (unsigned int i = 0; i < n_harts; i++)
		harts[i].last = NULL;
	pages_start(block->host ? block->host + (slot->vaddr - block->slots[0].vaddr) : NULL,
		    entry_a1);
	pages_block(block, slot->site->mode);
	console_start();
	marks_start();
}

/* An instruction with more to do: the entry, a mark, or any one in a trace. */
static void special_executes(unsigned int hart, void *data)
{
	struct slot *slot = data;

	if (!started && !line_over && slot->vaddr == option.entry)
		start(hart, slot);
	if (!started) {
		insn_executes(hart, slot);
		return;
	}
	marks_before(hart, slot);
	insn_executes(hart, slot);
	flow_insn(hart, slot);
	marks_after(slot);
}

/* ---- Translation --------------------------------------------------------- */

static void decode(struct slot *slot, const struct qemu_plugin_insn *insn)
{
	uint32_t bits = 0;
	uintptr_t data;

	slot->vaddr = qemu_plugin_insn_vaddr(insn);
	slot->size = (uint8_t)qemu_plugin_insn_size(insn);
	data = qemu_plugin_insn_data(insn, &bits, slot->size < 4 ? slot->size : 4);
	if (!insn_data_copies)
		memcpy(&bits, (const void *)data, slot->size < 4 ? slot->size : 4);
	flow_decode(slot, bits);
}

static void tb_translated(plugin_id id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);
	struct block *block = calloc(1, sizeof(*block) + n * sizeof(block->slots[0]));

	(void)id;
	if (!block)
		die("out of memory", "");
	block->n = n;
	block->next = blocks;
	blocks = block;
	block->host = qemu_plugin_insn_haddr(qemu_plugin_tb_get_insn(tb, 0));
	qemu_plugin_register_vcpu_tb_exec_cb(tb, block_starts, CB_READ_REGS, block);
	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		struct slot *slot = &block->slots[i];
		bool special;

		decode(slot, insn);
		special = slot->vaddr == option.entry || option.trace || marks_at(slot);
		qemu_plugin_register_vcpu_insn_exec_cb(
			insn, special ? special_executes : insn_executes, CB_NO_REGS, slot);
		qemu_plugin_register_vcpu_mem_cb(insn, mem_accessed, CB_NO_REGS, MEM_RW, NULL);
	}
}

/* QEMU forgets all translations: no block runs again. */
static void translations_flushed(plugin_id id)
{
	(void)id;
	for (unsigned int hart = 0; hart < n_harts; hart++) {
		struct hart *h = &harts[hart];

		if (h->last && h->last != &h->kept) {
			h->kept = *h->last;
			h->last = &h->kept;
		}
	}
	while (blocks) {
		struct block *block = blocks;

		blocks = block->next;
		free(block);
	}
}

static void hart_appears(plugin_id id, unsigned int hart)
{
	struct register_descriptor *reg;
	struct glib_array *regs;

	(void)id;
	if (hart >= MAX_HARTS)
		die("too many harts", "");
	if (hart >= n_harts)
		n_harts = hart + 1;
	if (!qemu_plugin_get_registers || !qemu_plugin_read_register || !g_byte_array_new ||
	    !g_byte_array_set_size)
		return;
	regs = qemu_plugin_get_registers();
	reg = (struct register_descriptor *)(void *)regs->data;
	for (unsigned int i = 0; i < regs->len; i++) {
		if (!strcmp(reg[i].name, "priv"))
			registers[hart].priv = reg[i].handle;
		if (!strcmp(reg[i].name, "a1"))
			registers[hart].a1 = reg[i].handle;
	}
	if (!register_buf)
		register_buf = g_byte_array_new();
}

EXPORT int qemu_plugin_install(plugin_id id, const struct qemu_info *info, int argc, char **argv)
{
	insn_data_copies = info->version.cur >= 3;
	options_parse(argc, argv);
	/* Models that send late came to QEMU together with the stored values. */
	if (!qemu_plugin_mem_get_value)
		option.tx = 0;
	out = fopen(option.out, "w");
	if (!out)
		die("cannot write ", option.out);
	flow_start();
	qemu_plugin_register_vcpu_init_cb(id, hart_appears);
	qemu_plugin_register_vcpu_tb_trans_cb(id, tb_translated);
	qemu_plugin_register_flush_cb(id, translations_flushed);
	qemu_plugin_register_atexit_cb(id, at_exit, NULL);
	return 0;
}
