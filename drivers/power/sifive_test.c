// SPDX-License-Identifier: MIT
/* SiFive's test device, where the device tree says: a write ends the machine. */
#include <ahoy/of.h>
#include <ahoy/power.h>

static phys_addr_t test_base;

void sifive_test_write(u32 code)
{
	void __iomem *reg;

	if (!test_base)
		return;
	reg = fixmap_io(FIXMAP_TEST, test_base, sizeof(u32));
	if (reg)
		io_write32(code, reg);
}

static void sifive_test_found(const struct of_device *dev)
{
	test_base = dev->base;
}
OF_DRIVER(sifive_test0, "sifive,test0", sifive_test_found);
