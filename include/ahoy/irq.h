/* SPDX-License-Identifier: MIT */
/*
 * Interrupts of devices: who handles which, and what a driver for an interrupt
 * controller provides. All of them go to the boot hart.
 */
#ifndef AHOY_IRQ_H
#define AHOY_IRQ_H

#include <ahoy/of.h>
#include <ahoy/types.h>

#ifdef CONFIG_IRQCHIP

/* A source of interrupts that somebody handles. */
struct irq {
	/*
	 * Called with interrupts masked, on the boot hart. It must not call
	 * request_irq() or free_irq(). Return: whether the device wanted
	 * something; if it wants nothing for long, its source is disabled.
	 */
	bool (*handler)(struct irq *irq);

	/* Under the lock of the list of handlers */
	struct irq *next;
	u32 number;
	u32 unhandled; /* how often in a row */
};

/*
 * Have @irq's handler called for the interrupts that the tree describes as
 * @source. @irq: the caller's, and stays where it is. Return: 0, -ENODEV if there is no
 * such controller, -EINVAL if it has no such source, -EBUSY if somebody has
 * it. Context: any but an interrupt, from init level late on.
 */
int request_irq(struct irq *irq, const struct of_irq *source);

/* Undo it. When this returns the handler does not run. Context: as request_irq(). */
void free_irq(struct irq *irq);

/* An interrupt controller. Its functions are called with interrupts masked. */
struct irqchip {
	const char *name;
	u32 phandle; /* as the tree's devices refer to it */
	u32 sources; /* numbers 1 to this are there */
	/*
	 * Get ready to interrupt hart @hartid, with all sources disabled. Return: 0, or
	 * a negative errno and a message.
	 */
	int (*init)(unsigned long hartid);
	void (*enable)(u32 number);
	void (*disable)(u32 number);
	/* Take the most urgent interrupt. Return: its number, 0 if there is none. */
	u32 (*claim)(void);
	/* What was taken has been handled; it may come again. */
	void (*complete)(u32 number);
};

/* There is a controller; of several, the first is used. Context: a driver's found(). */
void irqchip_register(const struct irqchip *chip);

/* request_irq() and free_irq() with a controller, and what it has to give: also for tests. */
int irqchip_request(const struct irqchip *chip, struct irq *irq, const struct of_irq *source);
void irqchip_free(const struct irqchip *chip, struct irq *irq);
/* Context: interrupts masked. */
void irqchip_handle(const struct irqchip *chip);

/* Begin to use it. @hartid: the boot hart. Context: boot, once, interrupts masked. */
void irq_init(unsigned long hartid);

#else

static inline void irq_init(unsigned long hartid)
{
}

#endif
#endif
