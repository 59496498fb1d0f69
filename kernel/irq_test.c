// SPDX-License-Identifier: MIT
#include <ahoy/errno.h>
#include <ahoy/irq.h>
#include <ahoy/ktest.h>
#include <asm/irqflags.h>

#define SOURCES 40
/* More than any device may interrupt for nothing */
#define STORM 10000

/* A controller that has @pending interrupts of one source left to give. */
static u32 number, pending, claimed, disabled, order_errors;
static bool enabled[SOURCES + 1];

static void enable(u32 source)
{
	enabled[source] = true;
}

static void disable(u32 source)
{
	enabled[source] = false;
	disabled++;
	/* What is disabled cannot be completed. */
	order_errors += claimed == source;
}

static u32 claim(void)
{
	if (!pending || !enabled[number])
		return 0;
	pending--;
	claimed = number;
	return number;
}

static void complete(u32 source)
{
	order_errors += claimed != source;
	claimed = 0;
}

static const struct irqchip fake = {
	.name = "test",
	.phandle = 7,
	.sources = SOURCES,
	.enable = enable,
	.disable = disable,
	.claim = claim,
	.complete = complete,
};

static u32 handled;
static bool wants;

static bool handle(struct irq *irq)
{
	handled++;
	return wants;
}

/* Deliver @count interrupts of @source. */
static void deliver(u32 source, u32 count)
{
	unsigned long flags = local_irq_save();

	number = source;
	pending = count;
	handled = disabled = 0;
	irqchip_handle(&fake);
	local_irq_restore(flags);
}

static int request(struct irq *irq, u32 parent, u32 source)
{
	const struct of_irq of_irq = { .parent = parent, .number = source };

	return irqchip_request(&fake, irq, &of_irq);
}

KTEST(irq, requests)
{
	static struct irq irq = { .handler = handle }, other = { .handler = handle };

	KTEST_EXPECT(request(&irq, 8, SOURCES) == -ENODEV);
	KTEST_EXPECT(request(&irq, 7, 0) == -EINVAL);
	KTEST_EXPECT(request(&irq, 7, SOURCES + 1) == -EINVAL);
	KTEST_ASSERT(request(&irq, 7, SOURCES) == 0);
	KTEST_EXPECT(enabled[SOURCES]);
	KTEST_EXPECT(request(&other, 7, SOURCES) == -EBUSY);
	wants = true;
	deliver(SOURCES, 3 * STORM);
	KTEST_EXPECT(handled == 3 * STORM && !disabled && !pending);
	irqchip_free(&fake, &irq);
	KTEST_EXPECT(!enabled[SOURCES]);
	KTEST_EXPECT(order_errors == 0);
}

/* One that nobody has asked for is switched off at once, one that is for nothing before long. */
KTEST(irq, storms)
{
	static struct irq irq = { .handler = handle };

	enable(SOURCES - 1);
	deliver(SOURCES - 1, STORM);
	KTEST_EXPECT(!enabled[SOURCES - 1] && disabled == 1 && pending == STORM - 1);
	KTEST_ASSERT(request(&irq, 7, SOURCES) == 0);
	wants = false;
	deliver(SOURCES, STORM);
	KTEST_EXPECT(!enabled[SOURCES] && disabled == 1 && pending);
	KTEST_EXPECT(handled < STORM);
	irqchip_free(&fake, &irq);
	KTEST_EXPECT(order_errors == 0);
}
