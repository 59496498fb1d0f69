// SPDX-License-Identifier: MIT
/* The copy functions themselves; what they do with faults is mm's, and tested there. */
#include <ahoy/ktest.h>
#include <ahoy/string.h>
#include <asm/uaccess.h>

static void __user *at(unsigned long addr)
{
	return (void __user __force *)addr;
}

/* Every alignment of both sides, and every length around a word's and four words'. */
KTEST(uaccess, alignments)
{
	static u8 from[96], to[96];
	unsigned int i, a, b, n;

	for (i = 0; i < sizeof(from); i++)
		from[i] = (u8)(i + 1);
	for (a = 0; a < 8; a++) {
		for (b = 0; b < 8; b++) {
			for (n = 0; n <= 72; n++) {
				memset(to, 0xee, sizeof(to));
				KTEST_EXPECT(uaccess_copy(to + 8 + a, from + b, n, false) == 0);
				KTEST_EXPECT(!memcmp(to + 8 + a, from + b, n));
				KTEST_EXPECT(to[7 + a] == 0xee && to[8 + a + n] == 0xee);
			}
		}
		for (n = 0; n <= 72; n++) {
			memset(to, 0xee, sizeof(to));
			KTEST_EXPECT(uaccess_clear(to + 8 + a, n, 0, false) == 0);
			for (i = 0; i < n; i++)
				KTEST_EXPECT(to[8 + a + i] == 0);
			KTEST_EXPECT(to[7 + a] == 0xee && to[8 + a + n] == 0xee);
		}
	}
	KTEST_EXPECT(!user_access_open());
}

KTEST(uaccess, ranges)
{
	u64 value = 5;
	char text[8];

	KTEST_EXPECT(copy_from_user(&value, at(user_end - 4), 8) == -EFAULT);
	KTEST_EXPECT(copy_from_user(&value, at(user_end), 0) == 0);
	KTEST_EXPECT(copy_from_user(&value, at(user_end + 1), 0) == -EFAULT);
	KTEST_EXPECT(copy_from_user(&value, at((unsigned long)&value), 8) == -EFAULT);
	KTEST_EXPECT(copy_to_user(at((unsigned long)&value), &value, 8) == -EFAULT);
	KTEST_EXPECT(copy_to_user(at(1), &value, ~0UL) == -EFAULT);
	KTEST_EXPECT(clear_user(at(~7UL), 8) == -EFAULT);
	KTEST_EXPECT(strncpy_from_user(text, at((unsigned long)"abc"), 8) == -EFAULT);
	/* This thread is in no space: nothing is anywhere. */
	KTEST_EXPECT(copy_from_user(&value, at(0x1000), 8) == -EFAULT);
	KTEST_EXPECT(copy_from_user_nofault(&value, at(0x1000), 8) == -EFAULT);
	KTEST_EXPECT(copy_to_user(at(0), &value, 8) == -EFAULT);
	KTEST_EXPECT(copy_to_user_nofault(at(0), &value, 8) == -EFAULT);
	KTEST_EXPECT(clear_user(at(0x1000), 8) == -EFAULT);
	KTEST_EXPECT(strncpy_from_user(text, at(0x1000), 8) == -EFAULT);
	KTEST_EXPECT(strncpy_from_user_nofault(text, at(0x1000), 8) == -EFAULT);
	KTEST_EXPECT(strncpy_from_user(text, at(0x1000), 0) == 0);
	KTEST_EXPECT(value == 5);
	KTEST_EXPECT(!user_access_open());
}
