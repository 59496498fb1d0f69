// SPDX-License-Identifier: MIT
/*
 * What bounds figures: the kernel's phase labels, and the ends of intervals.
 *
 * A phase lasts from the first run of its label to that of the next one. An
 * interval lasts from an address (the instruction there is in it) or from after
 * a hint, to before an address or a hint. What begins inside of an interval is
 * ignored: a recursive function is one interval.
 */
#include <inttypes.h>

#include "plugin.h"

static unsigned int phase;
static bool begun[MAX_LABELS];
static uint64_t phase_start[MODES];

static bool inside;
static uint64_t interval_start[MODES];

static bool is_at(const struct label *labels, size_t n, uint64_t vaddr)
{
	while (n--)
		if (labels[n].vaddr == vaddr)
			return true;
	return false;
}

static bool opens_after(const struct slot *slot)
{
	return option.from_marker >= 0 && slot->marker == option.from_marker;
}

static bool opens_before(const struct slot *slot)
{
	return is_at(option.from, option.n_from, slot->vaddr);
}

static bool closes(const struct slot *slot)
{
	return (option.to_marker >= 0 && slot->marker == option.to_marker) ||
	       is_at(option.to, option.n_to, slot->vaddr);
}

bool marks_at(const struct slot *slot)
{
	return opens_after(slot) || opens_before(slot) || closes(slot) ||
	       is_at(option.phases, option.n_phases, slot->vaddr);
}

static void write_since(const char *what, const uint64_t start[MODES])
{
	uint64_t sums[MODES];

	sum_counts(sums);
	fprintf(out, "%s", what);
	for (int mode = 0; mode < MODES; mode++)
		fprintf(out, " %" PRIu64, sums[mode] - start[mode]);
	fprintf(out, "\n");
}

static void phase_ends(void)
{
	write_since("phase", phase_start);
	sites_dump(phase);
}

static void phase_begins(unsigned int hart, const char *name)
{
	phase_ends();
	sum_counts(phase_start);
	phase++;
	fprintf(out, "phase-name %s\n", name);
	flow_phase(hart, name);
}

static void open_interval(void)
{
	if (inside)
		return;
	inside = true;
	sum_counts(interval_start);
}

static void close_interval(void)
{
	if (inside)
		write_since("interval", interval_start);
	inside = false;
}

void marks_before(unsigned int hart, const struct slot *slot)
{
	for (size_t i = 0; i < option.n_phases; i++) {
		if (option.phases[i].vaddr != slot->vaddr || begun[i])
			continue;
		/* A phase has several labels: copies of an inline function, and addresses. */
		for (size_t j = 0; j < option.n_phases; j++)
			begun[j] |= option.phases[j].name == option.phases[i].name;
		phase_begins(hart, option.phases[i].name);
	}
	if (closes(slot))
		close_interval();
	if (opens_before(slot))
		open_interval();
}

void marks_after(const struct slot *slot)
{
	if (opens_after(slot))
		open_interval();
}

/* Without a beginning the interval begins at the entry. */
void marks_start(void)
{
	if (option.intervals && !option.n_from && option.from_marker < 0)
		open_interval();
}

/* Without an end it ends with the line. */
void marks_finish(void)
{
	if (option.intervals && !option.n_to && option.to_marker < 0)
		close_interval();
	phase_ends();
}
