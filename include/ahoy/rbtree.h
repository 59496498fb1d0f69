/* SPDX-License-Identifier: MIT */
/*
 * Red-black trees of nodes that lie inside their owners' structures. The tree
 * does not know what it is sorted by: who inserts finds the place.
 *
 *	struct rb_node **link = &tree->root, *parent = NULL;
 *
 *	while (*link) {
 *		parent = *link;
 *		link = key < key_of(parent) ? &parent->left : &parent->right;
 *	}
 *	rb_insert(tree, node, parent, link);
 *
 * A tree of n nodes is at most 2 log2(n + 1) deep. None of this allocates,
 * locks or fails. Context: any; the caller locks.
 */
#ifndef AHOY_RBTREE_H
#define AHOY_RBTREE_H

#include <ahoy/compiler.h>
#include <ahoy/types.h>

struct rb_node {
	struct rb_node *parent, *left, *right;
	bool red;
};

struct rb_tree {
	struct rb_node *root;
};

#define rb_entry(node, type, member) container_of(node, type, member)

/* Put @node below @parent (NULL: the tree is empty), at *@link, which is empty. */
void rb_insert(struct rb_tree *tree, struct rb_node *node, struct rb_node *parent,
	       struct rb_node **link);

/* Take @node out of the tree that it is in. */
void rb_erase(struct rb_tree *tree, struct rb_node *node);

/* The leftmost and rightmost node, or NULL if there is none. */
struct rb_node *rb_first(const struct rb_tree *tree);
struct rb_node *rb_last(const struct rb_tree *tree);

/* The node right and left of @node in order, or NULL at the end. */
struct rb_node *rb_next(const struct rb_node *node);
struct rb_node *rb_prev(const struct rb_node *node);

#endif
