/* SPDX-License-Identifier: MIT */
/* The device tree, read once at start (Devicetree Specification 0.4). */
#ifndef AHOY_OF_H
#define AHOY_OF_H

#include <ahoy/section.h>
#include <ahoy/types.h>

#ifdef CONFIG_OF

/* What the reader collects of a device's node. Pointers lead into the tree. */
struct of_device {
	const char *compatible; /* list of strings, each with its zero */
	u32 compatible_len;
	phys_addr_t base; /* first range of reg, as the processor sees it; 0: none */
	u64 size;
	u32 clock_frequency; /* Hz, 0 if not given */
	u32 current_speed;   /* bits per second, 0 if not given */
	u32 reg_shift;
	u32 reg_io_width;		   /* bytes, 0 if not given */
	const struct of_node *node, *root; /* for what is asked of it */
};

struct of_driver {
	/* In the row itself: each node is compared with each row. */
	char compatible[23];
	u8 len;
	/* Called for each node that matches, in the order of the tree. */
	void (*found)(const struct of_device *dev);
};

/* Call @fn for each available node that is compatible with @compat. */
#define OF_DRIVER(id, compat, fn)                                                                  \
	LINKER_TABLE_ROW(struct of_driver, of_driver, 5, id) = {                                   \
		.compatible = (compat),                                                            \
		.len = sizeof(compat) - 1,                                                         \
		.found = (fn),                                                                     \
	}

/*
 * Read the tree at physical address @fdt, as firmware passed it: nothing about
 * it is trusted. Panics, naming the reason, if it cannot be used.
 * Context: boot, once.
 */
void of_init(phys_addr_t fdt);

/* The hash of the path of @dev's node, see of_stdout(). Context: the driver's found(). */
u64 of_path(const struct of_device *dev);

/* /chosen/bootargs, or NULL; @*len: its bytes without the zero. */
const char *of_bootargs(size_t *len);

#ifdef CONFIG_USERSPACE
/* /chosen/rng-seed, and its bytes in *@len; NULL if there is none. */
const u8 *of_rng_seed(size_t *len);
#endif

/*
 * What /chosen/stdout-path names, aliases resolved. Return: the hash of the
 * node's path, to be compared with a device's, or 0 if there is none; *@baud:
 * the rate in its options, 0 if none.
 */
u64 of_stdout(u32 *baud);

/* Frequency of the time counter in Hz, 0 if the tree does not say. */
u32 of_timebase_frequency(void);
#define timebase_frequency() of_timebase_frequency()

#ifdef CONFIG_BLK_DEV_INITRD
/* Where the archive is that the boot loader has passed. Return: false if it has not. */
bool of_initrd(phys_addr_t *start, size_t *size);
#endif

/*
 * The hart with the smallest number from *@id on that the tree says can be
 * used. Return: true and its number in *@id, or false if there is none.
 */
bool of_next_hart(unsigned long *id);

#ifdef CONFIG_OF_IRQ
/* A device's interrupt: which source of which controller. */
struct of_irq {
	u32 parent; /* phandle of the controller */
	u32 number; /* 0: none */
};

/*
 * The value of property @name of @dev's node, 4-byte aligned, or NULL; @*len:
 * its bytes. Context: the driver's found().
 */
const u8 *of_property(const struct of_device *dev, const char *name, u32 *len);

/*
 * The first interrupt of @dev (Devicetree Specification 0.4, 2.4): of a
 * controller that takes one cell. Return: it, or { 0, 0 } if
 * the tree names none. Context: as of_property().
 */
struct of_irq of_irq(const struct of_device *dev);

/*
 * The phandle of the interrupt controller within hart @hart, or 0.
 * Context: boot, after of_init().
 */
u32 of_hart_intc(unsigned long hart);
#endif

#else

static inline void of_init(phys_addr_t fdt)
{
}

static inline const char *of_bootargs(size_t *len)
{
	*len = 0;
	return NULL;
}

static inline const u8 *of_rng_seed(size_t *len)
{
	*len = 0;
	return NULL;
}

#define timebase_frequency() CONFIG_PLATFORM_TIMEBASE

#endif
#endif
