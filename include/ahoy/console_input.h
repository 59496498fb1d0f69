/* SPDX-License-Identifier: MIT */
/*
 * Input of the console: a queue between the interrupt that takes it from the
 * UART and one who reads.
 */
#ifndef AHOY_CONSOLE_INPUT_H
#define AHOY_CONSOLE_INPUT_H

#include <ahoy/types.h>

/*
 * Take up to @len bytes that have arrived. Return: how many, 0 if there are none.
 * Context: any, one reader at a time, no lock held.
 */
size_t console_read_nowait(void *buf, size_t len);

/*
 * The same, but wait for the first one, at most until @deadline (nanoseconds
 * as of time_now(); TIME_NEVER). Context: any thread, one reader at a time.
 */
size_t console_read(void *buf, size_t len, u64 deadline);

/* --- For the driver. Context of these: one at a time, unless they say so. ------- */

/*
 * Input will come. @resume: called by a reader, when there is room again after
 * console_input_room() has said no.
 */
void console_input_start(void (*resume)(void));

/* Is there room for a byte? If not, resume() will be called. */
bool console_input_room(void);

/* @byte has arrived, and console_input_room() was true. */
void console_input_put(u8 byte);

/*
 * Wake the reader if bytes were put since the last time. Return: whether there
 * were any. Context: any, no lock of the console or its driver held.
 */
bool console_input_wake(void);

#endif
