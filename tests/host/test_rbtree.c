// SPDX-License-Identifier: MIT
/* Trees against a plain array, with the rules checked after each change. */
#include "lib.h"

#include <cmocka.h>

#include <ahoy/rbtree.h>

enum {
	ITEMS = 200
};

struct item {
	struct rb_node node;
	unsigned int key;
	bool in;
};

static struct item items[ITEMS];
static struct rb_tree tree;
static uint64_t seed = 1;

static unsigned int random_below(unsigned int bound)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned int)(seed >> 33) % bound;
}

static unsigned int key_of(const struct rb_node *node)
{
	return ((const struct item *)node)->key;
}

static void insert(struct item *item)
{
	struct rb_node **link = &tree.root, *parent = NULL;

	while (*link) {
		parent = *link;
		link = item->key < key_of(parent) ? &parent->left : &parent->right;
	}
	rb_insert(&tree, &item->node, parent, link);
	item->in = true;
}

/* Return: how many black nodes each way down from @node passes. */
static unsigned int check_rules(const struct rb_node *node, const struct rb_node *parent)
{
	unsigned int left, right;

	if (!node)
		return 0;
	assert_ptr_equal(node->parent, parent);
	if (node->red) {
		assert_non_null(parent);
		assert_false(parent->red);
	}
	left = check_rules(node->left, node);
	right = check_rules(node->right, node);
	assert_int_equal(left, right);
	return left + !node->red;
}

static void check_order(void)
{
	unsigned int count = 0, expected = 0, last = 0;
	const struct rb_node *node, *before = NULL;

	for (node = rb_first(&tree); node; before = node, node = rb_next(node)) {
		assert_true(key_of(node) >= last);
		assert_ptr_equal(rb_prev(node), before);
		assert_true(((const struct item *)node)->in);
		last = key_of(node);
		count++;
	}
	assert_ptr_equal(rb_last(&tree), before);
	for (int i = 0; i < ITEMS; i++)
		expected += items[i].in;
	assert_int_equal(count, expected);
}

/* Keys from a small range: equal ones are frequent. */
static void test_tree(void **state)
{
	(void)state;
	for (int i = 0; i < 20000; i++) {
		/* Now mostly growing, now mostly shrinking */
		struct item *item = &items[random_below(i / 1000 % 2 ? ITEMS : ITEMS / 8)];

		if (item->in) {
			rb_erase(&tree, &item->node);
			item->in = false;
		} else {
			item->key = random_below(100);
			insert(item);
		}
		check_rules(tree.root, NULL);
		check_order();
	}
	for (int i = 0; i < ITEMS; i++)
		if (items[i].in) {
			rb_erase(&tree, &items[i].node);
			items[i].in = false;
			check_rules(tree.root, NULL);
		}
	assert_null(tree.root);
	assert_null(rb_first(&tree));
	assert_null(rb_last(&tree));
}

/* In rising order, the worst case of a plain tree */
static void test_depth(void **state)
{
	enum {
		MANY = 1 << 16
	};
	struct item *many = calloc(MANY, sizeof(*many));
	unsigned int deepest = 0;

	(void)state;
	for (unsigned int i = 0; i < MANY; i++) {
		many[i].key = i;
		insert(&many[i]);
	}
	for (unsigned int i = 0; i < MANY; i++) {
		unsigned int depth = 0;

		for (const struct rb_node *node = &many[i].node; node; node = node->parent)
			depth++;
		deepest = depth > deepest ? depth : deepest;
	}
	assert_true(deepest <= 2 * 17);
	tree.root = NULL;
	free(many);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tree),
		cmocka_unit_test(test_depth),
	};

	return cmocka_run_group_tests_name("rbtree", tests, NULL, NULL);
}
