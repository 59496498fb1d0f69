/* SPDX-License-Identifier: MIT */
/* The end: power-off, reboot, or rest, by each of the configured ways in turn. */
#ifndef AHOY_POWER_H
#define AHOY_POWER_H

#include <ahoy/compiler.h>
#include <ahoy/types.h>
#include <asm/paging.h>
#include <asm/processor.h>
#include <asm/sbi.h>

/* What the SiFive test device understands; QEMU's exit status is code >> 16. */
#define SIFIVE_TEST_PASS  0x5555
#define SIFIVE_TEST_RESET 0x7777
#define SIFIVE_TEST_FAIL  0x3333

#if defined(CONFIG_POWER_SIFIVE_TEST) && defined(CONFIG_OF)
/* Write @code to the test device, if the device tree named one. */
void sifive_test_write(u32 code);
#elif defined(CONFIG_POWER_SIFIVE_TEST)
static __always_inline void sifive_test_write(u32 code)
{
	io_write32(code, fixmap_io(FIXMAP_TEST, CONFIG_PLATFORM_TEST_BASE, sizeof(u32)));
}
#else
static inline void sifive_test_write(u32 code)
{
}
#endif

/* Come to the configured end. Context: boot hart, interrupts off. */
static __always_inline void __noreturn machine_finish(void)
{
	if (IS_ENABLED(CONFIG_FINISH_POWEROFF)) {
		if (IS_ENABLED(CONFIG_POWER_SBI_SRST))
			sbi_system_reset(SBI_SRST_TYPE_SHUTDOWN, SBI_SRST_REASON_NONE);
		if (IS_ENABLED(CONFIG_POWER_SBI_LEGACY))
			sbi_legacy_shutdown();
		sifive_test_write(SIFIVE_TEST_PASS);
	}
	if (IS_ENABLED(CONFIG_FINISH_REBOOT)) {
		if (IS_ENABLED(CONFIG_POWER_SBI_SRST))
			sbi_system_reset(SBI_SRST_TYPE_COLD_REBOOT, SBI_SRST_REASON_NONE);
		sifive_test_write(SIFIVE_TEST_RESET);
	}
	cpu_idle_forever();
}

/*
 * End with a failure, which the test device alone can tell the outside, so it
 * comes first here. @status: 1 to 255. Context: any.
 */
static __always_inline void __noreturn machine_fail(u32 status)
{
	if (IS_ENABLED(CONFIG_POWER_SIFIVE_TEST)) {
		sifive_test_write(SIFIVE_TEST_FAIL | status << 16);
		/*
		 * The machine ends a moment later, and the next way to end it
		 * would replace the status that tells of the failure. Half a
		 * second under emulation.
		 */
		for (unsigned long i = 0; i < 1UL << 28; i++)
			barrier();
	}
	if (IS_ENABLED(CONFIG_POWER_SBI_SRST))
		sbi_system_reset(SBI_SRST_TYPE_SHUTDOWN, SBI_SRST_REASON_SYSTEM_FAIL);
	if (IS_ENABLED(CONFIG_POWER_SBI_LEGACY))
		sbi_legacy_shutdown();
	cpu_idle_forever();
}

#endif
