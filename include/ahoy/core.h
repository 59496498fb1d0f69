/* SPDX-License-Identifier: MIT */
/*
 * The core, as a personality sees it: all that posix/ may call. What it is called
 * for is in personality.h. Implemented by the kernel, and for tests by
 * tests/hosted/ as a process of the host.
 *
 * Sizes, addresses and offsets are in bytes, times in nanoseconds. Errors are
 * negative numbers of errno.h. Context, where nothing else is said: any thread,
 * no lock held that a fault or another thread's progress may need; it sleeps.
 */
#ifndef AHOY_CORE_H
#define AHOY_CORE_H

#include <ahoy/compiler.h>
#include <ahoy/panic.h>
#include <ahoy/personality.h>
#include <ahoy/types.h>
#include <ahoy/user_memory.h>
#include <asm/word.h>

struct address_space;
struct memory_object;
struct thread;

/* --- heap ------------------------------------------------------------------------ */

/* The most that kmalloc() gives. */
#define KMALLOC_MAX (4UL << 20)

/*
 * @size bytes, contents undefined, aligned to 16; kzalloc(): zeroes; kcalloc():
 * @n objects of @size bytes, zeroes. Return: NULL if there is no memory, or if
 * it is 0 bytes or more than KMALLOC_MAX. Context: any but a trap handler's.
 */
void *kmalloc(size_t size) __must_check;
void *kzalloc(size_t size) __must_check;
void *kcalloc(size_t n, size_t size) __must_check;

/*
 * Change the size of what kmalloc() gave; the contents stay, up to the smaller
 * of both sizes. @p NULL: kmalloc(@size). Return: its new address, or NULL,
 * and then @p stays as it was.
 */
void *krealloc(void *p, size_t size) __must_check;

/* Give back what one of these returned; NULL is nothing. */
void kfree(const void *p);

/* --- memory objects ---------------------------------------------------------------- */

/* The largest object. */
#define MEMORY_OBJECT_MAX (1ULL << 48)

/*
 * An object of @size bytes, at most MEMORY_OBJECT_MAX. What its pages hold at
 * first is said by @fill, which is called without locks, perhaps by two threads
 * for one page: it writes what there is at @offset (a multiple of the page size)
 * to @page, which holds zeroes, and returns 0 or a negative errno. NULL: they
 * hold zeroes. @owner is for @fill. Return: the object, which the caller has a
 * hold on, or NULL without memory or if it is too large.
 */
struct memory_object *memory_object_create(u64 size,
					   int (*fill)(void *owner, u64 offset, void *page),
					   void *owner);

/*
 * An object that holds the @size bytes of the initramfs from @offset on. Its
 * pages are those of the initramfs, without a copy, where they are aligned to
 * pages and hold nothing else. Its contents must not be written, nor its size
 * changed. Return: as memory_object_create(); NULL if that is not in it.
 */
struct memory_object *initramfs_object(u64 offset, u64 size);

/* Have another hold on @object, or give one up; it goes with the last one and the last mapping. */
void memory_object_get(struct memory_object *object);
void memory_object_put(struct memory_object *object);

/*
 * Change its size. What lies beyond goes, in all mappings: accesses there fail
 * with -ENXIO from then on; what comes back with a larger size holds zeroes,
 * or what @fill says. Return: 0, -EINVAL if it cannot change or that is too large.
 */
int memory_object_resize(struct memory_object *object, u64 size);

/*
 * Copy @n bytes at @offset from, or to, @object. @buffer is not the program's.
 * Return: how many there were before the object's end, or a negative errno.
 */
long memory_object_read(struct memory_object *object, u64 offset, void *buffer, size_t n);
long memory_object_write(struct memory_object *object, u64 offset, const void *buffer, size_t n);

/*
 * The @n bytes at @offset where they are, of an object that never changes and is in
 * one place: of the initramfs. They stay as long as the caller has a hold on @object.
 * Return: NULL if it is none, or has not so many.
 */
const void *memory_object_view(const struct memory_object *object, u64 offset, size_t n);

/* --- address spaces ------------------------------------------------------------------ */

/* Mappings: VM_READ, VM_WRITE, VM_EXEC, and these */
#define VM_SHARED   8  /* writes go to the object, not to a copy */
#define VM_REPLACE  16 /* in the place of what is mapped there */
#define VM_ANYWHERE 32 /* where there is room, from the address on if possible */
#define VM_NO_WRITE 64 /* nor may it be written to later */

/* An empty space, or one that maps what @space does now. Return: NULL without memory. */
struct address_space *address_space_create(void);
struct address_space *address_space_clone(struct address_space *space);

/* Give up the hold that creating it was; it goes when the last thread has left it. */
void address_space_destroy(struct address_space *space);

/* Have the current thread be in @space from now on, NULL: in none. It leaves the one it was in. */
void address_space_enter(struct address_space *space);

/*
 * Map @size bytes of @object from @offset on at *@addr, or zeroes if @object is
 * NULL. @flags: as above. VM_ANYWHERE puts the address in *@addr. Return: 0;
 * -EINVAL if the numbers make no sense; -EEXIST if something is mapped there;
 * -ENOMEM without memory or room.
 */
int address_space_map(struct address_space *space, unsigned long *addr, size_t size,
		      struct memory_object *object, u64 offset, unsigned int flags);

/* Unmap what is mapped in the range. Return: 0, -EINVAL, -ENOMEM. */
int address_space_unmap(struct address_space *space, unsigned long addr, size_t size);

/*
 * Permit @access (VM_READ, VM_WRITE, VM_EXEC, or nothing) to the range. Return:
 * 0, -EINVAL, -ENOMEM without memory or where something is not mapped, -EACCES to
 * write where that is never permitted.
 */
int address_space_protect(struct address_space *space, unsigned long addr, size_t size,
			  unsigned int access);

/*
 * What is mapped, and with which pages, moves from @from to @to, where nothing
 * may be mapped; the ranges do not overlap. Return: 0, -EINVAL, -EEXIST,
 * -EFAULT where something is not mapped at @from, -ENOMEM.
 */
int address_space_move(struct address_space *space, unsigned long from, unsigned long to,
		       size_t size);

/*
 * Let the mapping that ends at @end go on for @more bytes: with what of its object
 * follows, or with zeroes. Return: 0, -EINVAL; -EFAULT: none ends there; -EEXIST:
 * something is mapped behind it.
 */
int address_space_extend(struct address_space *space, unsigned long end, size_t more);

/*
 * Give up the private pages in the range: the next access finds what the mapping
 * had at first. Return: 0, -EINVAL, -ENOMEM without memory or where something is
 * not mapped.
 */
int address_space_forget(struct address_space *space, unsigned long addr, size_t size);

/*
 * Find the first mapping that ends above *@start. Return: whether there is one,
 * and then where it is in *@start and *@end, and in *@flags what VM_ bits it has.
 */
bool address_space_find(struct address_space *space, unsigned long *start, unsigned long *end,
			unsigned int *flags);

/*
 * Do what an access to @addr needs. @access: VM_READ, VM_WRITE or VM_EXEC.
 * Return: 0 if it can be made now; -EFAULT: nothing is mapped; -EACCES: it is
 * not permitted; -ENXIO: beyond the object's end; -ENOMEM; what fill returned.
 */
int address_space_fault(struct address_space *space, unsigned long addr, unsigned int access);

/* What was written to memory as data can be run as code, by all threads. */
void user_code_fence(void);

/* --- threads ---------------------------------------------------------------------------- */

/*
 * Start a thread that runs the program in @space (which it has entered) with
 * @regs, and has @word as its personality word. Its floating-point registers
 * are the current thread's. Return: the thread, which is valid until it calls
 * user_thread_exit(), or NULL without memory.
 */
struct thread *user_thread_create(const struct user_regs *regs, struct address_space *space,
				  void *word);

/*
 * Start a thread that runs no program, but @fn(@arg), and then ends. @name is
 * for reports and must stay. Return: 0, -ENOMEM.
 */
int service_thread_create(const char *name, void (*fn)(void *arg), void *arg);

/* End the current thread, which has run a program: it leaves its space. */
void user_thread_exit(void) __noreturn;

/* The current thread. */
struct thread *user_thread_self(void);

/* Set the current thread's personality word, which personality_word() returns. */
void set_personality_word(void *word);

/* Let threads of the same priority run. */
void thread_yield(void);

/*
 * Forget the current thread's floating-point registers: all are zero when the
 * program goes on.
 */
void user_fp_reset(void);

/* --- waiting ------------------------------------------------------------------------------ */

/* A deadline that never comes. */
#define TIME_NEVER U64_MAX

/* Time since the machine's counter started. It never goes back. */
u64 time_now(void);

/*
 * Wait while *@word is @expected, until somebody calls wake(@word) or the time
 * is @deadline (as of time_now(); TIME_NEVER). Return: 0 when woken, -EAGAIN if
 * *@word is another value at once, -ETIMEDOUT.
 */
int wait_on(const u32 *word, u32 expected, u64 deadline);

/* The same, and -EINTR if the thread has been notified and got no attention yet. */
int wait_on_interruptible(const u32 *word, u32 expected, u64 deadline);

/*
 * Wake up to @n threads that wait for @word, the longest waiting first; change
 * the word before. Return: how many there were.
 */
unsigned int wake(const u32 *word, unsigned int n);

/*
 * Have @thread give attention before its program's next instruction; until then
 * its interruptible waits end.
 */
void thread_notify(struct thread *thread);

/* --- the machine ---------------------------------------------------------------------------- */

/* Print @len bytes at @text on the console. */
void console_output(const char *text, size_t len);

/*
 * Take up to @len bytes of the console's input; wait for the first one until
 * @deadline. Return: how many; 0 if the time is up, or if the console has no
 * input. One reader at a time.
 */
size_t console_input(void *buf, size_t len, u64 deadline);

/* @n bytes that nobody can guess, as far as the machine has such. */
void random_bytes(void *buf, size_t n);

/* How many harts are in use. */
unsigned int hart_count(void);

/* All memory that there is for programs, and what of it is free, in pages. */
void memory_pages(size_t *total, size_t *free);

/* AT_HWCAP: bit n for the single-letter extension 'a' + n that programs may use. */
unsigned long user_hwcap(void);

/*
 * The functions that programs may call for the time: a shared object in whole
 * pages, *@size bytes, to be mapped for reading and execution behind a page of
 * data for reading. Return: 0, with holds for the caller; -ENOENT if there are
 * none; -ENOMEM.
 */
int vdso_objects(struct memory_object **data, struct memory_object **code, size_t *size);

/* How far CLOCK_REALTIME is ahead of time_now(), for these functions. */
void vdso_set_wall_offset(u64 ns);

/* What the kernel was told on its command line; "" if nothing. */
const char *core_command_line(void);

/*
 * The first program has come to its end, and the machine comes to the configured
 * one. @status: 0, or 1 to 255 for a failure, which the outside learns where
 * there is a way to tell it.
 */
void user_space_end(int status) __noreturn;

#endif
