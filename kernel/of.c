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
	OF_CHOSEN,
	OF_ALIASES,
	OF_CPUS,
	OF_DISABLED,
	OF_DEVICE, /* or a bus, or memory: known when its properties are read */
	/* as devices, but for what their properties mean together */
	OF_ROOT,
	OF_RESERVED_MEMORY,
	OF_RESERVED_REGION,
};

/* A node on the path from the root to where the reader is. */
struct of_node {
	const char *name;
	const u8 *ranges; /* NULL: addresses below it lead nowhere */
	u32 ranges_len;
	u32 address_cells, size_cells; /* of its children */
	enum of_kind kind;
#ifdef CONFIG_OF_IRQ
	const u8 *props; /* the first property */
#endif
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
	struct of_props props;
	struct of_node nodes[OF_MAX_DEPTH]; /* the first is the root */
};

/* What is remembered of the tree. */
static struct {
	const char *bootargs, *stdout_path;
	u32 bootargs_len, stdout_path_len;
	u32 timebase_frequency;
	struct fdt_cursor aliases; /* at the first property of /aliases */
#ifdef CONFIG_OF_CPUS
	struct fdt_cursor cpus; /* the same of /cpus */
#endif
#ifdef CONFIG_USERSPACE
	const u8 *rng_seed;
	u32 rng_seed_len;
#endif
#ifdef CONFIG_BLK_DEV_INITRD
	u64 initrd_start, initrd_end;
#endif
#ifdef CONFIG_OF_IRQ
	struct fdt_cursor tree; /* to read any property again */
#endif
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

/* --- which property it is -------------------------------------------------- */

enum prop_id {
	PROP_UNKNOWN,
	PROP_ADDRESS_CELLS,
	PROP_CLOCK_FREQUENCY,
	PROP_COMPATIBLE,
	PROP_CURRENT_SPEED,
	PROP_DEVICE_TYPE,
	PROP_NO_MAP,
	PROP_RANGES,
	PROP_REG,
	PROP_REG_IO_WIDTH,
	PROP_REG_SHIFT,
	PROP_SIZE_CELLS,
	PROP_STATUS,
};

static __always_inline bool text_equal(const char *a, const char *b)
{
	for (; *a == *b; a++, b++)
		if (!*a)
			return true;
	return false;
}

/*
 * The names of the two properties that nearly every node has. A tree has each
 * name once, so that after the first time a look at the pointer is enough.
 */
struct known_names {
	const char *compatible, *reg;
};

/* Most properties are none of these, which their first letter mostly tells. */
static __always_inline enum prop_id prop_id(const char *name, struct known_names *known)
{
	if (name == known->compatible)
		return PROP_COMPATIBLE;
	if (name == known->reg)
		return PROP_REG;
	if (name[0] == 'i' || name[0] == 'p')
		return PROP_UNKNOWN; /* interrupts, phandle and their like */
	switch (name[0]) {
	case '#':
		if (text_equal(name, "#address-cells"))
			return PROP_ADDRESS_CELLS;
		if (text_equal(name, "#size-cells"))
			return PROP_SIZE_CELLS;
		break;
	case 'c':
		if (text_equal(name, "compatible")) {
			known->compatible = name;
			return PROP_COMPATIBLE;
		}
		if (text_equal(name, "clock-frequency"))
			return PROP_CLOCK_FREQUENCY;
		if (text_equal(name, "current-speed"))
			return PROP_CURRENT_SPEED;
		break;
	case 'd':
		if (text_equal(name, "device_type"))
			return PROP_DEVICE_TYPE;
		break;
	case 'n':
		if (text_equal(name, "no-map"))
			return PROP_NO_MAP;
		break;
	case 'r':
		if (text_equal(name, "reg")) {
			known->reg = name;
			return PROP_REG;
		}
		if (text_equal(name, "ranges"))
			return PROP_RANGES;
		if (text_equal(name, "reg-shift"))
			return PROP_REG_SHIFT;
		if (text_equal(name, "reg-io-width"))
			return PROP_REG_IO_WIDTH;
		break;
	case 's':
		if (text_equal(name, "status"))
			return PROP_STATUS;
		break;
	}
	return PROP_UNKNOWN;
}

/* --- what a node's properties mean -------------------------------------- */

#ifdef CONFIG_USERSPACE
static void rng_seed_prop(const u8 *value, u32 len)
{
	of.rng_seed = value;
	of.rng_seed_len = len;
}
#else
static __always_inline void rng_seed_prop(const u8 *value, u32 len)
{
}
#endif

#ifdef CONFIG_BLK_DEV_INITRD
static void initrd_prop(const char *name, const u8 *value, u32 len)
{
	if (len != 4 && len != 8)
		return;
	if (text_equal(name, "linux,initrd-start"))
		of.initrd_start = fdt_read_cells(value, len / 4);
	else if (text_equal(name, "linux,initrd-end"))
		of.initrd_end = fdt_read_cells(value, len / 4);
}
#else
static __always_inline void initrd_prop(const char *name, const u8 *value, u32 len)
{
}
#endif

static void chosen_prop(const char *name, const u8 *value, u32 len)
{
	/* A text without its zero at the end counts as empty. */
	u32 text_len = len && value[len - 1] == '\0' ? len - 1 : 0;

	switch (name[0]) {
	case 'b':
		if (text_equal(name, "bootargs")) {
			of.bootargs = (const char *)value;
			of.bootargs_len = text_len;
		}
		break;
	case 'l':
		initrd_prop(name, value, len);
		break;
	case 'r':
		if (text_equal(name, "rng-seed")) {
			stackprotector_add_entropy(value, len);
			rng_seed_prop(value, len);
		}
		break;
	case 's':
		if (text_equal(name, "stdout-path")) {
			of.stdout_path = (const char *)value;
			of.stdout_path_len = text_len;
		}
		break;
	}
}

static __always_inline void device_prop(struct of_node *node, struct of_props *props,
					const struct fdt_cursor *prop, struct known_names *known)
{
	switch (prop_id(prop->name, known)) {
	case PROP_ADDRESS_CELLS:
		node->address_cells = prop_u32(prop);
		break;
	case PROP_SIZE_CELLS:
		node->size_cells = prop_u32(prop);
		break;
	case PROP_COMPATIBLE:
		if (prop_text_len(prop)) {
			props->compatible = (const char *)prop->value;
			props->compatible_len = prop->len;
		}
		break;
	case PROP_CLOCK_FREQUENCY:
		props->clock_frequency = prop_u32(prop);
		break;
	case PROP_CURRENT_SPEED:
		props->current_speed = prop_u32(prop);
		break;
	case PROP_DEVICE_TYPE:
		props->is_memory = prop_is(prop, "memory");
		break;
	case PROP_NO_MAP:
		props->no_map = true;
		break;
	case PROP_RANGES:
		node->ranges = prop->value;
		node->ranges_len = prop->len;
		break;
	case PROP_REG:
		props->reg = prop->value;
		props->reg_len = prop->len;
		break;
	case PROP_REG_IO_WIDTH:
		props->reg_io_width = prop_u32(prop);
		break;
	case PROP_REG_SHIFT:
		props->reg_shift = prop_u32(prop);
		break;
	case PROP_STATUS:
		props->disabled = !prop_is(prop, "okay") && !prop_is(prop, "ok");
		break;
	default:
		break;
	}
}

/* A property of one of the nodes that are no devices. */
static noinline void special_prop(enum of_kind kind, const char *name, const u8 *value, u32 len)
{
	if (kind == OF_CHOSEN)
		chosen_prop(name, value, len);
	else if (kind == OF_CPUS && len == 4 && !strcmp(name, "timebase-frequency"))
		of.timebase_frequency = fdt_read32(value);
}

/* --- addresses ------------------------------------------------------------ */

/*
 * One range of a reg property, in the terms of the bus that the node is on. Return: the bytes it takes, or 0 if there is no whole one at @offset.
 */
static u32 read_reg(const struct of_node *bus, const struct of_props *props, u32 offset, u64 *base,
		    u64 *size)
{
	u64 bytes = 4 * ((u64)bus->address_cells + bus->size_cells);

	if (!bytes || offset + bytes > props->reg_len)
		return 0;
	*base = fdt_read_cells(props->reg + offset, bus->address_cells);
	*size = fdt_read_cells(props->reg + offset + 4 * bus->address_cells, bus->size_cells);
	return bytes;
}

/*
 * Take an address from @bus to the processor's, through the ranges of each bus
 * on the way. Return: false if a bus does not pass it on.
 */
static bool translate(const struct of_reader *reader, const struct of_node *bus, u64 *address)
{
	const struct of_node *node;

	for (node = bus; node > reader->nodes; node--) {
		u32 child = node->address_cells, parent = node[-1].address_cells;
		u64 bytes = 4 * ((u64)child + parent + node->size_cells);
		const u8 *p = node->ranges;
		u64 left = node->ranges_len;

		if (!p)
			return false;
		if (!left)
			continue; /* empty: the same addresses */
		if (!bytes)
			return false;
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

#define HASH_START  0xcbf29ce484222325ULL
#define HASH_FACTOR 0x100000001b3ULL

/* FNV-1a over @len bytes. */
static u64 hash(u64 state, const char *text, size_t len)
{
	while (len--)
		state = (state ^ (u8)*text++) * HASH_FACTOR;
	return state;
}

static u64 path_hash(const struct of_reader *reader, const struct of_node *last)
{
	const struct of_node *node;
	u64 state = HASH_START;

	for (node = reader->nodes + 1; node <= last; node++) {
		const char *c;

		state = (state ^ '/') * HASH_FACTOR;
		for (c = node->name; *c; c++)
			state = (state ^ (u8)*c) * HASH_FACTOR;
	}
	return state;
}

/* Is one of the four bytes zero? (A well-known trick with the borrow of a subtraction.) */
static __always_inline bool has_zero_byte(u32 word)
{
	return (word - 0x01010101) & ~word & 0x80808080;
}

/* Bit n: a driver's name has n bytes, or n + 64. */
static u64 driver_lengths;

static void note_driver_lengths(void)
{
	const struct of_driver *driver;

	for_each_row(driver, of_driver)
		driver_lengths |= 1ULL << driver->len % 64;
}

/* The driver for devices that are compatible with @name, of @len bytes, or NULL. */
static __always_inline const struct of_driver *find_driver(const char *name, size_t len)
{
	const struct of_driver *driver;

	/* Many names begin alike, but few have the same length; most have none of them. */
	if (likely(!(driver_lengths >> len % 64 & 1)))
		return NULL;
	for_each_row(driver, of_driver)
		if (driver->len == len && text_equal(driver->compatible, name))
			return driver;
	return NULL;
}

/* Behind the zero that ends the text at @p; @p: 4-byte aligned. */
static __always_inline const char *skip_aligned_text(const char *p)
{
	while (!has_zero_byte(*(const u32 *)(const void *)p))
		p += 4;
	while (*p++)
		;
	return p;
}

/* The same for a list of names, 4-byte aligned, the last of which ends in zero. */
static noinline const struct of_driver *find_driver_in_list(const char *list, u32 len)
{
	const char *end = list + len, *next = skip_aligned_text(list);
	const struct of_driver *driver = find_driver(list, (size_t)(next - list) - 1);

	while (next < end && !driver) {
		size_t length = strlen(next);

		driver = find_driver(next, length);
		next += length + 1;
	}
	return driver;
}

static noinline void found_device(const struct of_reader *reader, const struct of_node *node,
				  const struct of_driver *driver)
{
	const struct of_props *props = &reader->props;
	struct of_device dev = {
		.compatible = props->compatible,
		.compatible_len = props->compatible_len,
		.clock_frequency = props->clock_frequency,
		.current_speed = props->current_speed,
		.reg_shift = props->reg_shift,
		.reg_io_width = props->reg_io_width,
		.path = path_hash(reader, node),
#ifdef CONFIG_OF_IRQ
		.node = node,
		.root = reader->nodes,
#endif
	};

	if (node->kind == OF_ROOT)
		return; /* on no bus */
	if (read_reg(node - 1, props, 0, &dev.base, &dev.size) &&
	    !translate(reader, node - 1, &dev.base))
		dev.base = 0;
	driver->found(&dev);
}

/* Each whole range of a node's reg property. */
#define for_each_reg(node, props, base, size)                                                      \
	for (u32 step_, at_ = 0; (step_ = read_reg(&(node)[-1], props, at_, &(base), &(size)));    \
	     at_ += step_)

static noinline void found_memory(const struct of_node *node, const struct of_props *props)
{
	u64 base, size;

	if (node->kind == OF_ROOT)
		return; /* on no bus */
	for_each_reg(node, props, base, size) {
		if (node->kind == OF_RESERVED_REGION)
			memblock_reserve(base, size, props->no_map);
		else
			memblock_add(base, size);
	}
}

/* The properties of @node are complete. */
static __always_inline void evaluate_node(const struct of_reader *reader,
					  const struct of_node *node)
{
	const struct of_props *props = &reader->props;

	if (unlikely(props->disabled))
		return;
	if (unlikely(props->is_memory || node->kind == OF_RESERVED_REGION)) {
		found_memory(node, props);
	} else if (props->compatible) {
		const struct of_driver *driver =
			find_driver_in_list(props->compatible, props->compatible_len);

		if (driver)
			found_device(reader, node, driver);
	}
}

static enum of_kind top_level_kind(const char *name)
{
	if (text_equal(name, "chosen"))
		return OF_CHOSEN;
	if (text_equal(name, "aliases"))
		return OF_ALIASES;
	if (text_equal(name, "cpus"))
		return OF_CPUS;
	if (text_equal(name, "reserved-memory"))
		return OF_RESERVED_MEMORY;
	return OF_DEVICE;
}

static __always_inline enum of_kind node_kind(const struct of_node *root,
					      const struct of_node *node)
{
	if (node == root)
		return OF_ROOT;
	if (node == root + 1)
		return top_level_kind(node->name);
	return node[-1].kind == OF_RESERVED_MEMORY ? OF_RESERVED_REGION : OF_DEVICE;
}

/* By hand: GCC calls memset() for it, which costs more. */
static __always_inline void reset_props(struct of_props *props)
{
	props->compatible = NULL;
	props->reg_len = 0;
	props->clock_frequency = 0;
	props->current_speed = 0;
	props->reg_shift = 0;
	props->reg_io_width = 0;
	props->is_memory = false;
	props->no_map = false;
	props->disabled = false;
}

/* What is below a hart is of no use here, and there are many harts. */
static __always_inline bool children_matter(const struct of_node *root, const struct of_node *node)
{
	return node->kind != OF_CPUS && node->kind != OF_DISABLED && node < root + OF_MAX_DEPTH - 1;
}

/* Between the beginning of a node and its first child, or its end: what properties mean. */
enum props_kind {
	DEVICE_PROPS,
	SPECIAL_PROPS,
	NO_PROPS, /* none may come here */
};

/* Return: 0, or -EINVAL if it is no tree. */
static int read_tree(struct of_reader *reader, struct fdt_cursor cursor)
{
	struct of_node *root = reader->nodes, *node = root - 1;
	enum props_kind in_props = NO_PROPS;
	struct known_names known = {};

	for (;;) {
		switch (fdt_next(&cursor)) {
		case FDT_PROP:
			if (likely(in_props == DEVICE_PROPS))
				device_prop(node, &reader->props, &cursor, &known);
			else if (in_props == SPECIAL_PROPS)
				special_prop(node->kind, cursor.name, cursor.value, cursor.len);
			else
				return -EINVAL; /* behind a child, against the format (5.4.2) */
			break;
		case FDT_BEGIN_NODE:
			if (in_props != NO_PROPS) {
				evaluate_node(reader, node);
				if (unlikely(reader->props.disabled))
					node->kind = OF_DISABLED;
			}
			if (node >= root && !children_matter(root, node)) {
				in_props = NO_PROPS;
				cursor.next = fdt_skip_node(cursor.next, cursor.end);
				if (!cursor.next)
					return -EINVAL;
				break;
			}
			node++;
			*node = (struct of_node){
				.name = cursor.name,
				.address_cells = 2,
				.size_cells = 1,
			};
			node->kind = node_kind(root, node);
			in_props = node->kind >= OF_DEVICE ? DEVICE_PROPS : SPECIAL_PROPS;
			reset_props(&reader->props);
			if (node->kind == OF_ALIASES)
				of.aliases = cursor;
#ifdef CONFIG_OF_IRQ
			node->props = cursor.next;
#endif
#ifdef CONFIG_OF_CPUS
			if (node->kind == OF_CPUS)
				of.cpus = cursor;
#endif
			break;
		case FDT_END_NODE:
			if (node < root)
				return -EINVAL;
			if (in_props != NO_PROPS)
				evaluate_node(reader, node);
			in_props = NO_PROPS;
			if (node-- == root)
				return 0;
			break;
		default:
			return -EINVAL;
		}
	}
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

#ifdef CONFIG_BLK_DEV_INITRD
/* What the boot loader says about the archive must fit to what it says about memory. */
static void reserve_initrd(void)
{
	phys_addr_t start, end;

	if (!of.initrd_end)
		return;
	if (of.initrd_start < of.initrd_end &&
	    memblock_next_mappable(of.initrd_start, &start, &end) && start <= of.initrd_start &&
	    of.initrd_end <= end) {
		memblock_reserve(of.initrd_start, of.initrd_end - of.initrd_start, false);
		return;
	}
	pr_err("initrd: 0x%llx to 0x%llx is not memory; ignored\n", of.initrd_start, of.initrd_end);
	of.initrd_end = 0;
}

bool of_initrd(phys_addr_t *start, size_t *size)
{
	*start = of.initrd_start;
	*size = of.initrd_end - of.initrd_start;
	return of.initrd_end;
}
#else
static __always_inline void reserve_initrd(void)
{
}
#endif

void of_init(phys_addr_t fdt)
{
	const void *blob = phys_to_virt(fdt);
	struct fdt_cursor cursor;
	struct of_reader reader;
	u64 base, bytes;
	unsigned int i;
	long size = map_tree(fdt);

	switch (fdt_open(&cursor, blob, size)) {
	case 0:
		break;
	case -EOPNOTSUPP:
		bad_tree(fdt, "not version 17");
	default:
		bad_tree(fdt, "header describes blocks outside of it");
	}
#ifdef CONFIG_OF_IRQ
	of.tree = cursor;
#endif
	note_driver_lengths();
	if (read_tree(&reader, cursor))
		bad_tree(fdt, "broken structure");
	for (i = 0; fdt_reservation(blob, size, i, &base, &bytes); i++)
		memblock_reserve(base, bytes, false);
	memblock_reserve(fdt, size, false);
	if (IS_ENABLED(CONFIG_MEMBLOCK) && !memblock_has_memory())
		bad_tree(fdt, "no memory node");
	reserve_initrd();
}

const char *of_bootargs(size_t *len)
{
	*len = of.bootargs_len;
	return of.bootargs_len ? of.bootargs : NULL;
}

#ifdef CONFIG_USERSPACE
const u8 *of_rng_seed(size_t *len)
{
	*len = of.rng_seed_len;
	return of.rng_seed;
}
#endif

#if defined(CONFIG_USERSPACE) && defined(CONFIG_OF_CPUS)
const char *of_isa(size_t *len)
{
	struct fdt_cursor prop = of.cpus;
	unsigned int depth = 1;

	while (prop.next && depth) {
		switch (fdt_next(&prop)) {
		case FDT_BEGIN_NODE:
			depth++;
			break;
		case FDT_PROP:
			if (depth == 2 && prop.name[0] == 'r' && !strcmp(prop.name, "riscv,isa")) {
				*len = prop_text_len(&prop);
				return (const char *)prop.value;
			}
			break;
		case FDT_END_NODE:
			depth--;
			break;
		default:
			return NULL;
		}
	}
	return NULL;
}
#endif

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

#ifdef CONFIG_SMP

/* Harts are looked up again when the line is out of the way: the first pass skips them. */
bool of_next_hart(unsigned long *id)
{
	struct fdt_cursor prop = of.cpus;
	unsigned long best = ~0UL, hart = 0;
	unsigned int depth = 1;
	bool usable = false;

	while (prop.next && depth) {
		switch (fdt_next(&prop)) {
		case FDT_BEGIN_NODE:
			if (++depth == 2) {
				usable = !strncmp(prop.name, "cpu@", 4);
				hart = ~0UL;
			}
			break;
		case FDT_PROP:
			if (depth == 2 && !strcmp(prop.name, "reg") && prop.len >= 4)
				hart = fdt_read_cells(prop.value, prop.len / 4);
			else if (depth == 2 && !strcmp(prop.name, "status"))
				usable &= prop_is(&prop, "okay") || prop_is(&prop, "ok");
			break;
		case FDT_END_NODE:
			if (depth-- == 2 && usable && hart >= *id && hart < best)
				best = hart;
			break;
		default:
			return false;
		}
	}
	*id = best;
	return best != ~0UL;
}

#endif

#ifdef CONFIG_OF_IRQ

/* The property @name among those that begin at @props. Return: false if there is none. */
static noinline bool find_prop(const u8 *props, const char *name, struct fdt_cursor *prop)
{
	*prop = of.tree;
	prop->next = props;
	while (fdt_next(prop) == FDT_PROP)
		if (text_equal(prop->name, name))
			return true;
	return false;
}

const u8 *of_property(const struct of_device *dev, const char *name, u32 *len)
{
	struct fdt_cursor prop;

	if (!find_prop(dev->node->props, name, &prop))
		return NULL;
	*len = prop.len;
	return prop.value;
}

struct of_irq of_irq(const struct of_device *dev)
{
	const struct of_node *node;
	struct fdt_cursor prop;
	struct of_irq irq = {};

	if (find_prop(dev->node->props, "interrupts-extended", &prop)) {
		if (prop.len >= 8)
			irq = (struct of_irq){ fdt_read32(prop.value), fdt_read32(prop.value + 4) };
		return irq;
	}
	if (!find_prop(dev->node->props, "interrupts", &prop) || prop.len < 4)
		return irq;
	irq.number = fdt_read32(prop.value);
	/* The next node upwards that names a controller means its children, too. */
	for (node = dev->node; node >= dev->root; node--) {
		if (find_prop(node->props, "interrupt-parent", &prop)) {
			irq.parent = prop_u32(&prop);
			break;
		}
	}
	return irq;
}

u32 of_hart_intc(unsigned long hart)
{
	struct fdt_cursor prop = of.cpus;
	unsigned int depth = 1;
	bool wanted = false;

	while (prop.next && depth) {
		switch (fdt_next(&prop)) {
		case FDT_BEGIN_NODE:
			/* Properties of a node come before its children. */
			if (++depth == 2)
				wanted = false;
			break;
		case FDT_PROP:
			if (depth == 2 && !strcmp(prop.name, "reg") && prop.len >= 4)
				wanted = fdt_read_cells(prop.value, prop.len / 4) == hart;
			else if (depth == 3 && wanted && !strcmp(prop.name, "phandle"))
				return prop_u32(&prop);
			break;
		case FDT_END_NODE:
			depth--;
			break;
		default:
			return 0;
		}
	}
	return 0;
}

#endif
