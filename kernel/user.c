// SPDX-License-Identifier: MIT
/*
 * What the core offers a personality that is not offered to others: threads that
 * run programs, and the beginning and the end of user space.
 */
#include <ahoy/address_space.h>
#include <ahoy/cmdline.h>
#include <ahoy/console.h>
#include <ahoy/console_input.h>
#include <ahoy/core.h>
#include <ahoy/errno.h>
#include <ahoy/init.h>
#include <ahoy/initramfs.h>
#include <ahoy/interrupt.h>
#include <ahoy/lockdep.h>
#include <ahoy/of.h>
#include <ahoy/page_alloc.h>
#include <ahoy/panic.h>
#include <ahoy/sched.h>
#include <ahoy/slab.h>
#include <ahoy/smp.h>
#include <ahoy/string.h>
#include <ahoy/thread.h>
#include <ahoy/time.h>
#include <ahoy/user.h>
#include <asm/barrier.h>
#include <asm/current.h>
#include <asm/irqflags.h>
#include <asm/page.h>
#include <asm/user.h>
#include <asm/vdso.h>

BUILD_BUG_ON(offsetof(struct thread, work) != THREAD_WORK);
BUILD_BUG_ON(offsetof(struct thread, word) != THREAD_WORD);

/* --- threads -------------------------------------------------------------------- */

/* Those that have ended: each is freed by the next one that does. */
static struct thread *ended;

static void free_ended(void)
{
	struct thread *thread = __atomic_exchange_n(&ended, NULL, __ATOMIC_ACQUIRE), *next;

	for (; thread; thread = next) {
		next = thread->next;
		/* On another hart it may be on its last steps, on its stack. */
		while (!load_acquire(&thread->gone))
			;
		thread_free(thread);
	}
}

void user_thread_exit(void)
{
	struct thread *self = thread_current();

	address_space_enter(NULL);
	lockdep_thread_ends();
	free_ended();
	local_irq_disable();
	self->next = __atomic_load_n(&ended, __ATOMIC_RELAXED);
	while (!__atomic_compare_exchange_n(&ended, &self->next, self, true, __ATOMIC_RELEASE,
					    __ATOMIC_RELAXED))
		;
	self->state = THREAD_ENDED;
	schedule();
	__builtin_unreachable();
}

struct thread *user_thread_create(const struct user_regs *regs, struct address_space *space,
				  void *word)
{
	struct thread *thread = thread_alloc("program", PRIORITY_DEFAULT);

	if (!thread)
		return NULL;
	thread->user = (struct user_frame *)thread_stack_top(thread) - 1;
	user_frame_init(thread->user, thread);
	thread->user->regs = *regs;
	user_thread_frame(&thread->frame, thread->user);
	if (thread_current()->user)
		fpu_clone(thread->user, thread_current()->user);
	thread->word = word;
	address_space_hold(space);
	thread->space = space;
	thread_start(thread);
	return thread;
}

struct service {
	void (*fn)(void *arg);
	void *arg;
};

static int run_service(void *arg)
{
	struct service service = *(struct service *)arg;

	kfree(arg);
	service.fn(service.arg);
	user_thread_exit();
}

int service_thread_create(const char *name, void (*fn)(void *arg), void *arg)
{
	struct service *service = kmalloc(sizeof(*service));

	if (!service)
		return -ENOMEM;
	*service = (struct service){ .fn = fn, .arg = arg };
	if (thread_create(name, run_service, service, PRIORITY_DEFAULT))
		return 0;
	kfree(service);
	return -ENOMEM;
}

struct thread *user_thread_self(void)
{
	return thread_current();
}

unsigned long syscall_wants_regs(unsigned long a0)
{
	__atomic_fetch_or(&thread_current()->work, WORK_REGS, __ATOMIC_RELAXED);
	return a0;
}

void set_personality_word(void *word)
{
	thread_current()->word = word;
}

void user_fp_reset(void)
{
	fpu_reset(thread_current()->user);
}

void user_work(struct user_frame *frame)
{
	unsigned int work = READ_ONCE(frame->thread->work);

	if (work & WORK_REGS) {
		__atomic_fetch_and(&frame->thread->work, ~WORK_REGS, __ATOMIC_RELAXED);
		local_irq_enable();
		personality_syscall_regs(&frame->regs);
		return;
	}
	work = __atomic_exchange_n(&frame->thread->work, 0, __ATOMIC_ACQUIRE);
	local_irq_enable();
	if (work & WORK_RESCHED)
		cond_resched();
	if (work & WORK_NOTIFIED)
		personality_attention(&frame->regs);
}

/* --- the machine ------------------------------------------------------------------ */

void console_output(const char *text, size_t len)
{
	console_write(text, len);
}

size_t console_input(void *buf, size_t len, u64 deadline)
{
	return IS_ENABLED(CONFIG_CONSOLE_INPUT) ? console_read(buf, len, deadline) : 0;
}

unsigned int hart_count(void)
{
	return smp_online();
}

void memory_pages(size_t *total, size_t *free)
{
	struct page_counts counts = page_alloc_counts();

	*total = counts.total;
	*free = counts.total - counts.used;
}

/* Extensions that the compiler was allowed to use for the kernel */
#ifdef __riscv_compressed
#define COMPRESSED true
#else
#define COMPRESSED false
#endif

/*
 * What the kernel itself could not run without is there, and the rest shows when it
 * is tried: that needs no look at the device tree. What has a name of several
 * letters is told by riscv_hwprobe().
 */
unsigned long user_hwcap(void)
{
	unsigned long hwcap = BIT('i' - 'a') | BIT('m' - 'a') | BIT('a' - 'a');

	if (COMPRESSED)
		hwcap |= BIT('c' - 'a');
	if (fpu_present())
		hwcap |= BIT('f' - 'a') | BIT('d' - 'a');
	return hwcap;
}

const char *core_command_line(void)
{
	return cmdline_text();
}

#ifdef CONFIG_VDSO
/* Programs multiply once, without a rest: what is a multiple of 2^-32 is one of 2^-64, moved down. */
static void vdso_set_ticks(struct vdso_data *shared, u64 ns_per_tick)
{
	shared->shift = 0;
	while (ns_per_tick >> 32 >> shared->shift)
		shared->shift++;
	shared->multiplier = ns_per_tick << (32 - shared->shift);
}

int vdso_objects(struct memory_object **data, struct memory_object **code, size_t *size)
{
	struct vdso_data *shared = vdso_shared();
	const void *image = vdso_image(size);

	vdso_set_ticks(shared, time_ns_per_tick());
	*data = memory_object_create_image(shared, PAGE_SIZE);
	*code = memory_object_create_image(image, *size);
	if (*data && *code)
		return 0;
	if (*data)
		memory_object_put(*data);
	if (*code)
		memory_object_put(*code);
	return -ENOMEM;
}

void vdso_set_wall_offset(u64 ns)
{
	WRITE_ONCE(vdso_shared()->wall_offset, ns);
}
#else
int vdso_objects(struct memory_object **data, struct memory_object **code, size_t *size)
{
	return -ENOENT;
}

void vdso_set_wall_offset(u64 ns)
{
}
#endif

/* --- start and end ------------------------------------------------------------------ */

static const char *initramfs;
static size_t initramfs_size;

struct memory_object *initramfs_object(u64 offset, u64 size)
{
	if (offset > initramfs_size || size > initramfs_size - offset)
		return NULL;
	return memory_object_create_image(initramfs + offset, size);
}

void user_space_start(void)
{
	struct thread *self = thread_current();
	struct user_frame frame;
	int err;

	initramfs = initramfs_find(&initramfs_size);
	user_hart_init();
	self->user = &frame;
	user_frame_init(&frame, self);
	err = personality_start(initramfs, initramfs_size, &frame.regs);
	if (err)
		panic("no first program (%d)", err);
	user_enter(&frame);
}

void user_space_end(int status)
{
	kernel_end(status);
}
