/* SPDX-License-Identifier: MIT */
/*
 * Circular doubly linked lists, whose links lie inside their owners'
 * structures. A list is a link of its own, which is not an element.
 */
#ifndef AHOY_LIST_H
#define AHOY_LIST_H

#include <ahoy/compiler.h>
#include <ahoy/types.h>

struct list_head {
	struct list_head *next, *prev;
};

#define LIST_HEAD_INIT(name)                                                                       \
	{                                                                                          \
		.next = &(name), .prev = &(name)                                                   \
	}

static __always_inline void list_init(struct list_head *list)
{
	list->next = list->prev = list;
}

static __always_inline bool list_empty(const struct list_head *list)
{
	return list->next == list;
}

/* Put @entry between two neighbours. */
static __always_inline void list_insert(struct list_head *entry, struct list_head *prev,
					struct list_head *next)
{
	entry->prev = prev;
	entry->next = next;
	prev->next = entry;
	next->prev = entry;
}

/* Make @entry the first or the last element. */
static __always_inline void list_add(struct list_head *entry, struct list_head *list)
{
	list_insert(entry, list, list->next);
}

static __always_inline void list_add_tail(struct list_head *entry, struct list_head *list)
{
	list_insert(entry, list->prev, list);
}

/* Take @entry out of its list; its links lead nowhere then. */
static __always_inline void list_del(struct list_head *entry)
{
	entry->prev->next = entry->next;
	entry->next->prev = entry->prev;
}

#define list_entry(ptr, type, member) container_of(ptr, type, member)

#define list_first_entry(list, type, member) list_entry((list)->next, type, member)

/* Each element, which may be taken out and freed meanwhile. */
#define list_for_each_entry_safe(pos, n, list, member)                                             \
	for ((pos) = list_entry((list)->next, __typeof__(*(pos)), member),                         \
	    (n) = list_entry((pos)->member.next, __typeof__(*(pos)), member);                      \
	     &(pos)->member != (list);                                                             \
	     (pos) = (n), (n) = list_entry((n)->member.next, __typeof__(*(n)), member))

#endif
