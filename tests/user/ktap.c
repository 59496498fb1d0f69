// SPDX-License-Identifier: MIT
#include "ktap.h"
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static unsigned int failures;
char *ktap_skip_reason;

void say(const char *format, ...)
{
	char line[512];
	size_t n;
	va_list args;

	va_start(args, format);
	n = (size_t)vsnprintf(line, sizeof(line) - 1, format, args);
	va_end(args);
	if (n > sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n++] = '\n';
	sys(SYS_write, 1, line, n);
}

bool ktap_expect(bool so, const char *file, int line, const char *what)
{
	if (!so) {
		say("# %s:%d: not so: %s", file, line, what);
		failures++;
	}
	return so;
}

bool ktap_expect_eq(long value, long wanted, const char *file, int line, const char *value_text,
		    const char *wanted_text)
{
	if (value == wanted)
		return true;
	say("# %s:%d: %s is %ld (%#lx), not %s, %ld", file, line, value_text, value, value,
	    wanted_text, wanted);
	failures++;
	return false;
}

void ktap_give_up(void)
{
	_exit(KTAP_FAILED);
}

void ktap_skip(const char *why)
{
	if (ktap_skip_reason)
		snprintf(ktap_skip_reason, 200, "%s", why);
	_exit(failures ? KTAP_FAILED : KTAP_SKIPPED);
}

void end_child(void)
{
	_exit(failures ? KTAP_FAILED : 0);
}

bool on_qemu_user(void)
{
	return getenv("QEMU_USER");
}

bool on_ahoy(void)
{
	return getenv("AHOY");
}

void first_to_go(int score)
{
	char text[16];
	int fd = open("/proc/self/oom_score_adj", O_WRONLY);

	if (fd < 0)
		return;
	snprintf(text, sizeof(text), "%d", score);
	sys(SYS_write, fd, text, strlen(text));
	close(fd);
}

long used_memory(void)
{
	struct sysinfo info;

	if (on_qemu_user())
		SKIP("other programs of the host use memory too");
	ASSERT_EQ(sys(SYS_sysinfo, &info), 0);
	return (long)(info.totalram - info.freeram) * info.mem_unit;
}

long sys6(long nr, long a0, long a1, long a2, long a3, long a4, long a5)
{
	register long r_nr __asm__("a7") = nr;
	register long r0 __asm__("a0") = a0;
	register long r1 __asm__("a1") = a1;
	register long r2 __asm__("a2") = a2;
	register long r3 __asm__("a3") = a3;
	register long r4 __asm__("a4") = a4;
	register long r5 __asm__("a5") = a5;

	__asm__ __volatile__("ecall"
			     : "+r"(r0)
			     : "r"(r_nr), "r"(r1), "r"(r2), "r"(r3), "r"(r4), "r"(r5)
			     : "memory");
	return r0;
}

/* --- children ---------------------------------------------------------------------------- */

int in_child(void (*fn)(void *arg), void *arg)
{
	int status = 0;
	pid_t pid = fork();

	if (!pid) {
		failures = 0;
		fn(arg);
		_exit(failures ? KTAP_FAILED : 0);
	}
	ASSERT(pid > 0);
	ASSERT_EQ(sys(SYS_wait4, pid, &status, 0, NULL), pid);
	return status;
}

int signal_of(void (*fn)(void *arg), void *arg)
{
	int status = in_child(fn, arg);

	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void do_load(void *arg)
{
	(void)*(volatile char *)arg;
}

static void do_store(void *arg)
{
	*(volatile char *)arg = 1;
}

/* Past the prologue the stack is not used: what is jumped to may return at once. */
static void do_jump(void *arg)
{
	((void (*)(void))arg)();
}

int signal_of_load(const volatile void *address)
{
	return signal_of(do_load, (void *)address);
}

int signal_of_store(volatile void *address)
{
	return signal_of(do_store, (void *)address);
}

int signal_of_jump(const void *address)
{
	return signal_of(do_jump, (void *)address);
}

/* --- memory ------------------------------------------------------------------------------- */

static void *pages(size_t n, int prot, int flags)
{
	void *p = mmap(NULL, n * PAGE, prot, flags | MAP_ANONYMOUS, -1, 0);

	ASSERT(p != MAP_FAILED);
	return p;
}

void *shared_pages(size_t n)
{
	return pages(n, PROT_READ | PROT_WRITE, MAP_SHARED);
}

void *private_pages(size_t n)
{
	return pages(n, PROT_READ | PROT_WRITE, MAP_PRIVATE);
}

char *before_nothing(size_t n)
{
	char *p = private_pages(2);

	ASSERT_EQ(munmap(p + PAGE, PAGE), 0);
	return p + PAGE - n;
}

const struct bad_pointer *bad_to_read(void)
{
	static struct bad_pointer rows[8];
	char *unmapped = private_pages(1);
	struct bad_pointer all[] = {
		{ "nothing (NULL)", NULL },
		{ "page zero", (char *)8 },
		{ "the kernel", (char *)0xffffffff80000000UL },
		{ "the lowest kernel address", (char *)0xff00000000000000UL },
		{ "the highest address", (char *)-8 },
		{ "no canonical address", (char *)0x4000000000000000UL },
		{ "unmapped memory", unmapped },
		{ NULL, NULL },
	};

	ASSERT_EQ(munmap(unmapped, PAGE), 0);
	memcpy(rows, all, sizeof(rows));
	return rows;
}

const struct bad_pointer *bad_to_write(void)
{
	static struct bad_pointer rows[10];
	const struct bad_pointer *more = bad_to_read();
	char *text = (char *)bad_to_write;
	size_t n = 0;

	rows[n++] = (struct bad_pointer){ "read-only memory", pages(1, PROT_READ, MAP_PRIVATE) };
	rows[n++] = (struct bad_pointer){ "the program's text", (char *)((long)text & -16L) };
	while (more->name)
		rows[n++] = *more++;
	rows[n] = (struct bad_pointer){ NULL, NULL };
	return rows;
}

/* --- files -------------------------------------------------------------------------------- */

const char *self_path(void)
{
	return (const char *)getauxval(AT_EXECFN);
}

int open_data(const char *name)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "data/%s", name);
	fd = open(path, O_RDONLY);
	ASSERT(fd >= 0);
	return fd;
}
