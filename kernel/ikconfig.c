// SPDX-License-Identifier: MIT
/*
 * The configuration inside the image, between two markers that
 * scripts/extract-ikconfig looks for.
 */
#include <ahoy/cmdline.h>
#include <ahoy/console.h>
#include <ahoy/init.h>

#define MARK_BEGIN "IKCFG_ST"
#define MARK_END   "IKCFG_ED"

static const char kernel_config[] __used __section(".rodata.ikconfig") = MARK_BEGIN
#include <generated/config_text.h>
	MARK_END;

#ifdef CONFIG_IKCONFIG_PRINT
static bool asked;

static void set_ikconfig(const char *value)
{
	asked = true;
}
PARAM(ikconfig, set_ikconfig);

static void print_config(void)
{
	size_t marks = sizeof(MARK_BEGIN) - 1 + sizeof(MARK_END) - 1;

	if (asked)
		console_write(kernel_config + sizeof(MARK_BEGIN) - 1,
			      sizeof(kernel_config) - 1 - marks);
}
INIT(late, print_config);
#endif
