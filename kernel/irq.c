// SPDX-License-Identifier: MIT
/* Interrupts of devices, from the controller to who handles them. */
#include <ahoy/errno.h>
#include <ahoy/interrupt.h>
#include <ahoy/irq.h>
#include <ahoy/printk.h>
#include <ahoy/spinlock.h>

/* A device that interrupts so often and wants nothing is broken, or not the one it is taken for. */
#define UNHANDLED_MAX 1000

static const struct irqchip *root; /* the one that interrupts the hart */
static struct irq *handlers;
/* Held while a handler runs, so that none is taken away from under it. */
static struct spinlock lock;

void irqchip_register(const struct irqchip *found)
{
	if (root)
		pr_notice("%s: there is one already; this one is not used\n", found->name);
	else
		root = found;
}

void irq_init(unsigned long hartid)
{
	if (root && root->init(hartid))
		root = NULL;
	if (root)
		local_irq_accept_devices();
}

static struct irq *find_handler(u32 number)
{
	struct irq *irq;

	for (irq = handlers; irq; irq = irq->next)
		if (irq->number == number)
			return irq;
	return NULL;
}

int irqchip_request(const struct irqchip *chip, struct irq *irq, const struct of_irq *source)
{
	unsigned long flags;
	int err = 0;

	if (chip->phandle != source->parent)
		return -ENODEV;
	if (source->number == 0 || source->number > chip->sources)
		return -EINVAL;
	flags = spin_lock(&lock);
	if (find_handler(source->number)) {
		err = -EBUSY;
	} else {
		irq->number = source->number;
		irq->unhandled = 0;
		irq->next = handlers;
		handlers = irq;
		chip->enable(irq->number);
	}
	spin_unlock(&lock, flags);
	return err;
}

int request_irq(struct irq *irq, const struct of_irq *source)
{
	return root ? irqchip_request(root, irq, source) : -ENODEV;
}

void irqchip_free(const struct irqchip *chip, struct irq *irq)
{
	unsigned long flags = spin_lock(&lock);
	struct irq **link = &handlers;

	chip->disable(irq->number);
	while (*link != irq)
		link = &(*link)->next;
	*link = irq->next;
	spin_unlock(&lock, flags);
}

void free_irq(struct irq *irq)
{
	irqchip_free(root, irq);
}

/* Return: what is wrong with interrupt @number, or NULL. */
static const char *handle(u32 number)
{
	struct irq *irq = find_handler(number);

	if (!irq)
		return "comes from nowhere";
	if (irq->handler(irq))
		irq->unhandled = 0;
	else if (++irq->unhandled == UNHANDLED_MAX)
		return "is wanted by nobody";
	return NULL;
}

void irqchip_handle(const struct irqchip *chip)
{
	const char *wrong;
	u32 number;

	while ((number = chip->claim())) {
		spin_lock_masked(&lock);
		wrong = handle(number);
		/* First: the controller ignores completion of what is disabled. */
		chip->complete(number);
		if (wrong)
			chip->disable(number);
		spin_unlock_masked(&lock);
		if (wrong)
			pr_err("%s: interrupt %u %s; disabled\n", chip->name, number, wrong);
	}
}

void device_interrupt(void)
{
	irqchip_handle(root);
}
