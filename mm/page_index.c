// SPDX-License-Identifier: MIT
#include "page_index.h"
#include <ahoy/errno.h>
#include <ahoy/slab.h>

#define NODE_SHIFT 6
#define PLACES	   (1U << NODE_SHIFT)

struct node {
	void *places[PLACES];
};

/* How far the numbers of a node's places are apart, as a power of two. */
static unsigned int shift_of(unsigned int height)
{
	return (height - 1) * NODE_SHIFT;
}

static bool fits(const struct page_index *index, u64 number)
{
	return number >> index->height * NODE_SHIFT == 0;
}

struct page *page_index_get(const struct page_index *index, u64 number)
{
	void *at = index->root;
	unsigned int height;

	if (!fits(index, number))
		return NULL;
	for (height = index->height; height && at; height--)
		at = ((struct node *)at)->places[number >> shift_of(height) & (PLACES - 1)];
	return at;
}

int page_index_set(struct page_index *index, u64 number, struct page *page)
{
	void **place = &index->root;
	unsigned int height;

	while (!fits(index, number)) {
		struct node *node;

		if (index->root) {
			node = kzalloc(sizeof(*node));
			if (!node)
				return -ENOMEM;
			node->places[0] = index->root;
			index->root = node;
		}
		index->height++;
	}
	for (height = index->height; height; height--) {
		if (!*place) {
			*place = kzalloc(sizeof(struct node));
			if (!*place)
				return -ENOMEM;
		}
		place = &((struct node *)*place)->places[number >> shift_of(height) & (PLACES - 1)];
	}
	*place = page;
	return 0;
}

static bool is_empty(const struct node *node)
{
	unsigned int i;

	for (i = 0; i < PLACES; i++)
		if (node->places[i])
			return false;
	return true;
}

/* The first page at or behind @number below @place, which is a node of @height, or a page. */
static struct page *take(void **place, unsigned int height, u64 number)
{
	struct node *node = *place;
	struct page *page = NULL;
	unsigned int i;

	if (!*place)
		return NULL;
	if (!height) {
		page = *place;
		*place = NULL;
		return page;
	}
	for (i = (unsigned int)(number >> shift_of(height)); i < PLACES && !page; i++) {
		page = take(&node->places[i], height - 1,
			    number & ((1ULL << shift_of(height)) - 1));
		number = 0;
	}
	/* Also where there never was a page, for want of memory. */
	if (is_empty(node)) {
		kfree(node);
		*place = NULL;
	}
	return page;
}

struct page *page_index_take(struct page_index *index, u64 number)
{
	if (!fits(index, number))
		return NULL;
	return take(&index->root, index->height, number);
}
