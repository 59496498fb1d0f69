// SPDX-License-Identifier: MIT
#include <ahoy/address_space.h>
#include <ahoy/page_alloc.h>
#include <ahoy/sched.h>
#include <ahoy/slab.h>
#include <ahoy/smp.h>
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
static void *stack_alloc(void)
{
	return vmalloc(STACK_SIZE);
}

static void stack_free(void *stack)
{
	vfree(stack);
}
#else
static void *stack_alloc(void)
{
	struct page *page = page_alloc(CONFIG_THREAD_STACK_ORDER);

	return page ? page_to_virt(page) : NULL;
}

static void stack_free(void *stack)
{
	page_free(virt_to_page(stack), CONFIG_THREAD_STACK_ORDER);
}
#endif

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

struct thread *thread_create(const char *name, int (*fn)(void *arg), void *arg,
			     unsigned int priority)
{
	struct thread *thread = kmalloc(sizeof(*thread));
	unsigned long flags;

	if (!thread)
		return NULL;
	*thread = (struct thread){
		.name = name,
		.fn = fn,
		.arg = arg,
		.priority = priority,
		.hart = this_hart(),
		.stack = stack_alloc(),
	};
	if (!thread->stack) {
		kfree(thread);
		return NULL;
	}
	switch_frame_init(&thread->frame, thread_begin, (char *)thread->stack + STACK_SIZE);
	flags = local_irq_save();
	sched_ready(thread);
	local_irq_restore(flags);
	cond_resched();
	return thread;
}

void thread_exit(int status)
{
	struct thread *thread = thread_current();

	address_space_enter(NULL);
	thread->status = status;
	local_irq_disable();
	WRITE_ONCE(thread->ended, 1);
	wake(&thread->ended, 1);
	thread->state = THREAD_ENDED;
	schedule();
	__builtin_unreachable();
}

int thread_join(struct thread *thread)
{
	int status;

	while (!READ_ONCE(thread->ended))
		wait_on(&thread->ended, 0, TIME_NEVER);
	/* On another hart it may be on its last steps, on its stack. */
	while (!load_acquire(&thread->gone))
		;
	status = thread->status;
	stack_free(thread->stack);
	kfree(thread);
	return status;
}
