// SPDX-License-Identifier: MIT
/*
 * The device tree, read in one pass that looks for names: does a node have a
 * driver, is it memory, has it children? Most are nothing of the kind. Only of
 * the others are the properties read one by one.
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
	OF_DEVICE, /* or a bus, or memory: known when its properties are read */
	/* as devices, but for what their properties mean together */
	OF_RESERVED_MEMORY,
	OF_RESERVED_REGION,
	/* of children only */
	OF_BY_NAME,
	OF_SKIPPED,
};

/* A node on the path from the root to where the reader is. */
struct of_node {
	const char *name;
	const u8 *props;  /* the first property */
	const u8 *ranges; /* NULL: addresses below it lead nowhere */
	u32 ranges_len;
	u32 address_cells, size_cells; /* of its children */
	enum of_kind children;
};

/* The properties of the node whose properties are being read. */
struct of_props {
	const char *compatible;
	const u8 *reg;
	u32 compatible_len, reg_len;
	u32 clock_frequency, current_speed, reg_shift, reg_io_width;
	bool is_memory, no_map, disabled;
};

/* Names that many nodes have: after the first time, a look at the pointer is enough. */
struct prop_names {
	const char *address_cells, *size_cells, *compatible, *reg;
};

struct of_reader {
	struct prop_names known;
	struct of_node nodes[OF_MAX_DEPTH]; /* the first is the root */
};

/* What is remembered of the tree. */
static struct {
	const char *bootargs, *stdout_path;
	u32 bootargs_len, stdout_path_len;
	u32 timebase_frequency;
	struct fdt_cursor tree; /* at the root */
	const u8 *aliases;	/* the first property of /aliases */
#ifdef CONFIG_OF_CPUS
	const u8 *cpus; /* behind the last property of /cpus */
#endif
#ifdef CONFIG_USERSPACE
	const u8 *rng_seed;
	u32 rng_seed_len;
#endif
#ifdef CONFIG_BLK_DEV_INITRD
	u64 initrd_start, initrd_end;
#endif
} of;

/* A reader for the properties from @props on; NULL: for none. */
static __always_inline struct fdt_cursor cursor_at(const u8 *props)
{
	return (struct fdt_cursor){
		.next = props,
		.end = of.tree.end,
		.strings = of.tree.strings,
		.strings_size = of.tree.strings_size,
	};
}

static u32 prop_u32(const struct fdt_cursor *prop)
{
	return prop->len == 4 ? fdt_load32(prop->value) : 0;
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

/* Many properties are none of these, which their first letter mostly tells. */
static __always_inline enum prop_id prop_id(const char *name, struct prop_names *known)
{
	if (name == known->compatible)
		return PROP_COMPATIBLE;
	if (name == known->reg)
		return PROP_REG;
	switch (name[0]) {
	case '#':
		if (name == known->address_cells || text_equal(name, "#address-cells")) {
			known->address_cells = name;
			return PROP_ADDRESS_CELLS;
		}
		if (name == known->size_cells || text_equal(name, "#size-cells")) {
			known->size_cells = name;
			return PROP_SIZE_CELLS;
		}
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
					const struct fdt_cursor *prop, struct prop_names *known)
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

u64 of_path(const struct of_device *dev)
{
	const struct of_node *node;
	u64 state = HASH_START;

	for (node = dev->root + 1; node <= dev->node; node++) {
		const char *c;

		state = (state ^ '/') * HASH_FACTOR;
		for (c = node->name; *c; c++)
			state = (state ^ (u8)*c) * HASH_FACTOR;
	}
	return state;
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

/*
 * Behind the zero that ends the text at @p; @p: 4-byte aligned. Words are passed
 * whose bytes, made smaller by one all at once, keep their upper bits clear: as
 * those of ASCII do, and a zero does not.
 */
static __always_inline const char *skip_aligned_text(const char *p)
{
	while (!((*(const s32 *)(const void *)p - 0x01010101L) & 0x80808080L))
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
				  const struct of_props *props, const struct of_driver *driver)
{
	struct of_device dev = {
		.compatible = props->compatible,
		.compatible_len = props->compatible_len,
		.clock_frequency = props->clock_frequency,
		.current_speed = props->current_speed,
		.reg_shift = props->reg_shift,
		.reg_io_width = props->reg_io_width,
		.node = node,
		.root = reader->nodes,
	};

	if (read_reg(node - 1, props, 0, &dev.base, &dev.size) &&
	    !translate(reader, node - 1, &dev.base))
		dev.base = 0;
	driver->found(&dev);
}

/* Each whole range of a node's reg property. */
#define for_each_reg(node, props, base, size)                                                      \
	for (u32 step_, at_ = 0; (step_ = read_reg(&(node)[-1], props, at_, &(base), &(size)));    \
	     at_ += step_)

static noinline void found_memory(const struct of_node *node, const struct of_props *props,
				  bool reserved)
{
	u64 base, size;

	for_each_reg(node, props, base, size) {
		if (reserved)
			memblock_reserve(base, size, props->no_map);
		else
			memblock_add(base, size);
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

/*
 * Begin @node, whose properties start at @props. How its addresses are read is
 * what it is where the tree does not say (2.3.5).
 */
static void begin_node(const struct of_reader *reader, struct of_node *node, const char *name,
		       const u8 *props, enum of_kind kind)
{
	*node = (struct of_node){
		.name = name,
		.props = props,
		.address_cells = 2,
		.size_cells = 1,
		.children = OF_DEVICE,
	};
	if (kind == OF_RESERVED_MEMORY)
		node->children = OF_RESERVED_REGION;
	/* What is below a hart is of no use here, and there are many harts. */
	if (kind == OF_CPUS || node == reader->nodes + OF_MAX_DEPTH - 1)
		node->children = OF_SKIPPED;
}

/* Remember what is to be read later on: properties, or what is behind them. */
static __always_inline void note_special(enum of_kind kind, const u8 *props, const u8 *end)
{
	if (kind == OF_ALIASES)
		of.aliases = props;
#ifdef CONFIG_OF_CPUS
	if (kind == OF_CPUS)
		of.cpus = end;
#endif
}

/*
 * Read the properties of @node, which start at @end, one by one: it is the root,
 * or none of the devices, or somebody wants it, or it has children. Return: where
 * they end.
 */
static noinline const u8 *read_node(struct of_reader *reader, struct of_node *node,
				    const char *name, const u8 *end, enum of_kind kind,
				    const struct of_driver *driver)
{
	struct fdt_cursor prop = cursor_at(end);
	struct of_props props = {};

	begin_node(reader, node, name, end, kind);
	for (; fdt_next(&prop) == FDT_PROP; end = prop.next) {
		if (likely(kind >= OF_DEVICE))
			device_prop(node, &props, &prop, &reader->known);
		else
			special_prop(kind, prop.name, prop.value, prop.len);
	}
	note_special(kind, node->props, end);
	if (props.disabled)
		node->children = OF_SKIPPED;
	else if (node == reader->nodes)
		node->children = OF_BY_NAME; /* and it is on no bus */
	else if (props.is_memory || kind == OF_RESERVED_REGION)
		found_memory(node, &props, kind == OF_RESERVED_REGION);
	else if (driver)
		found_device(reader, node, &props, driver);
	return end;
}

/* --- the first look at a node ----------------------------------------------- */

/*
 * The properties by which a node is known. Their values must not be looked at
 * before it is known that they lie within the tree.
 */
struct of_look {
	const u8 *compatible, *device_type;
	unsigned long compatible_len, device_type_len; /* 0: there is none */
};

/*
 * The names that nearly every node has, as words of the tree, which are compared as
 * they are. A name may be there more than once, so that others are looked at.
 */
struct known_names {
	unsigned long compatible, reg;
};

#define NO_NAME (1UL << 32) /* more than a word */

/*
 * Go over the properties from @p on. Return: where they end, which may lie behind
 * the end of the tree, as the last of them then does.
 */
static __always_inline const u8 *look_at_props(struct of_look *look, const u8 *p,
					       struct known_names *known, const u8 *end)
{
	const u8 *last = end - 12; /* token, length and name */

	while (likely(p <= last)) {
		const u8 *prop = p + 4;
		unsigned long len, word;
		const char *name;

		if (unlikely(fdt_load_raw(p) != FDT_RAW(FDT_PROP))) {
			if (fdt_load_raw(p) != FDT_RAW(FDT_NOP))
				break;
			p += 4;
			continue;
		}
		len = fdt_load_len(prop);
		if (unlikely(len > FDT_MAX_SIZE))
			return end;
		word = fdt_load_raw(prop + 4);
		p += ALIGN(12 + len, 4);
		if (word == known->reg)
			continue;
		if (word != known->compatible) {
			unsigned long offset = fdt_load32(prop + 4);

			if (unlikely(offset >= of.tree.strings_size))
				return end;
			name = of.tree.strings + offset;
			if (name[0] == 'd' && text_equal(name, "device_type")) {
				look->device_type = prop + 8;
				look->device_type_len = len;
				continue;
			}
			if (unlikely(name[0] == 'r' && text_equal(name, "reg")))
				known->reg = word;
			if (name[0] != 'c' || !text_equal(name, "compatible"))
				continue;
			known->compatible = word;
		}
		look->compatible = prop + 8;
		look->compatible_len = len;
	}
	return p;
}

/* The list of names for which no driver was found last: devices often come in rows. */
struct known_list {
	const u8 *list;
	unsigned long len;
};

/* Both lists begin at words, and are filled up to such. */
static __always_inline bool same_list(const struct known_list *known, const u8 *list,
				      unsigned long len)
{
	const u8 *other = known->list, *end = list + len;

	if (len != known->len)
		return false;
	for (; list < end; list += 4, other += 4)
		if (fdt_load_raw(list) != fdt_load_raw(other))
			return false;
	return true;
}

/* The driver for a node that is compatible with @list, or NULL. */
static __always_inline const struct of_driver *look_for_driver(struct known_list *known,
							       const u8 *list, unsigned long len)
{
	const struct of_driver *driver;

	/* A list that is no text counts as none. */
	if (len < 2 || list[len - 1] || same_list(known, list, len))
		return NULL;
	driver = find_driver_in_list((const char *)list, len);
	if (!driver)
		*known = (struct known_list){ list, len };
	return driver;
}

static __always_inline bool looks_like_memory(const struct of_look *look)
{
	return look->device_type_len == sizeof("memory") &&
	       !memcmp(look->device_type, "memory", sizeof("memory"));
}

/* The root comes first. Return: where its properties end, or NULL if it is no node. */
static __always_inline const u8 *read_root(struct of_reader *reader)
{
	const u8 *p = of.tree.next, *end = of.tree.end, *props;

	while (p < end && fdt_load_raw(p) == FDT_RAW(FDT_NOP))
		p += 4;
	if (p >= end || fdt_load_raw(p) != FDT_RAW(FDT_BEGIN_NODE))
		return NULL;
	props = fdt_skip_name(p + 4, end);
	reader->known = (struct prop_names){};
	return props ? read_node(reader, reader->nodes, "", props, OF_DEVICE, NULL) : NULL;
}

/* Return: 0, or -EINVAL if it is no tree. */
static int read_tree(struct of_reader *reader)
{
	struct known_names known = { NO_NAME, NO_NAME };
	struct known_list driverless = {};
	struct of_node *node = reader->nodes;
	const u8 *p = read_root(reader), *end = of.tree.end;

	if (!p)
		return -EINVAL;
	while (likely(p < end)) {
		u32 raw = fdt_load_raw(p);

		p += 4;
		if (raw == FDT_RAW(FDT_BEGIN_NODE)) {
			const char *name = (const char *)p;
			enum of_kind kind = node->children;
			const struct of_driver *driver;
			struct of_look look = {};
			const u8 *start;

			start = p = fdt_skip_name(p, end);
			if (unlikely(!p))
				break;
			if (unlikely(kind != OF_DEVICE)) {
				if (kind == OF_BY_NAME)
					kind = top_level_kind(name);
				if (kind == OF_SKIPPED) {
					p = fdt_skip_node(p, end);
					if (!p)
						break;
					continue;
				}
				if (kind < OF_DEVICE) {
					p = read_node(reader, ++node, name, p, kind, NULL);
					continue;
				}
			}
			p = look_at_props(&look, p, &known, end);
			if (unlikely(p >= end))
				break;
			driver = look_for_driver(&driverless, look.compatible, look.compatible_len);
			if (likely(!driver && fdt_load_raw(p) == FDT_RAW(FDT_END_NODE) &&
				   kind != OF_RESERVED_REGION && !looks_like_memory(&look))) {
				p += 4; /* nobody wants it */
				continue;
			}
			read_node(reader, ++node, name, start, kind, driver);
		} else if (raw == FDT_RAW(FDT_END_NODE)) {
			if (node-- == reader->nodes)
				return 0;
		} else if (raw != FDT_RAW(FDT_NOP)) {
			break;
		}
	}
	return -EINVAL;
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
	struct of_reader reader;
	u64 base, bytes;
	unsigned int i;
	long size = map_tree(fdt);

	switch (fdt_open(&of.tree, blob, size)) {
	case 0:
		break;
	case -EOPNOTSUPP:
		bad_tree(fdt, "not version 17");
	default:
		bad_tree(fdt, "header describes blocks outside of it");
	}
	note_driver_lengths();
	if (read_tree(&reader))
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

u32 of_timebase_frequency(void)
{
	return of.timebase_frequency;
}

/* The path that the alias of @len bytes at @name stands for, or NULL. */
static const char *find_alias(const char *name, size_t len, size_t *path_len)
{
	struct fdt_cursor prop = cursor_at(of.aliases);

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
	struct fdt_cursor prop = cursor_at(of.cpus);
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
	*prop = cursor_at(props);
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
	struct fdt_cursor prop = cursor_at(of.cpus);
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
