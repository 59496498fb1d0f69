// SPDX-License-Identifier: MIT
#include <ahoy/init.h>
#include <ahoy/printk.h>
#include <asm/paging.h>
#include <generated/utsrelease.h>

static void banner(void)
{
	console_printf("Ahoy %s (%s), %s\n", UTS_RELEASE, CONFIG_CC_VERSION_TEXT, paging_format());
}
INIT(late, banner);
