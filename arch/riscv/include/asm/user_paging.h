/* SPDX-License-Identifier: MIT */
/*
 * Page tables of user memory: the lower half of the addresses. The upper half
 * of each root is the kernel's.
 *
 * A leaf maps a page, or a block of 2 MiB. Nothing else in here changes what it
 * maps by itself: leaves are made accessed, and those that may be written dirty,
 * so that harts with and without hardware updates (Svadu, Svade) do the same.
 * A leaf that permits nothing is known to the kernel alone.
 */
#ifndef ASM_USER_PAGING_H
#define ASM_USER_PAGING_H

#include <ahoy/compiler.h>
#include <ahoy/personality.h>
#include <ahoy/types.h>
#include <ahoy/user_memory.h>
#include <asm/page.h>
#include <asm/pte.h>

#define USER_BLOCK_SIZE	 (2UL << 20)
#define USER_BLOCK_ORDER 9

#ifdef CONFIG_SMP
#define USER_HARTS CONFIG_NR_HARTS
#else
#define USER_HARTS 1
#endif

/* What one address space is to the harts. user_tables_init() makes them. */
struct user_tables {
	u64 *root;
	/* The table of pages that was used last, and which 2 MiB it is for. */
	unsigned long latest;
	u64 *latest_table;

	/* Harts that have it in satp, a bit each; others forget it by losing their context. */
	u64 loaded;
	/* Harts that must fence before they run its code, a bit each; they do when they load it. */
	u64 stale_code;
	/* By which ASID each hart knows it, and of which generation; 0: by none. */
	u64 context[USER_HARTS];
#ifdef CONFIG_DEBUG_TLB
	bool changing; /* between tlb_model_begin() and tlb_model_end() */
#endif
};

struct user_leaf {
	unsigned long va;
	phys_addr_t pa;
	unsigned int access; /* VM_ bits */
	bool block;	     /* 2 MiB, else a page */
	bool own;	     /* a bit for whoever made the leaf */

	/* Where it was found, or would be; NULL: it was not looked for. */
	u64 *slot;
	unsigned int level;
};

/* Bits that are software's (10.3.1): a leaf, valid or not; whoever made it knows why. */
#define PTE_IS_LEAF BIT(8)
#define PTE_OWN	    BIT(9)

/* The permissions of a leaf are those of a mapping, one bit further up. */
#define ACCESS_SHIFT 1
BUILD_BUG_ON(VM_READ << ACCESS_SHIFT != PTE_R || VM_WRITE << ACCESS_SHIFT != PTE_W ||
	     VM_EXEC << ACCESS_SHIFT != PTE_X);

static __always_inline pte_t leaf_pte(phys_addr_t pa, unsigned int access, bool own)
{
	pte_t pte = make_pte(pa, PTE_IS_LEAF | PTE_U | PTE_A);

	pte |= (pte_t)own * PTE_OWN | (pte_t)access << ACCESS_SHIFT;
	if (access)
		pte |= PTE_V;
	/* Write without read is reserved (10.3.1, table 28). */
	if (access & VM_WRITE)
		pte |= PTE_R | PTE_D;
	return pte;
}

static __always_inline unsigned long user_leaf_size(const struct user_leaf *leaf)
{
	return leaf->block ? USER_BLOCK_SIZE : PAGE_SIZE;
}

/*
 * Find out about the machine's user addresses and ASIDs, and complete the
 * kernel's half of its own root, of which every space gets a copy.
 * @table_alloc: as below. Return: 0, or -ENOMEM. Context: boot hart, once,
 * before other threads and harts.
 */
int user_paging_init(void *(*table_alloc)(void)) __must_check;

/*
 * Make the root of a new space. @page: of a page in the linear map, for it.
 * Context: any.
 */
void user_tables_init(struct user_tables *tables, void *page);

/*
 * Find the first leaf that maps an address from @leaf->va to @end - 1. Return:
 * whether there is one, and then it in *@leaf. Context: the caller keeps others
 * from these tables, as in all that follows.
 */
bool user_leaf_next(struct user_tables *tables, struct user_leaf *leaf, unsigned long end);

/*
 * The leaf that maps @va. Return: whether there is one; else *@leaf says where
 * it would be, and has nothing but @va. That holds as long as no table is
 * made or taken away.
 */
bool user_leaf_find(struct user_tables *tables, unsigned long va, struct user_leaf *leaf);

/*
 * Put a leaf where there is none. @table_alloc gives a page in the linear map
 * for a table, or NULL. Return: 0, or 1 if tables were made; -ENOMEM if it did
 * not, -EEXIST if a block is to go where there is a table already. Nobody needs
 * to be told: a hart that remembers that there was nothing faults, and then
 * does user_fence_here().
 */
int user_leaf_insert(struct user_tables *tables, const struct user_leaf *leaf,
		     void *(*table_alloc)(void)) __must_check;

/*
 * The short way of both: where a leaf for the page at @va would be, if there is
 * none, and the table was used just now; else NULL. Then: put one there, which is own.
 */
static __always_inline u64 *user_page_empty(const struct user_tables *tables, unsigned long va)
{
	u64 *slot;

	if (va >> LEVEL_SHIFT(1) != tables->latest)
		return NULL;
	slot = &tables->latest_table[table_index(va, 0)];
	return *slot ? NULL : slot;
}

static __always_inline void user_page_insert(u64 *slot, phys_addr_t pa, unsigned int access)
{
	/* Whoever finds the entry finds the page as it was prepared before. */
	__atomic_thread_fence(__ATOMIC_RELEASE);
	WRITE_ONCE(*slot, leaf_pte(pa, access, true));
}

/*
 * Put leaves of @n pages that follow each other, as @leaf is the first of, where
 * there are none, as far as the last table goes that is there. Context: as
 * user_leaf_insert(); nobody needs to be told.
 */
void user_leaf_insert_run(struct user_tables *tables, const struct user_leaf *leaf,
			  unsigned long n);

/*
 * Give @leaf, which was found, its new contents. Return: whether harts may
 * remember more than it permits now, or another page; then a fence must
 * follow.
 */
bool user_leaf_change(struct user_tables *tables, const struct user_leaf *leaf);

/*
 * Let the leaves in [@start, @end), on the bounds of which is no block, permit
 * @access; but to write only those that do. Return: as user_leaf_change().
 */
bool user_leaves_limit(struct user_tables *tables, unsigned long start, unsigned long end,
		       unsigned int access);

/*
 * Put the own leaves of @from in [@start, @end), which begins and ends no block,
 * into @to as well; none of both permits to write any more. @hold is called for
 * each, @table_alloc as by user_leaf_insert(). Return: 0; 1 if a fence of @from
 * must follow; -ENOMEM, then too.
 */
int user_leaves_share(struct user_tables *from, struct user_tables *to, unsigned long start,
		      unsigned long end, void *(*table_alloc)(void),
		      void (*hold)(phys_addr_t pa)) __must_check;

/*
 * Forget the leaves in [@start, @end), on the bounds of which is no block, and
 * which permit nothing, unless no hart has @tables loaded; @put is called for
 * those that are own. Unhook the tables on the way to them that serve nothing
 * outside of [@floor, @ceiling). Return: these tables' pages, linked by their first
 * words, to be freed after a fence of all addresses; NULL if there are none. The
 * root stays.
 */
void *user_tables_drop(struct user_tables *tables, unsigned long start, unsigned long end,
		       unsigned long floor, unsigned long ceiling, void (*put)(phys_addr_t pa));

/* Forget the leaf at @va, which permitted nothing already. */
void user_leaf_erase(struct user_tables *tables, unsigned long va);

/*
 * Divide the block that maps @va into pages. Return: 0, then a fence of all
 * addresses must follow; or -ENOMEM from @table_alloc, and nothing has changed.
 */
int user_leaf_split(struct user_tables *tables, unsigned long va,
		    void *(*table_alloc)(void)) __must_check;

/*
 * Have this hart forget what it remembers of @va, since a fault may have come
 * from that; and, if @way, of the tables on the way to it. Context: any.
 */
static __always_inline void user_fence_here(unsigned long va, bool way)
{
	/*
	 * Whatever the ASID: the thread may have moved to another hart since it faulted.
	 * With an address, the fence is for leaves alone (Privileged Architecture, 10.2.1).
	 */
	if (way)
		__asm__ __volatile__("sfence.vma" : : : "memory");
	else
		__asm__ __volatile__("sfence.vma %0" : : "r"(va) : "memory");
}

/*
 * Translate by @tables from here on; NULL: only the kernel's addresses.
 * @hart: this hart's index. Context: interrupts masked.
 */
void user_tables_load(struct user_tables *tables, unsigned int hart);

/*
 * After changes in [@start, @end): have this hart forget what it remembers of
 * them, and see to it that those do which have not loaded @tables. @hart: this
 * hart's index. Return: the other harts that have, a bit each; they must be
 * told. Context: interrupts masked.
 */
u64 user_tables_fence(struct user_tables *tables, unsigned long start, unsigned long end,
		      unsigned int hart);

/*
 * After code was written: have this hart see it, and see to it that those do which
 * have not loaded @tables. @hart, return, and context: as user_tables_fence().
 */
u64 user_tables_fence_code(struct user_tables *tables, unsigned int hart);

/* Find out how many bits ASIDs have. Context: as user_paging_init(), which does it. */
void user_asids_init(void);

/* How many bits ASIDs have on this machine, 0 to 16. */
unsigned int user_asid_bits(void);

/* For tests: use no more than @bits of them. Context: no space is loaded on any hart, nor is one. */
void user_asid_limit(unsigned int bits);

#endif
