// SPDX-License-Identifier: MIT
/* riscv_hwprobe(): what harts can do. */
#include "syscall.h"
#include <ahoy/compiler.h>

struct hwprobe_pair {
	s64 key;
	u64 value;
};

enum hwprobe_key {
	HWPROBE_VENDOR,
	HWPROBE_ARCHITECTURE,
	HWPROBE_IMPLEMENTATION,
	HWPROBE_BASE_BEHAVIOR,
	HWPROBE_EXTENSIONS,
	HWPROBE_MISALIGNED,
};

#define BASE_BEHAVIOR_IMA 1
#define EXTENSION_FD	  1
#define EXTENSION_C	  2

static bool has(char extension)
{
	return user_hwcap() & BIT(extension - 'a');
}

static void answer(struct hwprobe_pair *pair)
{
	pair->value = 0;
	switch (pair->key) {
	case HWPROBE_VENDOR:
	case HWPROBE_ARCHITECTURE:
	case HWPROBE_IMPLEMENTATION:
		/* As of harts that differ: nobody has asked them. */
		pair->value = ~0ULL;
		break;
	case HWPROBE_BASE_BEHAVIOR:
		pair->value = has('i') && has('m') && has('a') ? BASE_BEHAVIOR_IMA : 0;
		break;
	case HWPROBE_EXTENSIONS:
		pair->value =
			(has('f') && has('d') ? EXTENSION_FD : 0) | (has('c') ? EXTENSION_C : 0);
		break;
	case HWPROBE_MISALIGNED: /* unknown */
		break;
	default:
		pair->key = -1;
	}
}

/* Is a hart that is in use in the set? All are alike. */
static int check_harts(size_t size, const unsigned long __user *set)
{
	unsigned int harts = hart_count();
	u8 byte;

	if (!set)
		return size ? -EINVAL : 0;
	for (unsigned int hart = 0; hart < harts && hart / 8 < size; hart++) {
		if (copy_from_user(&byte, (const u8 __user *)set + hart / 8, 1))
			return -EFAULT;
		if (byte & (1u << hart % 8))
			return 0;
	}
	return -EINVAL;
}

SYSCALL5(258, riscv_hwprobe, struct hwprobe_pair __user *, pairs, size_t, count, size_t, set_size,
	 const unsigned long __user *, set, unsigned int, flags)
{
	struct hwprobe_pair pair;
	int err = flags ? -EINVAL : check_harts(set_size, set);

	for (size_t i = 0; i < count && !err; i++) {
		if (copy_from_user(&pair, pairs + i, sizeof(pair)))
			return -EFAULT;
		answer(&pair);
		if (copy_to_user(pairs + i, &pair, sizeof(pair)))
			return -EFAULT;
	}
	return err;
}
