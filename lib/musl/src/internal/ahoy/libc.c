/* SPDX-License-Identifier: MIT */
/*
 * What musl's start-up code, which is not run, would have found out about the machine
 * and its first thread.
 */
#include "libc.h"
#include "pthread_impl.h"

_Static_assert(sizeof(struct pthread) <= LIBC_THREAD_SIZE, "a thread's part has no room");

/* Nothing is known: an end at once. */
static size_t no_auxv[2];

struct __libc __libc = {
	.auxv = no_auxv,
	.page_size = 4096,
};

size_t __hwcap;
size_t __sysinfo;
char *__progname = "kernel", *__progname_full = "kernel";

weak_alias(__progname, program_invocation_short_name);
weak_alias(__progname_full, program_invocation_name);

static struct pthread first_thread = {
	.self = &first_thread,
	.prev = &first_thread,
	.next = &first_thread,
	.tid = 1,
	.detach_state = DT_JOINABLE,
	.robust_list.head = &first_thread.robust_list.head,
	.locale = &__libc.global_locale,
};

void *const libc_boot_thread = &first_thread;
