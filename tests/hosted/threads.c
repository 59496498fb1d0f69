// SPDX-License-Identifier: MIT
/* Threads, waiting, time and the console of the hosted core. */
#include "hosted.h"
#include "internal.h"
#include <ahoy/errno.h>

struct thread {
	void *word;
	struct address_space *space;
	struct user_regs regs;
	bool wants_regs;
	jmp_buf top;
	bool notified; /* under wait_lock */

	/* Waiting, under wait_lock */
	struct thread *next;
	const u32 *waits_for;
	bool interruptible;
	int result;
	pthread_cond_t cond;
};

static __thread struct thread *self;
static long threads;

int (*hosted_exec)(const struct user_regs *regs);
void (*hosted_end)(int status);

/* --- programs -------------------------------------------------------------------------------- */

#define SYS_EXIT_GROUP 94
#define SYS_CLONE      220

/* Why a thread is back at its top */
enum {
	TOP_START,
	TOP_EXIT,
	TOP_EXEC
};

struct address_space **hosted_space(void)
{
	return &self->space;
}

long hosted_threads(void)
{
	return __atomic_load_n(&threads, __ATOMIC_ACQUIRE);
}

static struct thread *thread_alloc(void)
{
	struct thread *thread = hosted_fails() ? NULL : calloc(1, sizeof(*thread));
	pthread_condattr_t monotonic;

	if (!thread)
		return NULL;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&thread->cond, &monotonic);
	pthread_condattr_destroy(&monotonic);
	return thread;
}

static void thread_free(struct thread *thread)
{
	pthread_cond_destroy(&thread->cond);
	free(thread);
}

static int run_program(bool executed)
{
	program_fn *fn = (program_fn *)self->regs.pc;

	if (executed)
		return hosted_exec ? hosted_exec(&self->regs) : 0;
	return fn((void *)self->regs.s1);
}

/* Until it ends. */
static void run(void)
{
	int why = setjmp(self->top);

	if (why == TOP_EXIT)
		return;
	sys(SYS_EXIT_GROUP, run_program(why == TOP_EXEC));
}

static void *thread_main(void *arg)
{
	self = arg;
	run();
	thread_free(self);
	self = NULL;
	__atomic_sub_fetch(&threads, 1, __ATOMIC_ACQ_REL);
	return NULL;
}

static bool start_thread(void *(*fn)(void *), void *arg)
{
	pthread_attr_t attributes;
	pthread_t id;
	bool started;

	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, 256 << 10);
	started = !pthread_create(&id, &attributes, fn, arg);
	pthread_attr_destroy(&attributes);
	return started;
}

struct thread *user_thread_create(const struct user_regs *regs, struct address_space *space,
				  void *word)
{
	struct thread *thread = thread_alloc();

	if (!thread)
		return NULL;
	thread->regs = *regs;
	thread->word = word;
	thread->space = space;
	hosted_space_hold(space);
	__atomic_add_fetch(&threads, 1, __ATOMIC_ACQ_REL);
	if (!start_thread(thread_main, thread))
		abort();
	return thread;
}

void user_thread_exit(void)
{
	address_space_enter(NULL);
	longjmp(self->top, TOP_EXIT);
}

struct service {
	void (*fn)(void *arg);
	void *arg;
};

static void *service_main(void *arg)
{
	struct service service = *(struct service *)arg;

	free(arg);
	self = thread_alloc();
	if (!self)
		abort();
	service.fn(service.arg);
	thread_free(self);
	return NULL;
}

int service_thread_create(const char *name, void (*fn)(void *arg), void *arg)
{
	struct service *service = hosted_fails() ? NULL : malloc(sizeof(*service));

	(void)name;
	if (!service)
		return -ENOMEM;
	*service = (struct service){ fn, arg };
	if (!start_thread(service_main, service))
		abort();
	return 0;
}

struct thread *user_thread_self(void)
{
	return self;
}

unsigned long syscall_wants_regs(unsigned long a0)
{
	self->wants_regs = true;
	return a0;
}

void *personality_word(void)
{
	return self->word;
}

void set_personality_word(void *word)
{
	self->word = word;
}

void thread_yield(void)
{
	sched_yield();
}

void user_fp_reset(void)
{
}

void user_code_fence(void)
{
}

/* --- system calls -------------------------------------------------------------------------------- */

int hosted_start(const void *archive, size_t size)
{
	self = thread_alloc();
	if (!self)
		abort();
	hosted_set_archive(archive, size);
	return personality_start(archive, size, &self->regs);
}

static pthread_mutex_t wait_lock = PTHREAD_MUTEX_INITIALIZER;

/* Before the program goes on: has somebody something to tell it? */
static void attend(void)
{
	bool notified;

	pthread_mutex_lock(&wait_lock);
	notified = self->notified;
	self->notified = false;
	pthread_mutex_unlock(&wait_lock);
	if (notified)
		personality_attention(&self->regs);
}

/* One that needs all registers; with a new program it does not come back. */
static void call_with_regs(void)
{
	unsigned long pc = self->regs.pc;

	self->wants_regs = false;
	personality_syscall_regs(&self->regs);
	if (self->regs.pc != pc)
		longjmp(self->top, TOP_EXEC);
}

long hosted_syscall(unsigned long nr, unsigned long a0, unsigned long a1, unsigned long a2,
		    unsigned long a3, unsigned long a4, unsigned long a5)
{
	struct user_regs *regs = &self->regs;

	regs->a0 = a0;
	regs->a1 = a1;
	regs->a2 = a2;
	regs->a3 = a3;
	regs->a4 = a4;
	regs->a5 = a5;
	regs->a7 = nr;
	a0 = (unsigned long)personality_syscall(a0, a1, a2, a3, a4, a5, 0, nr);
	if (self->wants_regs)
		call_with_regs();
	else
		regs->a0 = a0;
	attend();
	return (long)regs->a0;
}

void hosted_next_program(program_fn *fn, void *arg)
{
	self->regs.pc = (unsigned long)fn;
	self->regs.s1 = (unsigned long)arg;
}

long hosted_clone(unsigned long flags, program_fn *fn, void *arg)
{
	hosted_next_program(fn, arg);
	return sys(SYS_CLONE, flags, 0, 0, 0, 0);
}

void hosted_touch(unsigned long addr, unsigned int access)
{
	int err = address_space_fault(self->space, addr, access);

	if (err)
		personality_fault(&self->regs, USER_FAULT_ACCESS, addr, access, err);
	attend();
}

void user_space_end(int status)
{
	if (hosted_end)
		hosted_end(status);
	exit(status);
}

void panic(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fputs("panic: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
	va_end(args);
	abort();
}

/* --- time ------------------------------------------------------------------------------------------- */

#define NSEC_PER_SEC 1000000000ULL

static bool virtual_time;
static u64 virtual_now;

void hosted_virtual_time(void)
{
	virtual_time = true;
}

u64 time_now(void)
{
	struct timespec now;

	if (virtual_time)
		return __atomic_add_fetch(&virtual_now, 100, __ATOMIC_RELAXED);
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (u64)now.tv_sec * NSEC_PER_SEC + (u64)now.tv_nsec;
}

/* --- waiting ---------------------------------------------------------------------------------------- */

static struct thread *waiters; /* the last one that came is the first */

/* What others change without this lock, as the kernel's core reads it too. */
__attribute__((no_sanitize("thread"))) static u32 word_value(const u32 *word)
{
	return *(const volatile u32 *)word;
}

static void leave(struct thread *thread)
{
	struct thread **link = &waiters;

	while (*link != thread)
		link = &(*link)->next;
	*link = thread->next;
	thread->waits_for = NULL;
}

static void sleep_locked(u64 deadline)
{
	struct timespec until = { (time_t)(deadline / NSEC_PER_SEC),
				  (long)(deadline % NSEC_PER_SEC) };

	while (self->waits_for) {
		int err = deadline == TIME_NEVER
				  ? pthread_cond_wait(&self->cond, &wait_lock)
				  : pthread_cond_timedwait(&self->cond, &wait_lock, &until);

		if (err == ETIMEDOUT && self->waits_for) {
			leave(self);
			self->result = -ETIMEDOUT;
		}
	}
}

static int wait_common(const u32 *word, u32 expected, u64 deadline, bool interruptible)
{
	int result;

	pthread_mutex_lock(&wait_lock);
	if (interruptible && self->notified)
		result = -EINTR;
	else if (word_value(word) != expected)
		result = -EAGAIN;
	else if (deadline != TIME_NEVER && (virtual_time || deadline <= time_now()))
		result = -ETIMEDOUT;
	else {
		self->waits_for = word;
		self->interruptible = interruptible;
		self->result = 0;
		self->next = waiters;
		waiters = self;
		sleep_locked(deadline);
		result = self->result;
	}
	pthread_mutex_unlock(&wait_lock);
	if (virtual_time && result == -ETIMEDOUT) {
		__atomic_store_n(&virtual_now, max(deadline, virtual_now), __ATOMIC_RELAXED);
		sched_yield();
	}
	return result;
}

int wait_on(const u32 *word, u32 expected, u64 deadline)
{
	return wait_common(word, expected, deadline, false);
}

int wait_on_interruptible(const u32 *word, u32 expected, u64 deadline)
{
	return wait_common(word, expected, deadline, true);
}

static void end_wait(struct thread *thread, int result)
{
	leave(thread);
	thread->result = result;
	pthread_cond_signal(&thread->cond);
}

unsigned int wake(const u32 *word, unsigned int n)
{
	unsigned int woken = 0;

	pthread_mutex_lock(&wait_lock);
	while (woken < n) {
		struct thread *longest = NULL;

		for (struct thread *thread = waiters; thread; thread = thread->next)
			if (thread->waits_for == word)
				longest = thread;
		if (!longest)
			break;
		end_wait(longest, 0);
		woken++;
	}
	pthread_mutex_unlock(&wait_lock);
	return woken;
}

void thread_notify(struct thread *thread)
{
	pthread_mutex_lock(&wait_lock);
	thread->notified = true;
	if (thread->waits_for && thread->interruptible)
		end_wait(thread, -EINTR);
	pthread_mutex_unlock(&wait_lock);
}

/* --- the machine ------------------------------------------------------------------------------------ */

static pthread_mutex_t console_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t console_typed = PTHREAD_COND_INITIALIZER;
static char printed[64 << 10], told[64 << 10];
static size_t printed_len;
static char typed[4096];
static size_t typed_len;
static bool typed_end;

void console_output(const char *text, size_t len)
{
	pthread_mutex_lock(&console_lock);
	len = min(len, sizeof(printed) - 1 - printed_len);
	memcpy(printed + printed_len, text, len);
	printed_len += len;
	pthread_mutex_unlock(&console_lock);
}

const char *hosted_printed(void)
{
	pthread_mutex_lock(&console_lock);
	memcpy(told, printed, printed_len);
	told[printed_len] = '\0';
	printed_len = 0;
	pthread_mutex_unlock(&console_lock);
	return told;
}

void hosted_type(const char *text)
{
	size_t len = strlen(text);

	pthread_mutex_lock(&console_lock);
	if (len > sizeof(typed) - typed_len)
		abort();
	memcpy(typed + typed_len, text, len);
	typed_len += len;
	pthread_cond_broadcast(&console_typed);
	pthread_mutex_unlock(&console_lock);
}

void hosted_type_end(void)
{
	pthread_mutex_lock(&console_lock);
	typed_end = true;
	pthread_cond_broadcast(&console_typed);
	pthread_mutex_unlock(&console_lock);
}

size_t console_input(void *buf, size_t len, u64 deadline)
{
	if (deadline != TIME_NEVER)
		panic("console_input() with a deadline");
	pthread_mutex_lock(&console_lock);
	while (!typed_len && !typed_end)
		pthread_cond_wait(&console_typed, &console_lock);
	len = min(len, typed_len);
	memcpy(buf, typed, len);
	typed_len -= len;
	memmove(typed, typed + len, typed_len);
	pthread_mutex_unlock(&console_lock);
	return len;
}

/* The same ones in each run. */
void random_bytes(void *buf, size_t n)
{
	static u64 state = 88172645463325252ULL;

	for (size_t i = 0; i < n; i++) {
		u64 next = __atomic_add_fetch(&state, 0x9e3779b97f4a7c15ULL, __ATOMIC_RELAXED);

		next = (next ^ (next >> 30)) * 0xbf58476d1ce4e5b9ULL;
		((u8 *)buf)[i] = (u8)(next >> 56);
	}
}

unsigned int hart_count(void)
{
	return 4;
}

unsigned long user_hwcap(void)
{
	return 0x112d;
}

int vdso_objects(struct memory_object **data, struct memory_object **code, size_t *size)
{
	(void)data;
	(void)code;
	(void)size;
	return -ENOENT;
}

void vdso_set_wall_offset(u64 ns)
{
	(void)ns;
}

const char *core_command_line(void)
{
	return "";
}
