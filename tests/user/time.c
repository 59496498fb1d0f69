// SPDX-License-Identifier: MIT
/* Clocks, sleeping, and the code of the kernel that programs call for the time. */
#include "ktap.h"
#include <elf.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000L

static long to_ns(const struct timespec *time)
{
	return time->tv_sec * SECOND + time->tv_nsec;
}

static long now(void)
{
	struct timespec time = { 0, 0 };

	EXPECT_EQ(sys(SYS_clock_gettime, CLOCK_MONOTONIC, &time), 0);
	return to_ns(&time);
}

TEST(clock_gettime)
{
	static const int clocks[] = {
		CLOCK_REALTIME,		 CLOCK_MONOTONIC,     CLOCK_PROCESS_CPUTIME_ID,
		CLOCK_THREAD_CPUTIME_ID, CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE,
		CLOCK_MONOTONIC_COARSE,	 CLOCK_BOOTTIME,
	};
	struct timespec time;

	for (size_t i = 0; i < ARRAY_SIZE(clocks); i++) {
		memset(&time, 0xff, sizeof(time));
		if (!EXPECT_EQ(sys(SYS_clock_gettime, clocks[i], &time), 0))
			say("# clock %d", clocks[i]);
		EXPECT(time.tv_sec >= 0 && time.tv_nsec >= 0 && time.tv_nsec < SECOND);
	}
	EXPECT_EQ(sys(SYS_clock_gettime, 77, &time), -EINVAL);
	EXPECT_EQ(sys(SYS_clock_gettime, -1, &time), -EINVAL);
	EXPECT_EQ(sys(SYS_clock_gettime, INT_MAX, &time), -EINVAL);
	EXPECT_BAD(bad_to_write(), sys(SYS_clock_gettime, CLOCK_MONOTONIC, bad), -EFAULT);
	EXPECT_EQ(sys(SYS_clock_gettime, CLOCK_MONOTONIC, before_nothing(8)), -EFAULT);
}

TEST(clock_goes_on)
{
	long last = now();

	for (int i = 0; i < 10000; i++) {
		long time = now();

		if (!EXPECT(time >= last))
			break;
		last = time;
	}
}

TEST(clock_getres)
{
	struct timespec time;

	EXPECT_EQ(sys(SYS_clock_getres, CLOCK_MONOTONIC, &time), 0);
	EXPECT(time.tv_sec == 0 && time.tv_nsec > 0 && time.tv_nsec <= 20000000);
	EXPECT_EQ(sys(SYS_clock_getres, CLOCK_REALTIME, NULL), 0);
	EXPECT_EQ(sys(SYS_clock_getres, 77, &time), -EINVAL);
	/* qemu-riscv64 7.2 does not tell. */
	if (!on_qemu_user())
		EXPECT_EQ(sys(SYS_clock_getres, CLOCK_MONOTONIC, 8), -EFAULT);
}

TEST(gettimeofday)
{
	struct timeval day;
	struct timespec time;

	EXPECT_EQ(sys(SYS_gettimeofday, &day, NULL), 0);
	EXPECT_EQ(sys(SYS_clock_gettime, CLOCK_REALTIME, &time), 0);
	EXPECT(day.tv_usec >= 0 && day.tv_usec < 1000000);
	EXPECT(time.tv_sec - day.tv_sec >= 0 && time.tv_sec - day.tv_sec < 10);
	EXPECT_EQ(sys(SYS_gettimeofday, NULL, NULL), 0);
	EXPECT_EQ(sys(SYS_gettimeofday, 8, NULL), -EFAULT);
}

TEST(cpu_clock)
{
	struct timespec before, after;
	volatile long sum = 0;

	EXPECT_EQ(sys(SYS_clock_gettime, CLOCK_PROCESS_CPUTIME_ID, &before), 0);
	for (long i = 0; i < 3000000; i++)
		sum += i;
	EXPECT_EQ(sys(SYS_clock_gettime, CLOCK_PROCESS_CPUTIME_ID, &after), 0);
	EXPECT(to_ns(&after) > to_ns(&before));
}

TEST(nanosleep)
{
	static const long times[] = { 0, 1, 1000, 1000000, 30000000 };

	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		struct timespec time = { 0, times[i] };
		long before = now();

		EXPECT_EQ(sys(SYS_nanosleep, &time, NULL), 0);
		EXPECT(now() - before >= times[i]);
	}
}

TEST(nanosleep_errors)
{
	struct timespec time = { 0, SECOND };

	EXPECT_EQ(sys(SYS_nanosleep, &time, NULL), -EINVAL);
	time.tv_nsec = -1;
	EXPECT_EQ(sys(SYS_nanosleep, &time, NULL), -EINVAL);
	time = (struct timespec){ -1, 0 };
	EXPECT_EQ(sys(SYS_nanosleep, &time, NULL), -EINVAL);
	time = (struct timespec){ LONG_MIN, 0 };
	EXPECT_EQ(sys(SYS_nanosleep, &time, NULL), -EINVAL);
	/* qemu-riscv64 7.2 sleeps for as long as it happens to be. */
	if (!on_qemu_user())
		EXPECT_BAD(bad_to_read(), sys(SYS_nanosleep, bad, NULL), -EFAULT);
	/* Nothing is left over: not written to. */
	time = (struct timespec){ 0, 1 };
	EXPECT_EQ(sys(SYS_nanosleep, &time, 8), 0);
}

TEST(clock_nanosleep)
{
	struct timespec time;
	long before = now();

	time = (struct timespec){ 0, 5000000 };
	EXPECT_EQ(sys(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &time, NULL), 0);
	EXPECT(now() - before >= 5000000);
	before = now();
	time = (struct timespec){ (before + 10000000) / SECOND, (before + 10000000) % SECOND };
	EXPECT_EQ(sys(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL), 0);
	EXPECT(now() - before >= 10000000);
	/* A time that has passed */
	time = (struct timespec){ 0, 0 };
	EXPECT_EQ(sys(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL), 0);
	EXPECT_EQ(sys(SYS_clock_nanosleep, CLOCK_REALTIME, TIMER_ABSTIME, &time, NULL), 0);
	EXPECT_EQ(sys(SYS_clock_nanosleep, 77, 0, &time, NULL), -EINVAL);
	time.tv_nsec = SECOND;
	EXPECT_EQ(sys(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &time, NULL), -EINVAL);
	EXPECT_EQ(sys(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, NULL, NULL), -EFAULT);
}

TEST(sleepers_side_by_side)
{
	enum {
		N = 10,
		SLEEP = 400000000
	};
	long before = now();
	int status;

	for (int i = 0; i < N; i++) {
		pid_t pid = fork();

		if (!pid) {
			struct timespec time = { 0, SLEEP };

			_exit(sys(SYS_nanosleep, &time, NULL) != 0);
		}
		ASSERT(pid > 0);
	}
	for (int i = 0; i < N; i++) {
		EXPECT(sys(SYS_wait4, -1, &status, 0, NULL) > 0);
		EXPECT_EQ(status, 0);
	}
	/* Together they take less than half of one after another: a busy host has its say, too. */
	EXPECT(now() - before >= SLEEP);
	EXPECT(now() - before < (long)N * SLEEP / 2);
}

/* --- vDSO ---------------------------------------------------------------------------------- */

static const char *vdso;

static const void *vdso_segment(uint32_t type)
{
	const Elf64_Ehdr *header = (const void *)vdso;
	const Elf64_Phdr *segment = (const void *)(vdso + header->e_phoff);

	for (int i = 0; i < header->e_phnum; i++)
		if (segment[i].p_type == type)
			return vdso + segment[i].p_offset;
	return NULL;
}

/* What the dynamic section says of @tag, whose values are offsets */
static const void *vdso_table(Elf64_Sxword tag)
{
	const Elf64_Dyn *row = vdso_segment(PT_DYNAMIC);

	for (; row && row->d_tag != DT_NULL; row++)
		if (row->d_tag == tag)
			return vdso + row->d_un.d_ptr;
	return NULL;
}

static const void *vdso_function(const char *name)
{
	const uint32_t *hash = vdso_table(DT_HASH);
	const Elf64_Sym *symbols = vdso_table(DT_SYMTAB);
	const char *names = vdso_table(DT_STRTAB);

	if (!EXPECT(hash && symbols && names))
		return NULL;
	for (uint32_t i = 0; i < hash[1]; i++)
		if (symbols[i].st_shndx && !strcmp(names + symbols[i].st_name, name))
			return vdso + symbols[i].st_value;
	return NULL;
}

static void find_vdso(void)
{
	vdso = (const char *)getauxval(AT_SYSINFO_EHDR);
	if (!vdso)
		SKIP("there is no vDSO");
	EXPECT_EQ((unsigned long)vdso % PAGE, 0);
	ASSERT(!memcmp(vdso, ELFMAG, SELFMAG));
	EXPECT_EQ(((const Elf64_Ehdr *)vdso)->e_machine, EM_RISCV);
}

typedef int clock_fn(clockid_t clock, struct timespec *time);

TEST(vdso_clock)
{
	clock_fn *fn;
	struct timespec before, between, after;

	find_vdso();
	*(const void **)&fn = vdso_function("__vdso_clock_gettime");
	ASSERT(fn);
	for (int i = 0; i < 1000; i++) {
		EXPECT_EQ(sys(SYS_clock_gettime, CLOCK_MONOTONIC, &before), 0);
		EXPECT_EQ(fn(CLOCK_MONOTONIC, &between), 0);
		EXPECT_EQ(sys(SYS_clock_gettime, CLOCK_MONOTONIC, &after), 0);
		EXPECT(between.tv_nsec >= 0 && between.tv_nsec < SECOND);
		if (!EXPECT(to_ns(&before) <= to_ns(&between) && to_ns(&between) <= to_ns(&after)))
			break;
	}
	EXPECT_EQ(sys(SYS_clock_gettime, CLOCK_REALTIME, &before), 0);
	EXPECT_EQ(fn(CLOCK_REALTIME, &between), 0);
	EXPECT_EQ(sys(SYS_clock_gettime, CLOCK_REALTIME, &after), 0);
	EXPECT(to_ns(&before) <= to_ns(&between) && to_ns(&between) <= to_ns(&after));
	/* What it does not know it asks the kernel. */
	EXPECT_EQ(fn(CLOCK_THREAD_CPUTIME_ID, &between), 0);
	EXPECT_EQ(fn(77, &between), -EINVAL);
}

TEST(vdso_symbols)
{
	find_vdso();
	EXPECT(vdso_function("__vdso_clock_gettime"));
	EXPECT(!vdso_function("__vdso_nothing"));
	/* It is code, and can be read, and not written. */
	EXPECT_EQ(signal_of_store((char *)vdso), SIGSEGV);
	EXPECT_EQ(signal_of_load(vdso), 0);
}
