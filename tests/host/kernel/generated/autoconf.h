/* SPDX-License-Identifier: MIT */
/* The configuration in which kernel sources are compiled into fuzzers. */
#define CONFIG_OF	    1
#define CONFIG_MEMBLOCK	    1
#define CONFIG_COMMAND_LINE 1
#define CONFIG_PANIC	    1
