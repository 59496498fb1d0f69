/* SPDX-License-Identifier: MIT */
/*
 * The lock checker. Locks of one kind are a class: those that are first taken
 * in one file under one name. It learns in which order classes are taken, and
 * panics where that would close a circle, whether or not harts or threads meet
 * there this time. When it is off, nothing of it is left.
 */
#ifndef AHOY_LOCKDEP_H
#define AHOY_LOCKDEP_H

#include <ahoy/compiler.h>
#include <ahoy/types.h>

struct thread;

#ifdef CONFIG_LOCKDEP

/* A place in the sources that takes, gives back or asks for a lock. */
struct lock_site {
	const char *name; /* the lock, as written there */
	const char *file;
	unsigned int line;
};

#define LOCK_SITE(lock)                                                                            \
	({                                                                                         \
		static const struct lock_site lock_site_ = { #lock, __FILE_NAME__, __LINE__ };     \
		&lock_site_;                                                                       \
	})

/* Part of each lock; zero at first. */
struct lockdep_map {
	u8 class;	      /* number, from 1; 0: never taken */
	struct thread *owner; /* of a mutex */
};

#define LOCKDEP_MAX_HELD 8

struct held_locks {
	unsigned int count;
	struct {
		struct lockdep_map *lock;
		const struct lock_site *site;
	} held[LOCKDEP_MAX_HELD];
};

/* Part of each thread: the mutexes that it holds, and the one that it waits for. */
struct lockdep_thread {
	struct held_locks mutexes;
	struct lockdep_map *wanted;
	const struct lock_site *wanted_at;
};

/* Before a spinlock is taken, interrupts masked; and before it is given back. */
void lockdep_spin_lock(struct lockdep_map *lock, const struct lock_site *site);
void lockdep_spin_unlock(struct lockdep_map *lock, const struct lock_site *site);

/* Before and after a mutex is taken, when it was taken without waiting, and before it is given back. */
void lockdep_mutex_want(struct lockdep_map *lock, const struct lock_site *site);
void lockdep_mutex_got(struct lockdep_map *lock);
void lockdep_mutex_tried(struct lockdep_map *lock, const struct lock_site *site);
void lockdep_mutex_unlock(struct lockdep_map *lock, const struct lock_site *site);

/* Panic unless this hart or this thread holds the lock. Used by lockdep_assert_held(). */
void lockdep_check_held(const struct lockdep_map *lock, const struct lock_site *site);

/* Used by might_sleep(). */
void lockdep_might_sleep(const char *file, unsigned int line);

/* The hart is about to run another thread, which no spinlock must outlast. */
void lockdep_switch(void);

/* The thread that runs this ends. */
void lockdep_thread_ends(void);

/* Check nothing any more: a report is on its way. Context: any. */
void lockdep_off(void);

/* The caller must hold @lock, a pointer to a spinlock or a mutex. */
#define lockdep_assert_held(lock) lockdep_check_held(&(lock)->dep, LOCK_SITE(lock))

/* What follows may wait: no spinlock is held, and interrupts are not masked. */
#define might_sleep() lockdep_might_sleep(__FILE_NAME__, __LINE__)

#else

struct lockdep_map {
};

struct lockdep_thread {
};

static inline void lockdep_switch(void)
{
}

static inline void lockdep_thread_ends(void)
{
}

static inline void lockdep_off(void)
{
}

#define lockdep_assert_held(lock) ((void)(lock))
#define might_sleep()		  ((void)0)

#endif
#endif
