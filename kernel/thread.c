// SPDX-License-Identifier: MIT
#include <ahoy/address_space.h>
#include <ahoy/fault.h>
#include <ahoy/page_alloc.h>
#include <ahoy/sched.h>
#include <ahoy/slab.h>
#include <ahoy/smp.h>
#include <ahoy/spinlock.h>
#include <ahoy/thread.h>
#include <ahoy/vmalloc.h>
#include <ahoy/wait.h>
#include <asm/barrier.h>
#include <asm/current.h>
#include <asm/irqflags.h>
#include <asm/page.h>

#define STACK_SIZE ((size_t)PAGE_SIZE << CONFIG_THREAD_STACK_ORDER)

#ifdef CONFIG_VMALLOC
/* With a page below that is not mapped */
static void *stack_map(void)
{
	return vmalloc(STACK_SIZE);
}

static void stack_unmap(void *stack)
{
	vfree(stack);
}
#else
static void *stack_map(void)
{
	struct page *page = page_alloc(CONFIG_THREAD_STACK_ORDER);

	return page ? page_to_virt(page) : NULL;
}

static void stack_unmap(void *stack)
{
	page_free(virt_to_page(stack), CONFIG_THREAD_STACK_ORDER);
}
#endif

/*
 * Stacks of threads that have ended, for the next ones: mappings are costly to
 * make, and to undo on all harts. The first word of each leads to the next.
 */
#define SPARE_STACKS 8

static struct {
	struct spinlock lock;
	void **first;
	unsigned int count;
} spare;

static void *spare_stack(void)
{
	unsigned long flags = spin_lock(&spare.lock);
	void **stack = spare.first;

	if (stack) {
		spare.first = *stack;
		spare.count--;
	}
	spin_unlock(&spare.lock, flags);
	return stack;
}

static void *stack_alloc(void)
{
	void *stack = spare_stack();

	return stack ? stack : stack_map();
}

static void stack_free(void *stack)
{
	unsigned long flags = spin_lock(&spare.lock);
	bool keep = spare.count < SPARE_STACKS;

	if (keep) {
		*(void **)stack = spare.first;
		spare.first = stack;
		spare.count++;
	}
	spin_unlock(&spare.lock, flags);
	if (!keep)
		stack_unmap(stack);
}

void thread_free_spare_stacks(void)
{
	void *stack;

	while ((stack = spare_stack()))
		stack_unmap(stack);
}

/* Called from the switch, as if that had returned. */
static void thread_begin(struct thread *prev)
{
	struct thread *thread;

	sched_thread_starts(prev);
	thread = thread_current();
	thread_exit(thread->fn(thread->arg));
}

void *thread_stack_alloc(struct thread *thread)
{
	thread->stack = stack_alloc();
	return thread->stack ? (char *)thread->stack + STACK_SIZE : NULL;
}

void thread_stack_free(struct thread *thread)
{
	if (thread->stack)
		stack_free(thread->stack);
}

static __always_inline struct thread *thread_alloc_inline(const char *name, unsigned int priority)
{
	struct thread *thread = kmalloc(sizeof(*thread));

	if (!thread)
		return NULL;
	*thread = (struct thread){
		.name = name,
		.priority = priority,
		.hart = this_hart(),
		.stack = stack_alloc(),
	};
	if (!thread->stack) {
		kfree(thread);
		return NULL;
	}
	return thread;
}

static __always_inline void thread_start_inline(struct thread *thread)
{
	unsigned long flags = local_irq_save();

	sched_ready(thread);
	local_irq_restore(flags);
	cond_resched();
}

struct thread *thread_create(const char *name, int (*fn)(void *arg), void *arg,
			     unsigned int priority)
{
	struct thread *thread = thread_alloc_inline(name, priority);

	if (!thread)
		return NULL;
	thread->fn = fn;
	thread->arg = arg;
	switch_frame_init(&thread->frame, thread_begin, (char *)thread->stack + STACK_SIZE);
	thread_start_inline(thread);
	return thread;
}

#ifdef CONFIG_USERSPACE
struct thread *thread_alloc(const char *name, unsigned int priority)
{
	return thread_alloc_inline(name, priority);
}

void *thread_stack_top(const struct thread *thread)
{
	return (char *)thread->stack + STACK_SIZE;
}

void thread_start(struct thread *thread)
{
	thread_start_inline(thread);
}

void thread_free(struct thread *thread)
{
	/* The boot thread is not from the heap, nor is its stack. */
	if (!thread->stack)
		return;
	stack_free(thread->stack);
	kfree(thread);
}
#endif

#ifdef CONFIG_STACKTRACE
bool thread_on_stack(unsigned long address)
{
	unsigned long bottom = (unsigned long)thread_current()->stack;

	return bottom && address > bottom && address <= bottom + STACK_SIZE;
}
#endif

void thread_exit(int status)
{
	struct thread *thread = thread_current();

	if (IS_ENABLED(CONFIG_ADDRESS_SPACES))
		address_space_enter(NULL);
	lockdep_thread_ends();
	thread->status = status;
	local_irq_disable();
	wake_joiner(thread);
	thread->state = THREAD_ENDED;
	schedule();
	__builtin_unreachable();
}

int thread_join(struct thread *thread)
{
	int status;

	might_sleep();
	while (!READ_ONCE(thread->ended))
		wait_on(&thread->ended, 0, TIME_NEVER);
	/* On another hart it may be on its last steps, on its stack. */
	while (IS_ENABLED(CONFIG_SMP) && !load_acquire(&thread->gone))
		;
	status = thread->status;
	stack_free(thread->stack);
	kfree(thread);
	return status;
}
