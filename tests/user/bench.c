// SPDX-License-Identifier: MIT
/*
 * What programs ask of the system most, each between two instructions that do
 * nothing, and by which the meter finds what is to be counted (docs/measuring.md).
 * Each operation is done ROUNDS times; those that come in their order are told
 * at the start: "operations: NAME ROUNDS ...".
 */
#include <elf.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 20
#define KIB    1024UL
#define PAGE   4096UL

#define marker(n) __asm__ __volatile__("slti x0, x0, %0" : : "i"(n) : "memory")
#define MEASURE(action)                                                                            \
	do {                                                                                       \
		marker(1);                                                                         \
		action;                                                                            \
		marker(2);                                                                         \
	} while (0)

static const char *const program = "/nothing"; /* ends at once */

static inline long ecall3(long nr, long a0, long a1, long a2)
{
	register long r0 __asm__("a0") = a0;
	register long r1 __asm__("a1") = a1;
	register long r2 __asm__("a2") = a2;
	register long call __asm__("a7") = nr;

	__asm__ __volatile__("ecall" : "+r"(r0) : "r"(r1), "r"(r2), "r"(call) : "memory");
	return r0;
}

/* An operation that did not do its work measures nothing. */
static void check(int so, const char *what)
{
	if (so)
		return;
	dprintf(1, "bench: %s failed\n", what);
	_exit(1);
}

static void null_call(void)
{
	long r;

	MEASURE(r = ecall3(SYS_getppid, 0, 0, 0));
	check(r >= 0, "getppid");
}

static void unknown_call(void)
{
	long r;

	MEASURE(r = ecall3(1000, 0, 0, 0));
	check(r == -38, "an unknown call");
}

static void write_null(void)
{
	static int fd;
	long r;

	if (!fd)
		fd = open("/dev/null", O_WRONLY);
	MEASURE(r = ecall3(SYS_write, fd, (long)"x", 1));
	check(r == 1, "write");
}

static void read_zero(void)
{
	static int fd;
	char byte;
	long r;

	if (!fd)
		fd = open("/dev/zero", O_RDONLY);
	MEASURE(r = ecall3(SYS_read, fd, (long)&byte, 1));
	check(r == 1, "read");
}

static void clock_call(void)
{
	struct timespec time;
	long r;

	MEASURE(r = ecall3(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&time, 0));
	check(!r, "clock_gettime");
}

typedef int clock_fn(clockid_t clock, struct timespec *time);

static int call_clock(clockid_t clock, struct timespec *time)
{
	return (int)ecall3(SYS_clock_gettime, clock, (long)time, 0);
}

static clock_fn *find_clock(void)
{
	const char *vdso = (const char *)getauxval(AT_SYSINFO_EHDR), *names = NULL;
	const Elf64_Phdr *segment;
	const Elf64_Sym *symbols = NULL;
	const uint32_t *hash = NULL;
	clock_fn *found = NULL;

	/* Programs do without it where there is none. */
	if (!vdso)
		return call_clock;
	segment = (const void *)(vdso + ((const Elf64_Ehdr *)vdso)->e_phoff);
	while (segment->p_type != PT_DYNAMIC)
		segment++;
	for (const Elf64_Dyn *row = (const void *)(vdso + segment->p_offset); row->d_tag; row++) {
		if (row->d_tag == DT_STRTAB)
			names = vdso + row->d_un.d_ptr;
		else if (row->d_tag == DT_SYMTAB)
			symbols = (const void *)(vdso + row->d_un.d_ptr);
		else if (row->d_tag == DT_HASH)
			hash = (const void *)(vdso + row->d_un.d_ptr);
	}
	for (uint32_t i = 0; i < hash[1]; i++)
		if (!strcmp(names + symbols[i].st_name, "__vdso_clock_gettime"))
			*(const void **)&found = vdso + symbols[i].st_value;
	check(found != NULL, "__vdso_clock_gettime");
	return found;
}

static void clock_vdso(void)
{
	static clock_fn *fn;
	struct timespec time;
	int r;

	if (!fn)
		fn = find_clock();
	MEASURE(r = fn(CLOCK_MONOTONIC, &time));
	check(!r, "the vDSO");
}

static void mmap_munmap(void)
{
	void *p;
	int r;

	MEASURE(p = mmap(NULL, 64 * KIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			 0);
		r = munmap(p, 64 * KIB));
	check(p != MAP_FAILED && !r, "mmap");
}

static void protect(void)
{
	static char *p;
	int r;

	if (!p) {
		p = mmap(NULL, 64 * KIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			 0);
		memset(p, 1, 64 * KIB);
	}
	MEASURE(r = mprotect(p, 64 * KIB, PROT_READ));
	check(!r && !mprotect(p, 64 * KIB, PROT_READ | PROT_WRITE), "mprotect");
}

static void page_fault(void)
{
	static volatile char *p;

	if (!p)
		p = mmap(NULL, (ROUNDS + 1) * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	p += PAGE;
	MEASURE(*p = 1);
}

static void fork_exit_wait(void)
{
	int status = -1;
	pid_t pid;

	MEASURE({
		pid = fork();
		if (!pid)
			_exit(0);
		waitpid(pid, &status, 0);
	});
	check(!status, "fork");
}

static void fork_exec_wait(void)
{
	char *argv[] = { (char *)program, NULL };
	int status = -1;
	pid_t pid;

	MEASURE({
		pid = fork();
		if (!pid) {
			execve(program, argv, NULL);
			_exit(1);
		}
		waitpid(pid, &status, 0);
	});
	check(!status, "exec");
}

static void spawn(void)
{
	char *argv[] = { (char *)program, NULL };
	int status = -1, err;
	pid_t pid = 0;

	MEASURE({
		err = posix_spawn(&pid, program, NULL, NULL, argv, NULL);
		waitpid(pid, &status, 0);
	});
	check(!err && !status, "posix_spawn");
}

static const struct operation {
	const char *name;
	void (*run)(void);
} operations[] = {
	{ "null", null_call },
	{ "unknown", unknown_call },
	{ "write-null", write_null },
	{ "read-zero", read_zero },
	{ "clock-call", clock_call },
	{ "clock-vdso", clock_vdso },
	{ "mmap-munmap", mmap_munmap },
	{ "mprotect", protect },
	{ "page-fault", page_fault },
	{ "fork-exit-wait", fork_exit_wait },
	{ "fork-exec-wait", fork_exec_wait },
	{ "posix-spawn", spawn },
};

#define N (sizeof(operations) / sizeof(operations[0]))

/* All of them; or one, to see where it goes. */
int main(int argc, char **argv)
{
	/* As the first process it may find nothing open. */
	if (fcntl(1, F_GETFD) < 0) {
		open("/dev/console", O_RDWR);
		dup(0);
		dup(0);
	}
	dprintf(1, "operations:");
	for (size_t i = 0; i < N; i++)
		if (argc < 2 || !strcmp(argv[1], operations[i].name))
			dprintf(1, " %s %d", operations[i].name, ROUNDS);
	dprintf(1, "\n");
	for (size_t i = 0; i < N; i++)
		for (int j = 0; j < ROUNDS; j++)
			if (argc < 2 || !strcmp(argv[1], operations[i].name))
				operations[i].run();
	dprintf(1, "The operations are done.\n");
	if (getpid() == 1)
		reboot(RB_POWER_OFF);
	return 0;
}
