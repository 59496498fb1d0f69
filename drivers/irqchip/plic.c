// SPDX-License-Identifier: MIT
/*
 * The platform-level interrupt controller (RISC-V PLIC Specification 1.0.0). Each
 * pair of a hart and a mode is a context of its own; the boot hart's in S-mode
 * is the one used here. Only pages of registers that concern it are mapped.
 */
#include <ahoy/compiler.h>
#include <ahoy/errno.h>
#include <ahoy/fdt.h>
#include <ahoy/irq.h>
#include <ahoy/memblock.h>
#include <ahoy/of.h>
#include <ahoy/printk.h>
#include <asm/io.h>
#include <asm/paging.h>

/* Chapter 3: the memory map */
#define ENABLE_BASE    0x2000
#define ENABLE_STEP    0x80
#define CONTEXT_BASE   0x200000
#define CONTEXT_STEP   0x1000
#define CONTEXT_CLAIM  4
#define CONTEXTS_MAX   15872
#define SOURCES_MAX    1023
#define PRIORITY_BYTES (4 * (SOURCES_MAX + 1))

/* In interrupts-extended, whose cells mean the hart's own controller */
#define S_MODE_EXTERNAL 9

static struct {
	phys_addr_t base;
	u64 size;
	const u8 *contexts; /* pairs of a hart's controller and its interrupt, 4 bytes each */
	u32 contexts_len;
	void __iomem *priority, *enable, *context;
} plic;

static void plic_enable(u32 number)
{
	void __iomem *word = plic.enable + number / 32 * 4;

	io_write32(1, plic.priority + 4 * number);
	io_write32(io_read32(word) | 1U << number % 32, word);
}

static void plic_disable(u32 number)
{
	void __iomem *word = plic.enable + number / 32 * 4;

	io_write32(io_read32(word) & ~(1U << number % 32), word);
	io_write32(0, plic.priority + 4 * number);
}

static u32 plic_claim(void)
{
	return io_read32(plic.context + CONTEXT_CLAIM);
}

static void plic_complete(u32 number)
{
	io_write32(number, plic.context + CONTEXT_CLAIM);
}

static int plic_init(unsigned long hartid);

static struct irqchip plic_chip = {
	.name = "plic",
	.init = plic_init,
	.enable = plic_enable,
	.disable = plic_disable,
	.claim = plic_claim,
	.complete = plic_complete,
};

/* The number of the context of hart @hartid in S-mode, or a negative errno. */
static long find_context(unsigned long hartid)
{
	u32 intc = of_hart_intc(hartid), at;

	for (at = 0; intc && at + 8 <= plic.contexts_len; at += 8)
		if (fdt_read32(plic.contexts + at) == intc &&
		    fdt_read32(plic.contexts + at + 4) == S_MODE_EXTERNAL)
			return at / 8 < CONTEXTS_MAX ? at / 8 : -EINVAL;
	return -ENOENT;
}

/* Map what context @context needs, and see that something is there. */
static int map_registers(unsigned long context)
{
	phys_addr_t enable = plic.base + ENABLE_BASE + context * ENABLE_STEP;
	phys_addr_t own = plic.base + CONTEXT_BASE + context * CONTEXT_STEP;
	u32 threshold;

	if (plic.base % CONTEXT_STEP || plic.size < own + CONTEXT_STEP - plic.base ||
	    memblock_overlaps_memory(plic.base, plic.size))
		return -EINVAL;
	plic.priority = fixmap_io(FIXMAP_PLIC_PRIORITY, plic.base, PRIORITY_BYTES);
	plic.enable = fixmap_io(FIXMAP_PLIC_ENABLE, enable, ENABLE_STEP);
	plic.context = fixmap_io(FIXMAP_PLIC_CONTEXT, own, CONTEXT_STEP);
	if (!plic.priority || !plic.enable || !plic.context)
		return -EINVAL;
	return io_probe_read32(plic.context, &threshold) ? -ENODEV : 0;
}

static int plic_init(unsigned long hartid)
{
	long context = find_context(hartid);
	u32 at;
	int err;

	if (context < 0) {
		pr_err("plic: 0x%llx: no context of hart %lu in S-mode; not used\n", plic.base,
		       hartid);
		return context;
	}
	err = map_registers(context);
	if (err) {
		pr_err("plic: registers at 0x%llx do not work: %pe; not used\n", plic.base,
		       (void *)(long)err);
		return err;
	}
	/* Firmware or a boot loader may have left some enabled. */
	for (at = 0; at <= plic_chip.sources / 32; at++)
		io_write32(0, plic.enable + 4 * at);
	io_write32(0, plic.context);
	return 0;
}

static u32 property_u32(const struct of_device *dev, const char *name)
{
	u32 len = 0;
	const u8 *value = of_property(dev, name, &len);

	return len == 4 ? fdt_read32(value) : 0;
}

static void plic_found(const struct of_device *dev)
{
	u32 sources = property_u32(dev, "riscv,ndev"), contexts_len = 0;
	const u8 *contexts = of_property(dev, "interrupts-extended", &contexts_len);
	const char *wrong = NULL;

	if (!dev->base)
		wrong = "reg";
	else if (property_u32(dev, "#interrupt-cells") != 1)
		wrong = "#interrupt-cells";
	else if (sources == 0 || sources > SOURCES_MAX)
		wrong = "riscv,ndev";
	else if (!contexts)
		wrong = "interrupts-extended";
	if (wrong) {
		pr_err("plic: 0x%llx: %s makes no sense; not used\n", dev->base, wrong);
		return;
	}
	if (!plic.base) {
		plic.base = dev->base;
		plic.size = dev->size;
		plic.contexts = contexts;
		plic.contexts_len = contexts_len;
		plic_chip.sources = sources;
		plic_chip.phandle = property_u32(dev, "phandle");
	}
	irqchip_register(&plic_chip);
}
OF_DRIVER(sifive_plic, "sifive,plic-1.0.0", plic_found);
OF_DRIVER(riscv_plic0, "riscv,plic0", plic_found);
