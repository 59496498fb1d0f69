// SPDX-License-Identifier: MIT
/*
 * A plugin for QEMU's code generator that counts instructions exactly: from the
 * first one at the kernel's entry up to the store by which the end of a wanted
 * line reaches the console, whoever executes that store. Then it writes its
 * report and ends QEMU.
 *
 * How the line is found: the console is a file (-serial file:...) to which
 * QEMU's device models write at once. So after each store to a device the file
 * is looked at; what it grew by, that store has sent. No UART's registers need
 * to be known. Where a model sends later (SiFive's, in newer versions of QEMU),
 * tx= names the transmit register, and the stored values themselves are the
 * text; that needs a QEMU that tells them (API 4).
 *
 * The harts must run in one thread (-icount): nothing here is locked.
 *
 * Arguments: entry=ADDR, console=FILE, out=FILE, want=HEX (the text, as hex
 * digits), tx=ADDR, firmware=on|off (whether M-mode is firmware), sites=on|off
 * (report each instruction's count), base=ADDR, top=ADDR (bounds of memory).
 */

#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- What is used of QEMU's plugin interface, API 1 to 4 ----------------- */

#define EXPORT	 __attribute__((visibility("default")))
#define OPTIONAL __attribute__((weak))

#define CB_NO_REGS   0
#define CB_READ_REGS 1
#define MEM_WRITE    2

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_plugin_hwaddr;
struct qemu_plugin_register;

/* GLib's public head of GArray and GByteArray. */
struct glib_array {
	char *data;
	unsigned int len;
};

struct register_descriptor {
	struct qemu_plugin_register *handle;
	const char *name;
	const char *feature;
};

struct mem_value {
	int type; /* 0 to 4: 8 to 128 bits */
	union {
		uint8_t u8;
		uint16_t u16;
		uint32_t u32;
		uint64_t u64;
		struct {
			uint64_t low;
			uint64_t high;
		} u128;
	} data;
};

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t idx);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_init_cb(plugin_id id, void (*cb)(plugin_id, unsigned int));
void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id,
					   void (*cb)(plugin_id, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb,
					  void (*cb)(unsigned int, void *), int flags, void *data);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    void (*cb)(unsigned int, void *), int flags,
					    void *data);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn,
				      void (*cb)(unsigned int, uint32_t, uint64_t, void *),
				      int flags, int rw, void *data);
void qemu_plugin_register_atexit_cb(plugin_id id, void (*cb)(plugin_id, void *), void *data);
struct qemu_plugin_hwaddr *qemu_plugin_get_hwaddr(uint32_t info, uint64_t vaddr);
bool qemu_plugin_hwaddr_is_io(const struct qemu_plugin_hwaddr *addr);
uint64_t qemu_plugin_hwaddr_phys_addr(const struct qemu_plugin_hwaddr *addr);

/* API 2 */
OPTIONAL void *qemu_plugin_scoreboard_new(size_t size);
OPTIONAL struct glib_array *qemu_plugin_get_registers(void);
OPTIONAL int qemu_plugin_read_register(struct qemu_plugin_register *reg, struct glib_array *buf);
/* API 4 */
OPTIONAL struct mem_value qemu_plugin_mem_get_value(uint32_t info);
/* GLib, in QEMU */
OPTIONAL struct glib_array *g_byte_array_new(void);
OPTIONAL struct glib_array *g_byte_array_set_size(struct glib_array *array, unsigned int len);

EXPORT int qemu_plugin_version = 1;
EXPORT int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv);

/* QEMU refuses a plugin whose version is outside its own range: take its part. */
__attribute__((constructor)) static void choose_version(void)
{
	if (qemu_plugin_mem_get_value)
		qemu_plugin_version = 4;
	else if (qemu_plugin_scoreboard_new)
		qemu_plugin_version = 2;
}

/* ---- State --------------------------------------------------------------- */

enum mode {
	KERNEL,
	FIRMWARE,
	USER,
	MODES
};
static const char *const mode_names[MODES] = { "kernel", "firmware", "user" };

/* One instruction in memory, as executed in one mode. */
struct site {
	uint64_t vaddr;
	uint64_t count;
	enum mode mode;
};

/* A translated block. Its sites are known when it first runs, on some hart. */
struct block {
	size_t n;
	bool resolved;
	struct slot {
		uint64_t vaddr;
		struct site *site;
	} slots[];
};

#define MAX_HARTS 512
#define MAX_WANT  256

static struct {
	uint64_t entry;
	uint64_t base;
	uint64_t top;
	uint64_t tx;
	const char *console;
	const char *out;
	char want[MAX_WANT];
	size_t want_len;
	bool firmware;
	bool sites;
} option = { .entry = 0x80200000, .base = 0x80000000, .top = UINT64_MAX, .firmware = true };

static bool started;
static unsigned int boot_hart;
static uint64_t counts[MAX_HARTS][MODES];

/* Open-addressed hash table of sites; its size is a power of two. */
static struct site **table;
static size_t table_size;
static size_t table_used;

/* The end of what the console has sent since the entry, long enough to match. */
static char tail[MAX_WANT + 1];
static size_t tail_len;
static bool want_seen;
static int console_fd = -1;

/* Harts of different kinds number their registers differently. */
static struct qemu_plugin_register *priv_reg[MAX_HARTS];
static struct glib_array *priv_buf;

static void die(const char *what, const char *detail)
{
	fprintf(stderr, "meter plugin: %s%s\n", what, detail);
	_exit(3);
}

/* ---- Report -------------------------------------------------------------- */

static void report(bool line_seen)
{
	FILE *out = fopen(option.out, "w");

	if (!out)
		die("cannot write ", option.out);
	fprintf(out, "entered %d\nline %d\nboot %u\nmodes-by %s\n", started, line_seen, boot_hart,
		priv_reg[boot_hart] ? "privilege" : "address");
	for (unsigned int hart = 0; hart < MAX_HARTS; hart++)
		for (int mode = 0; mode < MODES; mode++)
			if (counts[hart][mode])
				fprintf(out, "hart %u %s %" PRIu64 "\n", hart, mode_names[mode],
					counts[hart][mode]);
	for (size_t i = 0; option.sites && i < table_size; i++)
		if (table[i] && table[i]->count)
			fprintf(out, "site %s %#" PRIx64 " %" PRIu64 "\n",
				mode_names[table[i]->mode], table[i]->vaddr, table[i]->count);
	fprintf(out, "end\n");
	if (fclose(out))
		die("cannot write ", option.out);
}

static void at_exit(plugin_id id, void *data)
{
	(void)id;
	(void)data;
	report(false);
}

/* ---- The console --------------------------------------------------------- */

/* Take what the console has sent; end the run with the wanted line. */
static void console_sent(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (want_seen) {
			if (text[i] == '\n') {
				report(true);
				_exit(0);
			}
			continue;
		}
		if (tail_len == option.want_len)
			memmove(tail, tail + 1, --tail_len);
		tail[tail_len++] = text[i];
		want_seen =
			tail_len == option.want_len && !memcmp(tail, option.want, option.want_len);
	}
}

/* Read what the console's file has grown by. */
static size_t console_read(char *buf, size_t size)
{
	if (console_fd < 0)
		console_fd = open(option.console, O_RDONLY | O_CLOEXEC);
	if (console_fd < 0)
		die("cannot read ", option.console);

	ssize_t len = read(console_fd, buf, size);

	return len > 0 ? (size_t)len : 0;
}

static void skip_console(void)
{
	char buf[4096];

	while (console_read(buf, sizeof(buf)))
		;
}

static void mem_stored(unsigned int hart, uint32_t info, uint64_t vaddr, void *data)
{
	struct qemu_plugin_hwaddr *addr;
	char buf[256];
	size_t len;

	(void)hart;
	(void)data;
	if (!started)
		return;
	addr = qemu_plugin_get_hwaddr(info, vaddr);
	if (!addr || !qemu_plugin_hwaddr_is_io(addr))
		return;
	if (option.tx) {
		if (qemu_plugin_hwaddr_phys_addr(addr) == option.tx) {
			struct mem_value value = qemu_plugin_mem_get_value(info);

			buf[0] = (char)value.data.u8;
			console_sent(buf, 1);
		}
		return;
	}
	while ((len = console_read(buf, sizeof(buf))))
		console_sent(buf, len);
}

/* ---- Instructions -------------------------------------------------------- */

/*
 * The mode in which a hart runs what is at vaddr. Where QEMU does not tell the
 * privilege, addresses do: firmware lies below the kernel's entry, the kernel
 * above it in memory or in the upper half.
 */
static enum mode current_mode(unsigned int hart, uint64_t vaddr)
{
	if (priv_reg[hart]) {
		g_byte_array_set_size(priv_buf, 0);
		if (qemu_plugin_read_register(priv_reg[hart], priv_buf) <= 0)
			die("cannot read the register ", "priv");
		switch (priv_buf->data[0] & 3) {
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

static size_t site_hash(uint64_t vaddr, enum mode mode)
{
	return (size_t)(((vaddr >> 1) * MODES + mode) * UINT64_C(0x9e3779b97f4a7c15) >> 20);
}

static void table_insert(struct site *site)
{
	size_t i = site_hash(site->vaddr, site->mode) & (table_size - 1);

	while (table[i])
		i = (i + 1) & (table_size - 1);
	table[i] = site;
}

static struct site *site_get(uint64_t vaddr, enum mode mode)
{
	struct site *site;

	if (table_used * 2 >= table_size) {
		struct site **old = table;
		size_t old_size = table_size;

		table_size = old_size ? old_size * 2 : 4096;
		table = calloc(table_size, sizeof(*table));
		if (!table)
			die("out of memory", "");
		for (size_t i = 0; i < old_size; i++)
			if (old[i])
				table_insert(old[i]);
		free(old);
	}
	for (size_t i = site_hash(vaddr, mode);; i++) {
		site = table[i & (table_size - 1)];
		if (!site)
			break;
		if (site->vaddr == vaddr && site->mode == mode)
			return site;
	}
	site = malloc(sizeof(*site));
	if (!site)
		die("out of memory", "");
	*site = (struct site){ .vaddr = vaddr, .mode = mode };
	table_insert(site);
	table_used++;
	return site;
}

/* QEMU does not share blocks between privileges: the first run tells for all. */
static void block_starts(unsigned int hart, void *data)
{
	struct block *block = data;
	enum mode mode;

	if (block->resolved)
		return;
	block->resolved = true;
	mode = current_mode(hart, block->slots[0].vaddr);
	for (size_t i = 0; i < block->n; i++)
		block->slots[i].site = site_get(block->slots[i].vaddr, mode);
}

static void insn_executes(unsigned int hart, void *data)
{
	struct slot *slot = data;

	if (!started) {
		if (slot->vaddr != option.entry)
			return;
		started = true;
		boot_hart = hart;
		skip_console();
	}
	slot->site->count++;
	counts[hart][slot->site->mode]++;
}

static void tb_translated(plugin_id id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);
	struct block *block = calloc(1, sizeof(*block) + n * sizeof(block->slots[0]));

	(void)id;
	if (!block)
		die("out of memory", "");
	block->n = n;
	qemu_plugin_register_vcpu_tb_exec_cb(tb, block_starts, CB_READ_REGS, block);
	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		struct slot *slot = &block->slots[i];

		slot->vaddr = qemu_plugin_insn_vaddr(insn);
		qemu_plugin_register_vcpu_insn_exec_cb(insn, insn_executes, CB_NO_REGS, slot);
		qemu_plugin_register_vcpu_mem_cb(insn, mem_stored, CB_NO_REGS, MEM_WRITE, NULL);
	}
}

static void find_priv(plugin_id id, unsigned int hart)
{
	struct register_descriptor *reg;
	struct glib_array *regs;

	(void)id;
	if (hart >= MAX_HARTS || !qemu_plugin_get_registers || !qemu_plugin_read_register ||
	    !g_byte_array_new || !g_byte_array_set_size)
		return;
	regs = qemu_plugin_get_registers();
	reg = (struct register_descriptor *)(void *)regs->data;
	for (unsigned int i = 0; i < regs->len; i++)
		if (!strcmp(reg[i].name, "priv"))
			priv_reg[hart] = reg[i].handle;
	if (!priv_buf)
		priv_buf = g_byte_array_new();
}

/* ---- Start --------------------------------------------------------------- */

static const char *value_of(const char *arg, const char *name)
{
	size_t len = strlen(name);

	return !strncmp(arg, name, len) && arg[len] == '=' ? arg + len + 1 : NULL;
}

static uint64_t number(const char *text)
{
	char *end;
	uint64_t value = strtoull(text, &end, 0);

	if (end == text || *end)
		die("not a number: ", text);
	return value;
}

static void parse_want(const char *hex)
{
	for (; hex[0] && hex[1]; hex += 2) {
		char digits[3] = { hex[0], hex[1], 0 };

		if (option.want_len == MAX_WANT)
			die("want= is too long", "");
		option.want[option.want_len++] = (char)strtoul(digits, NULL, 16);
	}
}

EXPORT int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++) {
		const char *value;

		if ((value = value_of(argv[i], "entry")))
			option.entry = number(value);
		else if ((value = value_of(argv[i], "base")))
			option.base = number(value);
		else if ((value = value_of(argv[i], "top")))
			option.top = number(value);
		else if ((value = value_of(argv[i], "tx")))
			option.tx = number(value);
		else if ((value = value_of(argv[i], "console")))
			option.console = strdup(value);
		else if ((value = value_of(argv[i], "out")))
			option.out = strdup(value);
		else if ((value = value_of(argv[i], "want")))
			parse_want(value);
		else if ((value = value_of(argv[i], "firmware")))
			option.firmware = !strcmp(value, "on");
		else if ((value = value_of(argv[i], "sites")))
			option.sites = !strcmp(value, "on");
		else
			die("unknown argument ", argv[i]);
	}
	if (!option.console || !option.out || !option.want_len)
		die("console=, out= and want= must be given", "");
	/* Models that send late came to QEMU together with the stored values. */
	if (!qemu_plugin_mem_get_value)
		option.tx = 0;
	qemu_plugin_register_vcpu_init_cb(id, find_priv);
	qemu_plugin_register_vcpu_tb_trans_cb(id, tb_translated);
	qemu_plugin_register_atexit_cb(id, at_exit, NULL);
	return 0;
}
