// SPDX-License-Identifier: MIT
/* The tree of names that an archive makes, and archives that are refused. */
#include "testing.h"
#include <sys/wait.h>
/* cmocka.h needs those of testing.h before it. */
#include <cmocka.h>

/* Start with this archive, in a process of its own. @said: what the console must show. */
static void check_start(const void *archive, size_t size, int err, const char *said)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		alarm(60);
		CHECK_EQ(hosted_start(archive, size), err);
		if (!strstr(hosted_printed(), said)) {
			fprintf(stderr, "\"%s\" was not said\n", said);
			_exit(1);
		}
		_exit(0);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
}

static void test_no_archive(void **state)
{
	(void)state;
	check_start(NULL, 0, -ENOENT, "");
}

static void test_cut(void **state)
{
	const void *archive;
	size_t size;

	(void)state;
	standard_archive();
	archive = archive_end(&size);
	check_start(archive, 5000, -EINVAL, "\"text\"");
	check_start(archive, 50, -EINVAL, "initramfs: ");
}

static void test_damaged(void **state)
{
	const void *archive;
	char *copy;
	size_t size;

	(void)state;
	archive = archive_end(&size);
	copy = malloc(size);
	memcpy(copy, archive, size);
	memcpy(copy, "070702", 6);
	check_start(copy, size, -EINVAL, "\"init\"");
	memcpy(copy, archive, size);
	memcpy(copy + 54, "ZZZZ", 4);
	check_start(copy, size, -EINVAL, "initramfs: ");
	free(copy);
}

/* Each in the place of the last entry */
static void test_wrong_names(void **state)
{
	static const struct {
		const char *name;
		unsigned int mode;
		const char *said;
	} rows[] = {
		{ "../up", 0100644, "leads upwards" },
		{ "folder/../../x", 0100644, "leads upwards" },
		{ "text/below", 0100644, "no folder" },
		{ "folder", 0100644, "there is a folder" },
		{ "odd", 0644, "type is unknown" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const void *archive;
		int status;
		size_t size;
		pid_t pid;

		fflush(NULL);
		pid = fork();
		if (!pid) {
			/* This process's archive only */
			archive_add("text", 0100644, "x", 1, 0);
			archive_add("folder", 040755, NULL, 0, 0);
			archive_add(rows[i].name, rows[i].mode, NULL, 0, 0);
			archive = archive_end(&size);
			CHECK_EQ(hosted_start(archive, size), -EINVAL);
			CHECK(strstr(hosted_printed(), rows[i].said));
			_exit(0);
		}
		waitpid(pid, &status, 0);
		assert_int_equal(status, 0);
	}
}

static void tree(void)
{
	unsigned long at = user_alloc(4096);
	unsigned char stat[128];
	unsigned int mode;

	/* A folder that no entry made */
	CHECK_EQ(sys(SYS_newfstatat, CWD, user_text(at, "/made/by"), at + 1024, 0), 0);
	user_read(stat, at + 1024, 128);
	memcpy(&mode, stat + 16, 4);
	CHECK_EQ(mode, 040755);
	CHECK_EQ(sys(SYS_newfstatat, CWD, user_text(at, "/link"), at + 1024, 0x100), 0);
	user_read(stat, at + 1024, 128);
	memcpy(&mode, stat + 16, 4);
	CHECK_EQ(mode, 0120777);
	CHECK_EQ(sys(SYS_newfstatat, CWD, user_text(at, "/dev/console"), at + 1024, 0), 0);
	CHECK_EQ(sys(SYS_newfstatat, CWD, user_text(at, "/dev"), at + 4000, 0), -EFAULT);
	CHECK_EQ(sys(SYS_newfstatat, CWD, user_text(at, "/dev"), at + 1024, 4), -EINVAL);
	CHECK_EQ(sys(SYS_faccessat, CWD, user_text(at, "/text"), 1), -EACCES);
	CHECK_EQ(sys(SYS_faccessat, CWD, user_text(at, "/text"), 2), -EROFS);
	CHECK_EQ(sys(SYS_faccessat, CWD, user_text(at, "/init"), 5), 0);
}

static void test_tree(void **state)
{
	(void)state;
	assert_true(run_hosted(tree));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_archive), cmocka_unit_test(test_wrong_names),
		cmocka_unit_test(test_tree),	   cmocka_unit_test(test_cut),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests_name("archives", tests, NULL, NULL);
}
