// SPDX-License-Identifier: MIT
/*
 * The device tree, read in one pass: each node's properties are collected, and
 * where they end it is known what the node is. Nodes that nobody needs are
 * skipped without a look at their names.
 */
#include <ahoy/errno.h>
#include <ahoy/fdt.h>
#include <ahoy/kstrtox.h>
#include <ahoy/memblock.h>
#include <ahoy/of.h>
#include <ahoy/panic.h>
#include <ahoy/printk.h>
#include <ahoy/stackprotector.h>
#include <ahoy/string.h>
#include <asm/io.h>
#include <asm/paging.h>

LINKER_TABLE(struct of_driver, of_driver);

/* Nodes that lie deeper are skipped; real trees have five or six levels. */
#define OF_MAX_DEPTH 12

enum of_kind {
	OF_ROOT,
	OF_CHOSEN,
	OF_ALIASES,
	OF_CPUS,
	OF_RESERVED_MEMORY,
	OF_RESERVED_REGION,
	OF_DEVICE, /* or a bus, or memory: known when its properties are read */
};

/* A node on the path from the root to where the reader is. */
struct of_node {
	const char *name;
	const u8 *ranges; /* NULL: addresses below it lead nowhere */
	u32 ranges_len;
	u32 address_cells, size_cells; /* of its children */
	enum of_kind kind;
	bool evaluated;
};

/* The properties of the node whose properties are being read. */
struct of_props {
	const char *compatible;
	const u8 *reg;
	u32 compatible_len, reg_len;
	u32 clock_frequency, current_speed, reg_shift, reg_io_width;
	bool is_memory, no_map, disabled;
};

struct of_reader {
	struct fdt_cursor cursor;
	struct of_props props;
	int depth; /* of the current node; the root's is 0 */
	struct of_node nodes[OF_MAX_DEPTH];
};

/* What is remembered of the tree. */
static struct {
	const char *bootargs, *stdout_path;
	u32 bootargs_len, stdout_path_len;
	u32 timebase_frequency;
	struct fdt_cursor aliases; /* at the first property of /aliases */
} of;

static u32 prop_u32(const struct fdt_cursor *prop)
{
	return prop->len == 4 ? fdt_read32(prop->value) : 0;
}

/* Bytes of a property that is a text, without its zero; 0 if it is none. */
static u32 prop_text_len(const struct fdt_cursor *prop)
{
	return prop->len && prop->value[prop->len - 1] == '\0' ? prop->len - 1 : 0;
}

static bool prop_is(const struct fdt_cursor *prop, const char *text)
{
	return prop->len == strlen(text) + 1 && !memcmp(prop->value, text, prop->len);
}

/* --- what a node's properties mean -------------------------------------- */

static void chosen_prop(const struct fdt_cursor *prop)
{
	if (!strcmp(prop->name, "bootargs")) {
		of.bootargs = (const char *)prop->value;
		of.bootargs_len = prop_text_len(prop);
	} else if (!strcmp(prop->name, "stdout-path")) {
		of.stdout_path = (const char *)prop->value;
		of.stdout_path_len = prop_text_len(prop);
	} else if (!strcmp(prop->name, "rng-seed")) {
		stackprotector_add_entropy(prop->value, prop->len);
	}
}

static void device_prop(struct of_reader *reader, const struct fdt_cursor *prop)
{
	struct of_node *node = &reader->nodes[reader->depth];
	struct of_props *props = &reader->props;
	const char *name = prop->name;

	/* A glance at the first letter spares most comparisons. */
	switch (name[0]) {
	case '#':
		if (!strcmp(name, "#address-cells"))
			node->address_cells = prop_u32(prop);
		else if (!strcmp(name, "#size-cells"))
			node->size_cells = prop_u32(prop);
		break;
	case 'c':
		if (!strcmp(name, "compatible")) {
			props->compatible = (const char *)prop->value;
			props->compatible_len = prop->len;
		} else if (!strcmp(name, "clock-frequency")) {
			props->clock_frequency = prop_u32(prop);
		} else if (!strcmp(name, "current-speed")) {
			props->current_speed = prop_u32(prop);
		}
		break;
	case 'd':
		if (!strcmp(name, "device_type"))
			props->is_memory = prop_is(prop, "memory");
		break;
	case 'n':
		if (!strcmp(name, "no-map"))
			props->no_map = true;
		break;
	case 'r':
		if (!strcmp(name, "reg")) {
			props->reg = prop->value;
			props->reg_len = prop->len;
		} else if (!strcmp(name, "ranges")) {
			node->ranges = prop->value;
			node->ranges_len = prop->len;
		} else if (!strcmp(name, "reg-shift")) {
			props->reg_shift = prop_u32(prop);
		} else if (!strcmp(name, "reg-io-width")) {
			props->reg_io_width = prop_u32(prop);
		}
		break;
	case 's':
		if (!strcmp(name, "status"))
			props->disabled = !prop_is(prop, "okay") && !prop_is(prop, "ok");
		break;
	}
}

static void read_prop(struct of_reader *reader)
{
	const struct fdt_cursor *prop = &reader->cursor;

	switch (reader->nodes[reader->depth].kind) {
	case OF_CHOSEN:
		chosen_prop(prop);
		break;
	case OF_CPUS:
		if (!strcmp(prop->name, "timebase-frequency"))
			of.timebase_frequency = prop_u32(prop);
		break;
	case OF_ALIASES:
		break;
	default:
		device_prop(reader, prop);
	}
}

/* --- addresses ------------------------------------------------------------ */

/*
 * One range of a reg property, in the terms of the bus that the current node
 * is on. Return: the bytes it takes, or 0 if there is no whole one at @offset.
 */
static u32 read_reg(const struct of_reader *reader, u32 offset, u64 *base, u64 *size)
{
	const struct of_node *bus = &reader->nodes[reader->depth - 1];
	u64 bytes = 4 * ((u64)bus->address_cells + bus->size_cells);

	if (!bytes || offset + bytes > reader->props.reg_len)
		return 0;
	*base = fdt_read_cells(reader->props.reg + offset, bus->address_cells);
	*size = fdt_read_cells(reader->props.reg + offset + 4 * bus->address_cells,
			       bus->size_cells);
	return bytes;
}

/*
 * Take an address from @bus to the processor's, through the ranges of each bus
 * on the way. Return: false if a bus does not pass it on.
 */
static bool translate(const struct of_reader *reader, int bus, u64 *address)
{
	for (; bus > 0; bus--) {
		const struct of_node *node = &reader->nodes[bus];
		u32 child = node->address_cells, parent = node[-1].address_cells;
		u64 bytes = 4 * ((u64)child + parent + node->size_cells);
		const u8 *p = node->ranges;
		u64 left = node->ranges_len;

		if (!p)
			return false;
		if (!left)
			continue; /* empty: the same addresses */
		for (; left >= bytes; p += bytes, left -= bytes) {
			u64 from = fdt_read_cells(p, child);
			u64 size = fdt_read_cells(p + 4 * (child + parent), node->size_cells);

			if (*address - from < size) {
				*address += fdt_read_cells(p + 4 * child, parent) - from;
				break;
			}
		}
		if (left < bytes)
			return false;
	}
	return true;
}

/* --- nodes ------------------------------------------------------------------ */

#define HASH_START 0xcbf29ce484222325ULL

/* FNV-1a over @len bytes. */
static u64 hash(u64 state, const char *text, size_t len)
{
	while (len--)
		state = (state ^ (u8)*text++) * 0x100000001b3ULL;
	return state;
}

static u64 path_hash(const struct of_reader *reader)
{
	u64 state = HASH_START;
	int i;

	for (i = 1; i <= reader->depth; i++) {
		state = hash(state, "/", 1);
		state = hash(state, reader->nodes[i].name, strlen(reader->nodes[i].name));
	}
	return state;
}

static void found_device(const struct of_reader *reader)
{
	const struct of_props *props = &reader->props;
	const struct of_driver *driver;

	for_each_row(driver, of_driver) {
		struct of_device dev = {
			.compatible = props->compatible,
			.compatible_len = props->compatible_len,
			.clock_frequency = props->clock_frequency,
			.current_speed = props->current_speed,
			.reg_shift = props->reg_shift,
			.reg_io_width = props->reg_io_width,
		};

		if (!fdt_stringlist_contains(props->compatible, props->compatible_len,
					     driver->compatible))
			continue;
		if (props->reg && read_reg(reader, 0, &dev.base, &dev.size) &&
		    !translate(reader, reader->depth - 1, &dev.base))
			dev.base = 0;
		dev.path = path_hash(reader);
		driver->found(&dev);
		return;
	}
}

/* Each whole range of the current node's reg property. */
#define for_each_reg(reader, offset, base, size)                                                   \
	for (u32 step_, offset = 0; (step_ = read_reg(reader, offset, &(base), &(size)));          \
	     offset += step_)

/* The current node's properties are complete. */
static void evaluate_node(struct of_reader *reader)
{
	const struct of_props *props = &reader->props;
	struct of_node *node = &reader->nodes[reader->depth];
	u64 base, size;

	node->evaluated = true;
	if (props->disabled || reader->depth == 0)
		return;
	if (node->kind == OF_RESERVED_REGION) {
		for_each_reg(reader, at, base, size)
			memblock_reserve(base, size, props->no_map);
	} else if (node->kind == OF_DEVICE && props->is_memory) {
		for_each_reg(reader, at, base, size)
			memblock_add(base, size);
	} else if (node->kind == OF_DEVICE && props->compatible) {
		found_device(reader);
	}
}

static enum of_kind node_kind(const struct of_reader *reader, const char *name)
{
	if (reader->depth == 0)
		return OF_ROOT;
	if (reader->nodes[reader->depth - 1].kind == OF_RESERVED_MEMORY)
		return OF_RESERVED_REGION;
	if (reader->depth > 1)
		return OF_DEVICE;
	if (!strcmp(name, "chosen"))
		return OF_CHOSEN;
	if (!strcmp(name, "aliases"))
		return OF_ALIASES;
	if (!strcmp(name, "cpus"))
		return OF_CPUS;
	if (!strcmp(name, "reserved-memory"))
		return OF_RESERVED_MEMORY;
	return OF_DEVICE;
}

/* Return: 0, or a negative errno if the node is broken. */
static int begin_node(struct of_reader *reader)
{
	struct of_node *node;

	if (reader->depth >= 0) {
		node = &reader->nodes[reader->depth];
		if (!node->evaluated)
			evaluate_node(reader);
		/* What is below a hart is of no use here, and there are many harts. */
		if (node->kind == OF_CPUS || reader->depth + 1 == OF_MAX_DEPTH)
			return fdt_skip_node(&reader->cursor);
	}
	node = &reader->nodes[++reader->depth];
	*node = (struct of_node){
		.name = reader->cursor.name,
		.address_cells = 2,
		.size_cells = 1,
		.kind = node_kind(reader, reader->cursor.name),
	};
	reader->props = (struct of_props){};
	if (node->kind == OF_ALIASES)
		of.aliases = reader->cursor;
	return 0;
}

static int read_tree(struct of_reader *reader)
{
	int err = 0;

	reader->depth = -1;
	while (!err) {
		int token = fdt_next(&reader->cursor);

		switch (token) {
		case FDT_BEGIN_NODE:
			err = begin_node(reader);
			break;
		case FDT_PROP:
			/* A property behind a child is against the format (5.4.2). */
			if (reader->depth < 0 || reader->nodes[reader->depth].evaluated)
				return -EINVAL;
			read_prop(reader);
			break;
		case FDT_END_NODE:
			if (reader->depth < 0)
				return -EINVAL;
			if (!reader->nodes[reader->depth].evaluated)
				evaluate_node(reader);
			if (reader->depth-- == 0)
				return 0;
			break;
		default:
			return -EINVAL;
		}
	}
	return err;
}

/* --- the tree as a whole ----------------------------------------------------- */

static void __noreturn bad_tree(phys_addr_t fdt, const char *why)
{
	panic("device tree at 0x%llx: %s", fdt, why);
}

/* Make the tree readable. Return: its size in bytes. */
static long map_tree(phys_addr_t pa)
{
	const u8 *blob = phys_to_virt(pa);
	u32 word;
	long size;

	if (!pa)
		bad_tree(pa, "firmware passed none");
	if (!IS_ALIGNED(pa, 8))
		bad_tree(pa, "not aligned to 8 bytes");
	if (map_readonly_early(pa, FDT_HEADER_SIZE))
		bad_tree(pa, "beyond the memory that the kernel can address");
	if (io_probe_read32((const void __iomem __force *)blob, &word))
		bad_tree(pa, "no memory there");
	size = fdt_size(blob);
	if (size == -ENODATA)
		bad_tree(pa, "no magic number");
	if (size < 0)
		bad_tree(pa, "impossible size");
	if (map_readonly_early(pa, size) ||
	    io_probe_read32((const void __iomem __force *)(blob + ALIGN_DOWN(size - 1, 4)), &word))
		bad_tree(pa, "reaches beyond the end of memory");
	return size;
}

void of_init(phys_addr_t fdt)
{
	const void *blob = phys_to_virt(fdt);
	struct of_reader reader;
	u64 base, bytes;
	unsigned int i;
	long size = map_tree(fdt);

	switch (fdt_open(&reader.cursor, blob, size)) {
	case 0:
		break;
	case -EOPNOTSUPP:
		bad_tree(fdt, "not version 17");
	default:
		bad_tree(fdt, "header describes blocks outside of it");
	}
	if (read_tree(&reader))
		bad_tree(fdt, "broken structure");
	for (i = 0; fdt_reservation(blob, size, i, &base, &bytes); i++)
		memblock_reserve(base, bytes, false);
	memblock_reserve(fdt, size, false);
	if (IS_ENABLED(CONFIG_MEMBLOCK) && !memblock_has_memory())
		bad_tree(fdt, "no memory node");
}

const char *of_bootargs(size_t *len)
{
	*len = of.bootargs_len;
	return of.bootargs_len ? of.bootargs : NULL;
}

u32 of_timebase_frequency(void)
{
	return of.timebase_frequency;
}

/* The path that the alias of @len bytes at @name stands for, or NULL. */
static const char *find_alias(const char *name, size_t len, size_t *path_len)
{
	struct fdt_cursor prop = of.aliases;

	if (!prop.next)
		return NULL;
	while (fdt_next(&prop) == FDT_PROP) {
		if (strlen(prop.name) == len && !memcmp(prop.name, name, len)) {
			*path_len = prop_text_len(&prop);
			return (const char *)prop.value;
		}
	}
	return NULL;
}

u64 of_stdout(u32 *baud)
{
	const char *path = of.stdout_path, *options;
	size_t len = of.stdout_path_len;
	u64 rate;

	*baud = 0;
	if (!len)
		return 0;
	/* "path:115200n8" */
	options = memchr(path, ':', len);
	if (options) {
		len = options - path;
		if (!parse_digits(options + 1, 10, &rate, &options) && rate <= U32_MAX)
			*baud = rate;
	}
	if (len && path[0] != '/')
		path = find_alias(path, len, &len);
	return path ? hash(HASH_START, path, len) : 0;
}
