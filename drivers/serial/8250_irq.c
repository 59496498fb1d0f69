// SPDX-License-Identifier: MIT
/*
 * The 8250 with interrupts: a queue of output, and input as it arrives. Registers
 * and both queues' UART sides are under one lock, so that whoever has it, an
 * interrupt or who writes to a full queue, may do what the UART wants.
 */
#include <ahoy/compiler.h>
#include <ahoy/console_input.h>
#include <ahoy/init.h>
#include <ahoy/irq.h>
#include <ahoy/printk.h>
#include <ahoy/ring.h>
#include <ahoy/section.h>
#include <ahoy/smp.h>
#include <ahoy/spinlock.h>
#include <asm/barrier.h>

#include "8250.h"

#define FIFO_BYTES 16
/* Bytes taken at a time: a line that is broken may deliver for ever. */
#define RX_BURST 256
/* How long the first interrupt may take, in looks */
#define FIRST_LOOKS 1000000

static const struct uart8250 *uart;
static struct of_irq source;
static bool queued;  /* output goes through the queue */
static bool arrived; /* an interrupt, at all */

static struct spinlock lock;
static u32 holder; /* of the lock: its hart's index + 1 */
/* Under the lock */
static u8 tx_bytes[4096] __noinit;
static struct ring tx = RING_INIT(tx_bytes);
static u8 ier;
static u8 fifo_bytes;	/* that fit when the transmitter is empty */
static bool reader_due; /* input was taken, and the reader was not woken yet */
static u32 overruns, line_errors;

static unsigned long port_lock(void)
{
	unsigned long flags = spin_lock(&lock);

	WRITE_ONCE(holder, this_hart() + 1);
	/* Either uart8250_irq_poll() sees this, or what follows sees that it came. */
	mb();
	return flags;
}

static void port_unlock(unsigned long flags)
{
	store_release(&holder, 0);
	spin_unlock(&lock, flags);
}

static void set_ier(u8 value)
{
	if (ier == value)
		return;
	ier = value;
	uart8250_write(uart, UART8250_IER, value);
}

/* Read the line status. Errors are counted here, since reading forgets them. */
static u32 line_status(void)
{
	u32 lsr = uart8250_read(uart, UART8250_LSR);

	overruns += !!(lsr & UART8250_LSR_OE);
	line_errors += !!(lsr & UART8250_LSR_ERRORS);
	return lsr;
}

/* Take what has arrived. Return: the line status. */
static u32 receive(void)
{
	u32 lsr = line_status();
	unsigned int left;

	/* While the reader's queue is full, data stays in the FIFO: the other end waits, or not. */
	for (left = RX_BURST; left && lsr & UART8250_LSR_DR && ier & UART8250_IER_RDI; left--) {
		if (!console_input_room()) {
			set_ier(ier & ~UART8250_IER_RDI);
			break;
		}
		if (lsr & UART8250_LSR_BI)
			uart8250_read(uart, UART8250_RBR);
		else
			console_input_put(uart8250_read(uart, UART8250_RBR));
		reader_due = true;
		lsr = line_status();
	}
	return lsr;
}

/* Fill the FIFO if it is empty. @lsr: the line status. Return: whether it was. */
static bool transmit(u32 lsr)
{
	u8 bytes[FIFO_BYTES];
	u32 count, i;

	if (!(lsr & UART8250_LSR_THRE))
		return false;
	count = ring_get(&tx, bytes, fifo_bytes);
	for (i = 0; i < count; i++)
		uart8250_tx(uart, bytes[i]);
	return true;
}

/* Do what the UART wants. Return: whether it could take output. */
static bool service(void)
{
	return transmit(receive());
}

/*
 * Want an interrupt for room in the FIFO if there is something to put there, or
 * if the reader has yet to be woken, which only the interrupt can do: who
 * prints may hold any lock.
 */
static void want_interrupt(void)
{
	set_ier(ring_count(&tx) || reader_due ? ier | UART8250_IER_THRI : ier & ~UART8250_IER_THRI);
}

/* Tell the first error, the second, the fourth and so on. */
static void report_errors(u32 lost, u32 bad)
{
	static u32 lost_told, bad_told;

	if (lost > 2 * lost_told) {
		lost_told = lost;
		pr_warn("ttyS: input was lost %u times\n", lost);
	}
	if (bad > 2 * bad_told) {
		bad_told = bad;
		pr_warn("ttyS: %u bytes of input with errors\n", bad);
	}
}

static bool uart8250_interrupt(struct irq *irq)
{
	unsigned long flags = port_lock();
	bool wanted = false;
	u32 lost, bad;

	WRITE_ONCE(arrived, true);
	if (READ_ONCE(queued)) {
		wanted = !(uart8250_read(uart, UART8250_IIR) & UART8250_IIR_NONE);
		service();
		reader_due = false;
		want_interrupt();
	}
	lost = overruns;
	bad = line_errors;
	port_unlock(flags);
	if (console_input_wake())
		wanted = true;
	report_errors(lost, bad);
	return wanted;
}

bool uart8250_irq_begin(unsigned long *flags)
{
	if (!READ_ONCE(queued))
		return false;
	*flags = port_lock();
	if (likely(READ_ONCE(queued)))
		return true;
	port_unlock(*flags);
	return false;
}

bool uart8250_irq_put(u8 c)
{
	unsigned int polls;

	if (likely(ring_put(&tx, c)))
		return true;
	for (polls = TX_POLLS; polls; polls--)
		if (service())
			return ring_put(&tx, c);
	return false;
}

void uart8250_irq_end(unsigned long flags)
{
	service();
	want_interrupt();
	port_unlock(flags);
}

void uart8250_irq_flush(void)
{
	unsigned int polls;
	unsigned long flags;

	/* The lock is given back in between, so that interrupts are not kept waiting. */
	for (polls = TX_POLLS; polls && ring_count(&tx) && READ_ONCE(queued); polls--) {
		flags = port_lock();
		if (READ_ONCE(queued)) {
			if (service())
				polls = TX_POLLS;
			want_interrupt();
		}
		port_unlock(flags);
	}
}

/* Wait until no other hart has the lock, or for long: it may have failed with it. */
static void wait_for_holder(void)
{
	u32 own = this_hart() + 1, other;
	unsigned int looks;

	for (looks = TX_POLLS; looks; looks--) {
		other = load_acquire(&holder);
		if (!other || other == own)
			break;
	}
}

void uart8250_irq_poll(void)
{
	unsigned long flags = local_irq_save();
	unsigned int polls = TX_POLLS;

	if (READ_ONCE(queued)) {
		WRITE_ONCE(queued, false);
		mb();
		wait_for_holder();
		set_ier(0);
		while (ring_count(&tx) && polls--)
			if (transmit(line_status()))
				polls = TX_POLLS;
	}
	local_irq_restore(flags);
}

/* A reader has made room. */
static void uart8250_resume_input(void)
{
	unsigned long flags = port_lock();

	if (READ_ONCE(queued))
		set_ier(ier | UART8250_IER_RDI);
	port_unlock(flags);
}

#ifdef CONFIG_KTEST
void uart8250_irq_set_loop(bool on)
{
	unsigned long flags = port_lock();
	u8 loop = on ? UART8250_MCR_LOOP : 0;

	uart8250_write(uart, UART8250_MCR, UART8250_MCR_DTR_RTS | UART8250_MCR_OUT2 | loop);
	port_unlock(flags);
}
#endif

void uart8250_irq_port(const struct uart8250 *console_uart, const struct uart_port *port)
{
	uart = console_uart;
	source = port->irq;
}

/* Begin, with an interrupt for room, which comes at once if any does. */
static void start(void)
{
	unsigned long flags = port_lock();

	uart8250_write(uart, UART8250_MCR, UART8250_MCR_DTR_RTS | UART8250_MCR_OUT2);
	uart8250_write(uart, UART8250_FCR, UART8250_FCR_ENABLE_HALF);
	fifo_bytes = (uart8250_read(uart, UART8250_IIR) & UART8250_IIR_FIFO) == UART8250_IIR_FIFO
			     ? FIFO_BYTES
			     : 1;
	WRITE_ONCE(queued, true);
	set_ier(UART8250_IER_RDI | UART8250_IER_THRI);
	port_unlock(flags);
}

static void uart8250_irq_init(void)
{
	static struct irq irq = { .handler = uart8250_interrupt };
	unsigned int looks;
	int err;

	/* Some other console, or none that the tree gives an interrupt. */
	if (!source.number)
		return;
	err = request_irq(&irq, &source);
	if (err) {
		pr_err("ttyS: interrupt %u: %pe; polled\n", source.number, (void *)(long)err);
		return;
	}
	console_input_start(uart8250_resume_input);
	start();
	for (looks = FIRST_LOOKS; looks && !READ_ONCE(arrived); looks--)
		;
	if (!READ_ONCE(arrived)) {
		console_poll();
		free_irq(&irq);
		pr_err("ttyS: interrupt %u does not come; polled\n", source.number);
	}
}
INIT(late, uart8250_irq_init);
