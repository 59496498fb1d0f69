/* SPDX-License-Identifier: MIT */
/*
 * User memory: address spaces and what they map.
 *
 * A memory object is a row of pages: the contents of a file, memory that
 * processes share, an image that lies in RAM already. A mapping shows a part of
 * one, or of nothing but zeroes, at an address. Pages get there when they are
 * first accessed; a private mapping gets a copy of its own when one is first
 * written.
 *
 * Addresses, sizes and offsets are in bytes, those of mappings multiples of
 * PAGE_SIZE. User memory is between PAGE_SIZE and user_end. What fails leaves
 * everything as it was. Context, where nothing else is said: any thread, no
 * spinlock; it sleeps.
 */
#ifndef AHOY_ADDRESS_SPACE_H
#define AHOY_ADDRESS_SPACE_H

#include <ahoy/compiler.h>
#include <ahoy/core.h> /* what everybody may do with them */
#include <ahoy/fault.h>
#include <ahoy/types.h>
#include <asm/user_paging.h>

#ifdef CONFIG_ADDRESS_SPACES

/*
 * An object that is the RAM at @pa, in the linear map, which nobody uses for
 * anything else as long as it lives; both are multiples of PAGE_SIZE. Return:
 * as memory_object_create().
 */
struct memory_object *memory_object_create_fixed(phys_addr_t pa, u64 size);

/*
 * The same of the @size bytes at @image, in the linear map, of any alignment:
 * its pages are those of the image where they are aligned and hold nothing else,
 * and copies of them elsewhere.
 */
struct memory_object *memory_object_create_image(const void *image, u64 size);

/* Have another hold on @space, which address_space_destroy() gives up. Context: any. */
void address_space_hold(struct address_space *space);

/* For the scheduler: this hart goes on with a thread in @space. Context: interrupts masked. */
void address_space_load(struct address_space *space);

#endif

#endif
