// SPDX-License-Identifier: MIT
/*
 * Pages and heap objects of several harts, each played by a thread of the host,
 * under the thread sanitizer. They go from hart to hart by shelves, and now and
 * then all memory is taken. Prints TAP.
 */
#include "lib.h"

#include <pthread.h>

#include "../../mm/page_alloc.c"

#include "../../mm/slab.c"

enum {
	SHELVES = 32,
	ROUNDS = 40000
};
#define SPAN (8UL << 20)

/* Who takes an item off its shelf has it alone. */
struct item {
	size_t size;
	unsigned int order; /* of the page block, if it is one */
	bool is_block;
	u64 check; /* of the other fields */
};

static struct item *shelves[SHELVES];
static unsigned int damaged, refused;

__thread struct thread *host_current;

/* What the sanitizer calls for volatile accesses, which the kernel means to be atomic. */
#define VOLATILE(n)                                                                                \
	void __tsan_volatile_read##n(void *p);                                                     \
	void __tsan_volatile_read##n(void *p)                                                      \
	{                                                                                          \
	}                                                                                          \
	void __tsan_volatile_write##n(void *p);                                                    \
	void __tsan_volatile_write##n(void *p)                                                     \
	{                                                                                          \
	}
VOLATILE(1)
VOLATILE(2)
VOLATILE(4)
VOLATILE(8)

void __noreturn panic(const char *fmt, ...)
{
	printf("Bail out! panic: %s\n", fmt);
	exit(1);
}

static u64 check_of(const struct item *item)
{
	return (uintptr_t)item * 31 + item->size * 7 + item->order * 3 + item->is_block;
}

static struct item *take(u64 seed)
{
	struct item item = { .is_block = seed % 4 == 0, .order = seed >> 8 & 3 }, *found;

	if (item.is_block) {
		struct page *page = page_alloc(item.order);

		found = page ? page_to_virt(page) : NULL;
		item.size = (size_t)PAGE_SIZE << item.order;
	} else {
		item.size = sizeof(item) + (seed >> 16) % (seed & 0x80 ? 300 : 6000);
		found = kmalloc(item.size);
	}
	if (!found) {
		__atomic_add_fetch(&refused, 1, __ATOMIC_RELAXED);
		return NULL;
	}
	memset((void *)found, (int)seed, item.size);
	*found = item;
	found->check = check_of(found);
	return found;
}

static void give(struct item *item)
{
	if (!item)
		return;
	if (item->check != check_of(item))
		__atomic_add_fetch(&damaged, 1, __ATOMIC_RELAXED);
	if (item->is_block)
		page_free(virt_to_page(item), item->order);
	else
		kfree(item);
}

/* All that there is, in large blocks first. */
static void take_all(void)
{
	struct page *list = NULL, *page;

	for (unsigned int order = PAGE_ORDER_MAX + 1; order-- > 0;) {
		while ((page = page_alloc(order))) {
			page->next = list;
			list = page;
		}
	}
	/* Others find nothing. */
	sched_yield();
	while (list) {
		page = list;
		list = page->next;
		page_free(page, page->order);
	}
}

static void *play_hart(void *arg)
{
	struct thread hart = { .hart = (u16)(uintptr_t)arg };
	u64 seed = hart.hart + 1;

	host_current = &hart;
	for (int i = 0; i < ROUNDS; i++) {
		struct item *item;

		seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
		item = seed >> 63 ? take(seed >> 20) : NULL;
		give(__atomic_exchange_n(&shelves[(seed >> 33) % SHELVES], item, __ATOMIC_ACQ_REL));
		if (hart.hart == 0 && i % 1000 == 0)
			take_all();
	}
	return NULL;
}

static int tell(int n, bool good, const char *what)
{
	printf("%sok %d - %s\n", good ? "" : "not ", n, what);
	return !good;
}

int main(void)
{
	u8 *arena = aligned_alloc(SPAN, SPAN);
	struct thread boot = { .hart = 0 };
	pthread_t harts[NR_HARTS];
	size_t i, kept = 0;
	int failed = 0;

	host_current = &boot;
	/* Two banks. */
	page_alloc_add((uintptr_t)arena, (uintptr_t)arena + SPAN / 2 - PAGE_SIZE);
	page_alloc_add((uintptr_t)arena + SPAN / 2, (uintptr_t)arena + SPAN);
	for (i = 0; i < NR_HARTS; i++)
		if (pthread_create(&harts[i], NULL, play_hart, (void *)i))
			return 1;
	for (i = 0; i < NR_HARTS; i++)
		pthread_join(harts[i], NULL);
	for (i = 0; i < SHELVES; i++)
		give(shelves[i]);
	for (i = 0; i < ARRAY_SIZE(classes); i++) {
		kept += classes[i].in_use;
		kmem_cache_shrink(&classes[i]);
	}
	printf("1..3\n# %u requests refused\n", refused);
	failed += tell(1, damaged == 0, "nothing was damaged");
	failed += tell(2, kept == 0, "no object is lost");
	failed += tell(3, page_alloc_counts().used == 0, "no page is lost");
	return failed != 0;
}
