/* SPDX-License-Identifier: MIT */
/* Between the 8250 console and its interrupts. */
#ifndef DRIVERS_SERIAL_8250_H
#define DRIVERS_SERIAL_8250_H

#include <ahoy/console.h>
#include <ahoy/of.h>
#include <ahoy/types.h>
#include <ahoy/uart8250.h>

struct of_device;

/*
 * Reads of the status register until a character must be out. At 300 baud one
 * takes 33 ms; a device register takes at least some tens of nanoseconds.
 */
#define TX_POLLS 10000000

#ifdef CONFIG_SERIAL_8250_IRQ
/* Note in @port which interrupt the tree gives @dev. Context: found(). */
static inline void uart8250_irq_found(const struct of_device *dev, struct uart_port *port)
{
	port->irq = of_irq(dev);
}

/* @uart, at @port, is the console, and works. Context: boot. */
void uart8250_irq_port(const struct uart8250 *uart, const struct uart_port *port);

/*
 * Begin to write to the queue. Return: false if the UART is polled; else
 * uart8250_irq_put() and then uart8250_irq_end(@*flags) may be called, with
 * interrupts masked in between.
 */
bool uart8250_irq_begin(unsigned long *flags);

/* Queue @c, waiting for room. Return: false if the UART does not take anything. */
bool uart8250_irq_put(u8 c);

void uart8250_irq_end(unsigned long flags);

/* Wait until the queue is empty. Context: any. */
void uart8250_irq_flush(void);

/* As console_poll(). */
void uart8250_irq_poll(void);

/* Whether what is sent comes back instead of leaving the UART. For tests. */
void uart8250_irq_set_loop(bool on);
#else
static inline void uart8250_irq_found(const struct of_device *dev, struct uart_port *port)
{
}

static inline void uart8250_irq_port(const struct uart8250 *uart, const struct uart_port *port)
{
}

static inline bool uart8250_irq_begin(unsigned long *flags)
{
	*flags = 0;
	return false;
}

static inline bool uart8250_irq_put(u8 c)
{
	return false;
}

static inline void uart8250_irq_end(unsigned long flags)
{
}

static inline void uart8250_irq_flush(void)
{
}
#endif
#endif
