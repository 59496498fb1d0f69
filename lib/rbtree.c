// SPDX-License-Identifier: MIT
/*
 * Red-black trees: a red node has no red child, and every way from the root
 * down to a missing child passes the same number of black nodes. After each
 * change the two rules are restored by recolouring and at most three rotations.
 */
#include <ahoy/rbtree.h>

/* Have @new hang where @old hangs. */
static void replace_child(struct rb_tree *tree, struct rb_node *old, struct rb_node *new)
{
	struct rb_node *parent = old->parent;

	if (!parent)
		tree->root = new;
	else if (parent->left == old)
		parent->left = new;
	else
		parent->right = new;
	if (new)
		new->parent = parent;
}

/* @node's child on one side takes its place, and it becomes that one's child on the other. */
static void rotate_left(struct rb_tree *tree, struct rb_node *node)
{
	struct rb_node *child = node->right;

	node->right = child->left;
	if (node->right)
		node->right->parent = node;
	replace_child(tree, node, child);
	child->left = node;
	node->parent = child;
}

static void rotate_right(struct rb_tree *tree, struct rb_node *node)
{
	struct rb_node *child = node->left;

	node->left = child->right;
	if (node->left)
		node->left->parent = node;
	replace_child(tree, node, child);
	child->right = node;
	node->parent = child;
}

static bool is_red(const struct rb_node *node)
{
	return node && node->red;
}

void rb_insert(struct rb_tree *tree, struct rb_node *node, struct rb_node *parent,
	       struct rb_node **link)
{
	*node = (struct rb_node){ .parent = parent, .red = true };
	*link = node;
	/* A red parent is never the root: there is a grandparent. */
	while (is_red(parent)) {
		struct rb_node *above = parent->parent;
		bool left = above->left == parent;
		struct rb_node *uncle = left ? above->right : above->left;

		if (is_red(uncle)) {
			parent->red = uncle->red = false;
			above->red = true;
			node = above;
			parent = node->parent;
			continue;
		}
		if (node == (left ? parent->right : parent->left)) {
			/* From the inside to the outside, where the last rotation ends it */
			if (left)
				rotate_left(tree, parent);
			else
				rotate_right(tree, parent);
			parent = node;
		}
		parent->red = false;
		above->red = true;
		if (left)
			rotate_right(tree, above);
		else
			rotate_left(tree, above);
		break;
	}
	tree->root->red = false;
}

/* The ways through @node (which may be missing) below @parent have one black node too few. */
static void fix_missing_black(struct rb_tree *tree, struct rb_node *node, struct rb_node *parent)
{
	while (parent && !is_red(node)) {
		bool left = parent->left == node;
		/* It is there: the ways through it have a black node more. */
		struct rb_node *other = left ? parent->right : parent->left;
		struct rb_node *near, *far;

		if (other->red) {
			other->red = false;
			parent->red = true;
			if (left)
				rotate_left(tree, parent);
			else
				rotate_right(tree, parent);
			other = left ? parent->right : parent->left;
		}
		near = left ? other->left : other->right;
		far = left ? other->right : other->left;
		if (!is_red(near) && !is_red(far)) {
			other->red = true;
			node = parent;
			parent = node->parent;
			continue;
		}
		if (!is_red(far)) {
			near->red = false;
			other->red = true;
			if (left)
				rotate_right(tree, other);
			else
				rotate_left(tree, other);
			far = other;
			other = near;
		}
		other->red = parent->red;
		parent->red = far->red = false;
		if (left)
			rotate_left(tree, parent);
		else
			rotate_right(tree, parent);
		return;
	}
	if (node)
		node->red = false;
}

void rb_erase(struct rb_tree *tree, struct rb_node *node)
{
	struct rb_node *child, *parent;
	bool was_red = node->red;

	if (node->left && node->right) {
		/* Its successor, which has no left child, comes in its place. */
		struct rb_node *next = node->right;

		while (next->left)
			next = next->left;
		was_red = next->red;
		child = next->right;
		parent = next->parent;
		if (parent == node) {
			parent = next;
		} else {
			replace_child(tree, next, child);
			next->right = node->right;
			next->right->parent = next;
		}
		replace_child(tree, node, next);
		next->left = node->left;
		next->left->parent = next;
		next->red = node->red;
	} else {
		child = node->left ? node->left : node->right;
		parent = node->parent;
		replace_child(tree, node, child);
	}
	if (!was_red)
		fix_missing_black(tree, child, parent);
}

struct rb_node *rb_first(const struct rb_tree *tree)
{
	struct rb_node *node = tree->root;

	while (node && node->left)
		node = node->left;
	return node;
}

struct rb_node *rb_last(const struct rb_tree *tree)
{
	struct rb_node *node = tree->root;

	while (node && node->right)
		node = node->right;
	return node;
}

struct rb_node *rb_next(const struct rb_node *node)
{
	if (node->right)
		return rb_first(&(struct rb_tree){ node->right });
	while (node->parent && node->parent->right == node)
		node = node->parent;
	return node->parent;
}

struct rb_node *rb_prev(const struct rb_node *node)
{
	if (node->left)
		return rb_last(&(struct rb_tree){ node->left });
	while (node->parent && node->parent->left == node)
		node = node->parent;
	return node->parent;
}
