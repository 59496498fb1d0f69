// SPDX-License-Identifier: MIT
#include <asm/die.h>
#include <asm/processor.h>
#include <asm/sbi.h>

static void put(const char *text)
{
	while (*text)
		sbi_legacy_putchar(*text++);
}

void die_early(const char *reason)
{
	put("Kernel panic - not syncing: ");
	put(reason);
	put("---[ end Kernel panic ]---\n");
	sbi_system_reset(SBI_SRST_TYPE_SHUTDOWN, SBI_SRST_REASON_SYSTEM_FAIL);
	sbi_legacy_shutdown();
	cpu_idle_forever();
}
