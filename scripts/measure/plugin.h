/* SPDX-License-Identifier: MIT */
/* What the parts of the meter's plugin share. See plugin.c for what it does. */
#ifndef PLUGIN_H
#define PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define MAX_HARTS  512
#define MAX_WANT   256
#define MAX_LABELS 256

enum mode {
	KERNEL,
	FIRMWARE,
	USER,
	MODES
};
extern const char *const mode_names[MODES];

/* How an instruction goes on, as its bits say. */
enum kind {
	KIND_SEQ,
	KIND_BRANCH,
	KIND_JUMP,
	KIND_CALL,
	KIND_RET,
	KIND_ECALL,
	KIND_XRET,
	KIND_TRAP, /* of runs only: left by an exception or interrupt */
};

/* One instruction in memory, as executed in one mode. */
struct site {
	uint64_t vaddr;
	uint64_t count;	 /* in this phase */
	uint64_t enters; /* entries that may have been traps */
	enum mode mode;
	bool vector; /* a trap has led here */
};

/* One instruction of a translated block. */
struct slot {
	uint64_t vaddr;
	uint64_t target; /* of direct jumps and branches */
	struct site *site;
	uint8_t size;
	uint8_t kind;
	bool direct;
	int16_t marker; /* N of the hint "slti x0, x0, N", or -1 */
};

/* A translated block. Its sites are known when it first runs, on some hart. */
struct block {
	struct block *next;
	size_t n;
	bool resolved;
	const char *host; /* of its first instruction; NULL: not in memory */
	struct slot slots[];
};

struct hart {
	uint64_t counts[MODES];
	struct slot *last; /* the instruction that it executed last; NULL: none yet */
	struct block *block;
	struct slot kept; /* a copy of *last whose block is gone */
	/* The run of the trace log that is not written yet. */
	uint64_t run_start;
	uint64_t run_count;
	enum mode run_mode;
};

struct label {
	uint64_t vaddr;
	const char *name;
};

struct option {
	uint64_t entry;
	uint64_t base;
	uint64_t top;
	uint64_t tx;
	const char *console;
	const char *out;
	const char *trace;
	char want[MAX_WANT];
	size_t want_len;
	bool firmware, to_end;
	bool sites;
	/* Bounds of intervals: addresses, or hints' numbers. */
	struct label from[4], to[4];
	size_t n_from, n_to;
	int from_marker, to_marker;
	bool intervals;
	struct label phases[MAX_LABELS];
	size_t n_phases;
};
extern struct option option;

extern bool started;
extern unsigned int n_harts;
extern struct hart harts[MAX_HARTS];
extern FILE *out;

void die(const char *what, const char *detail) __attribute__((noreturn));

/* The sum of all harts. */
void sum_counts(uint64_t sums[MODES]);

/* plugin.c: write the last of the report. The caller ends QEMU. */
void finish(bool line_seen);

/* plugin_options.c */
void options_parse(int argc, char **argv);

/* plugin_sites.c: the site of an address and mode; made at its first use. */
struct site *site_get(uint64_t vaddr, enum mode mode);
/* Write and clear the counts of the sites, for a phase's number. */
void sites_dump(unsigned int phase);

/* plugin_marks.c: phases and intervals. Is there one that an instruction bounds? */
bool marks_at(const struct slot *slot);
void marks_before(unsigned int hart, const struct slot *slot);
void marks_after(const struct slot *slot);
void marks_start(void);
void marks_finish(void);

/* plugin_flow.c: what kind of instruction these bytes are. */
void flow_decode(struct slot *slot, uint32_t bits);
/* A hart goes on with a block: see how it got there. */
void flow_block(struct hart *hart, const struct block *block);
void flow_insn(unsigned int hart, const struct slot *slot);
/* The run so far ends here, by an instruction of this kind. */
void flow_split(unsigned int hart, enum kind kind);
void flow_start(void);
void flow_text(unsigned int hart, const char *text, size_t len);
void flow_phase(unsigned int hart, const char *name);
void flow_finish(void);

/* plugin_pages.c */
enum access {
	FETCHED,
	READ,
	WRITTEN,
	ACCESSES
};
/* What is known at the entry: where the instruction is for the host, and a1, or 0. */
void pages_start(const char *entry_host, uint64_t a1);
/* An instruction of the reset code, from which the tree's address is learned. */
void pages_reset_code(const char *host);
void pages_block(const struct block *block, enum mode mode);
void pages_touch(uint64_t phys, enum mode mode, enum access access);
void pages_finish(void);

/* plugin_console.c: a store to a device; the last of the line ends QEMU. */
void console_start(void);
void console_stored(unsigned int hart, uint64_t phys, uint32_t info);

#endif
