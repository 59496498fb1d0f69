// SPDX-License-Identifier: MIT
/*
 * The lock checker: which locks are held, in which order classes of locks are
 * taken, and which threads wait for each other. It looks before a lock is
 * taken, so that it speaks where otherwise nothing would go on.
 *
 * Spinlocks belong to a hart, since interrupts are masked while one is held and
 * the scheduler's passes from one thread to the next. Mutexes belong to a
 * thread. As no mutex may be wanted under a spinlock, each has an order of its
 * own. Nesting of two locks of one class is left to the search for threads that
 * wait for each other.
 */
#include <ahoy/lockdep.h>
#include <ahoy/panic.h>
#include <ahoy/printk.h>
#include <ahoy/smp.h>
#include <ahoy/spinlock.h>
#include <ahoy/string.h>
#include <ahoy/thread.h>
#include <asm/irqflags.h>
#include <asm/traps.h>

#define MAX_CLASSES 64

static struct {
	struct spinlock lock;

	/* Under the lock */
	unsigned int count;
	const struct lock_site *first[MAX_CLASSES]; /* where each class was met first */
	u64 after[MAX_CLASSES];			    /* bit j of [i]: j was taken with i held */
	struct {
		const struct lock_site *held, *taken;
	} edges[MAX_CLASSES][MAX_CLASSES]; /* where that was */
} graph;

static struct held_locks spinlocks[NR_HARTS];
static bool off;

/* --- the checker's own lock is not checked --------------------------------------- */

static unsigned long lock_graph(void)
{
	return (spin_lock)(&graph.lock);
}

static void unlock_graph(unsigned long flags)
{
	(spin_unlock)(&graph.lock, flags);
}

/* --- reports ------------------------------------------------------------------------ */

void lockdep_off(void)
{
	WRITE_ONCE(off, true);
}

#define report(...)                                                                                \
	do {                                                                                       \
		lockdep_off();                                                                     \
		panic_begin(__VA_ARGS__);                                                          \
	} while (0)

static void __noreturn report_end(void)
{
	dump_stack();
	panic_end();
}

static const char *name_of(const struct lock_site *site)
{
	return site->name[0] == '&' ? site->name + 1 : site->name;
}

/* --- classes --------------------------------------------------------------------------- */

/* Of "&queue->lock" it is the member that tells the kind; a plain object is one by itself. */
static const char *kind(const struct lock_site *site)
{
	const char *name = name_of(site), *p;

	for (p = name; *p; p++)
		if (p[0] == '-' && p[1] == '>')
			name = p;
	return name;
}

/* The number of the class of locks like the one at @site. Lock of the graph held. */
static u8 find_class(const struct lock_site *site)
{
	unsigned int i;

	for (i = 0; i < graph.count; i++)
		if (!strcmp(graph.first[i]->file, site->file) &&
		    !strcmp(kind(graph.first[i]), kind(site)))
			return (u8)(i + 1);
	if (i == MAX_CLASSES) {
		report("lockdep: more than %u classes of locks", MAX_CLASSES);
		report_end();
	}
	graph.first[graph.count++] = site;
	return (u8)graph.count;
}

static unsigned int class_of(struct lockdep_map *lock, const struct lock_site *site)
{
	unsigned long flags;

	if (!READ_ONCE(lock->class)) {
		flags = lock_graph();
		if (!lock->class)
			lock->class = find_class(site);
		unlock_graph(flags);
	}
	return lock->class - 1U;
}

/* --- order ----------------------------------------------------------------------------- */

/*
 * Find how class @to is reached from @from. Return: whether it is; then @before
 * holds, for each class on the way, the one before it. Lock of the graph held.
 */
static bool find_way(unsigned int from, unsigned int to, u8 before[MAX_CLASSES])
{
	u64 seen = 1ULL << from, todo = seen;

	while (todo && !(seen >> to & 1)) {
		unsigned int i, next;

		for (i = 0; !(todo >> i & 1); i++)
			;
		todo &= ~(1ULL << i);
		for (next = 0; next < graph.count; next++) {
			if (!(graph.after[i] & ~seen) || !((graph.after[i] & ~seen) >> next & 1))
				continue;
			seen |= 1ULL << next;
			todo |= 1ULL << next;
			before[next] = (u8)i;
		}
	}
	return seen >> to & 1;
}

static void __noreturn report_order(const struct lock_site *held, const struct lock_site *taken,
				    unsigned int from, unsigned int to, const u8 *before)
{
	report("lock order: %s is wanted while %s is held, after the opposite", name_of(taken),
	       name_of(held));
	console_printf("now:    %s (%s:%u), then %s (%s:%u)\n", name_of(held), held->file,
		       held->line, name_of(taken), taken->file, taken->line);
	for (; to != from; to = before[to]) {
		held = graph.edges[before[to]][to].held;
		taken = graph.edges[before[to]][to].taken;
		console_printf("before: %s (%s:%u), then %s (%s:%u)\n", name_of(held), held->file,
			       held->line, name_of(taken), taken->file, taken->line);
	}
	report_end();
}

/* Class @j is taken at @taken while @i is held since @held. */
static void learn_order(unsigned int i, const struct lock_site *held, unsigned int j,
			const struct lock_site *taken)
{
	unsigned long flags;
	u8 before[MAX_CLASSES];

	if (i == j || READ_ONCE(graph.after[i]) >> j & 1)
		return;
	flags = lock_graph();
	if (find_way(j, i, before))
		report_order(held, taken, j, i, before);
	graph.edges[i][j].held = held;
	graph.edges[i][j].taken = taken;
	WRITE_ONCE(graph.after[i], graph.after[i] | 1ULL << j);
	unlock_graph(flags);
}

/* --- what is held ------------------------------------------------------------------------ */

static int find_held(const struct held_locks *locks, const struct lockdep_map *lock)
{
	unsigned int i;

	for (i = locks->count; i--;)
		if (locks->held[i].lock == lock)
			return (int)i;
	return -1;
}

static void add_held(struct held_locks *locks, struct lockdep_map *lock,
		     const struct lock_site *site)
{
	if (locks->count == LOCKDEP_MAX_HELD) {
		report("lockdep: %s is the lock number %u that is held at once", name_of(site),
		       LOCKDEP_MAX_HELD + 1);
		report_end();
	}
	locks->held[locks->count].lock = lock;
	locks->held[locks->count++].site = site;
}

/* @lock is about to be taken, and may have to be waited for. */
static void check_order(struct held_locks *locks, struct lockdep_map *lock,
			const struct lock_site *site)
{
	unsigned int i, class = class_of(lock, site);
	int twice = find_held(locks, lock);

	if (twice >= 0) {
		report("recursive locking: %s (%s:%u) is held already", name_of(site), site->file,
		       site->line);
		console_printf("since %s:%u\n", locks->held[twice].site->file,
			       locks->held[twice].site->line);
		report_end();
	}
	for (i = 0; i < locks->count; i++)
		learn_order(locks->held[i].lock->class - 1U, locks->held[i].site, class, site);
}

static void remove_held(struct held_locks *locks, unsigned int i)
{
	locks->count--;
	for (; i < locks->count; i++)
		locks->held[i] = locks->held[i + 1];
}

/* --- spinlocks ----------------------------------------------------------------------------- */

void lockdep_spin_lock(struct lockdep_map *lock, const struct lock_site *site)
{
	struct held_locks *locks = &spinlocks[this_hart()];

	if (READ_ONCE(off))
		return;
	if (IS_ENABLED(CONFIG_IRQ) && !irqs_disabled()) {
		report("spinlock %s (%s:%u) is taken with interrupts on", name_of(site), site->file,
		       site->line);
		report_end();
	}
	check_order(locks, lock, site);
	add_held(locks, lock, site);
}

void lockdep_spin_unlock(struct lockdep_map *lock, const struct lock_site *site)
{
	struct held_locks *locks = &spinlocks[this_hart()];
	int i = find_held(locks, lock);

	if (READ_ONCE(off))
		return;
	if (i < 0) {
		report("spinlock %s (%s:%u) is given back by a hart that does not hold it",
		       name_of(site), site->file, site->line);
		report_end();
	}
	remove_held(locks, (unsigned int)i);
}

/* --- mutexes --------------------------------------------------------------------------------- */

/*
 * The threads that @thread waits for, each by the mutex that the next one holds,
 * end at @thread itself: none of them goes on. Lock of the graph held, without
 * which no mutex changes its owner.
 */
static bool waits_for_itself(const struct thread *thread)
{
	const struct thread *next = thread;
	unsigned int steps;

	/* A circle that others closed is theirs to report. */
	for (steps = 0; steps < 1000; steps++) {
		if (!next->dep.wanted || !next->dep.wanted->owner)
			return false;
		next = next->dep.wanted->owner;
		if (next == thread)
			return true;
	}
	return false;
}

static void __noreturn report_circle(const struct thread *thread)
{
	const struct thread *next = thread;

	report("deadlock: thread %s waits for a mutex, and others for each other's and its own",
	       thread->name);
	do {
		console_printf("thread %s waits for %s (%s:%u), held by %s\n", next->name,
			       name_of(next->dep.wanted_at), next->dep.wanted_at->file,
			       next->dep.wanted_at->line, next->dep.wanted->owner->name);
		next = next->dep.wanted->owner;
	} while (next != thread);
	report_end();
}

void lockdep_mutex_want(struct lockdep_map *lock, const struct lock_site *site)
{
	struct thread *thread = thread_current();
	unsigned long flags;

	if (READ_ONCE(off))
		return;
	lockdep_might_sleep(site->file, site->line);
	check_order(&thread->dep.mutexes, lock, site);
	flags = lock_graph();
	thread->dep.wanted = lock;
	thread->dep.wanted_at = site;
	if (waits_for_itself(thread))
		report_circle(thread);
	unlock_graph(flags);
}

void lockdep_mutex_got(struct lockdep_map *lock)
{
	struct thread *thread = thread_current();
	unsigned long flags;

	if (READ_ONCE(off))
		return;
	flags = lock_graph();
	thread->dep.wanted = NULL;
	lock->owner = thread;
	unlock_graph(flags);
	add_held(&thread->dep.mutexes, lock, thread->dep.wanted_at);
}

void lockdep_mutex_tried(struct lockdep_map *lock, const struct lock_site *site)
{
	struct thread *thread = thread_current();
	unsigned long flags;

	if (READ_ONCE(off))
		return;
	class_of(lock, site);
	flags = lock_graph();
	lock->owner = thread;
	unlock_graph(flags);
	add_held(&thread->dep.mutexes, lock, site);
}

void lockdep_mutex_unlock(struct lockdep_map *lock, const struct lock_site *site)
{
	struct thread *thread = thread_current();
	int i = find_held(&thread->dep.mutexes, lock);
	unsigned long flags;

	if (READ_ONCE(off))
		return;
	flags = lock_graph();
	if (i < 0) {
		report("thread %s gives back mutex %s (%s:%u), which is held by %s", thread->name,
		       name_of(site), site->file, site->line,
		       lock->owner ? lock->owner->name : "nobody");
		report_end();
	}
	lock->owner = NULL;
	unlock_graph(flags);
	remove_held(&thread->dep.mutexes, (unsigned int)i);
}

/* --- other rules ----------------------------------------------------------------------------- */

void lockdep_check_held(const struct lockdep_map *lock, const struct lock_site *site)
{
	unsigned long flags = local_irq_save();
	bool held = find_held(&spinlocks[this_hart()], lock) >= 0 ||
		    find_held(&thread_current()->dep.mutexes, lock) >= 0;

	local_irq_restore(flags);
	if (held || READ_ONCE(off))
		return;
	report("%s must be held (%s:%u)", name_of(site), site->file, site->line);
	report_end();
}

static void check_no_spinlock(const char *what, const char *file, unsigned int line)
{
	unsigned long flags = local_irq_save();
	const struct held_locks *locks = &spinlocks[this_hart()];

	if (locks->count && !READ_ONCE(off)) {
		const struct lock_site *site = locks->held[locks->count - 1].site;

		report("%s with spinlock %s held (%s:%u)", what, name_of(site), site->file,
		       site->line);
		if (file)
			console_printf("in %s:%u\n", file, line);
		report_end();
	}
	local_irq_restore(flags);
}

void lockdep_might_sleep(const char *file, unsigned int line)
{
	static bool started;

	check_no_spinlock("sleeping", file, line);
	if (!IS_ENABLED(CONFIG_IRQ) || READ_ONCE(off))
		return;
	/* Start-up masks interrupts for a while and has nobody to wait for. */
	if (!irqs_disabled()) {
		WRITE_ONCE(started, true);
	} else if (READ_ONCE(started)) {
		report("sleeping with interrupts masked (%s:%u)", file, line);
		report_end();
	}
}

void lockdep_switch(void)
{
	check_no_spinlock("switching threads", NULL, 0);
}

void lockdep_thread_ends(void)
{
	const struct held_locks *locks = &thread_current()->dep.mutexes;

	if (!locks->count || READ_ONCE(off))
		return;
	report("thread %s ends and holds mutex %s (%s:%u)", thread_current()->name,
	       name_of(locks->held[0].site), locks->held[0].site->file, locks->held[0].site->line);
	report_end();
}
