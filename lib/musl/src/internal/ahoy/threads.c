/* SPDX-License-Identifier: MIT */
/* Threads that musl has not made: what it would have done when it made them. */
#include <string.h>

#include "pthread_impl.h"
#include "stdio_impl.h"

/* Of these there are only those that somebody uses. */
static FILE *volatile no_file;
weak_alias(no_file, __stdin_used);
weak_alias(no_file, __stdout_used);
weak_alias(no_file, __stderr_used);

void libc_thread_init(void *thread, int tid)
{
	struct pthread *self = thread;

	memset(self, 0, sizeof(*self));
	self->prev = self->next = self;
	self->tid = tid;
	self->detach_state = DT_JOINABLE;
	self->robust_list.head = &self->robust_list.head;
	self->locale = &libc.global_locale;
	self->self = self;
}

static void lock_from_now(FILE *file)
{
	if (file && file->lock < 0)
		file->lock = 0;
}

void libc_threads_start(void)
{
	lock_from_now(__stdin_used);
	lock_from_now(__stdout_used);
	lock_from_now(__stderr_used);
	libc.need_locks = 1;
	libc.threaded = 1;
}
