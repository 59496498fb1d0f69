/* SPDX-License-Identifier: MIT */
/*
 * Pages by number: a tree of nodes with 64 places each, as high as the largest
 * number wants. Context: any; the caller locks.
 */
#ifndef MM_PAGE_INDEX_H
#define MM_PAGE_INDEX_H

#include <ahoy/compiler.h>
#include <ahoy/types.h>

struct page;

/* All zero is an empty one. */
struct page_index {
	void *root;	     /* a page if the height is 0, else a node */
	unsigned int height; /* of nodes */
};

/* The page with number @number, or NULL. */
struct page *page_index_get(const struct page_index *index, u64 number);

/* Put @page where there is none. Return: 0, or -ENOMEM. */
int page_index_set(struct page_index *index, u64 number, struct page *page) __must_check;

/* Take out the first page with a number from @number on. Return: it, or NULL. */
struct page *page_index_take(struct page_index *index, u64 number);

#endif
