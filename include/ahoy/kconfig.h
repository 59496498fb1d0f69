/* SPDX-License-Identifier: MIT */
/*
 * The configuration, and IS_ENABLED() to ask for it in C. Included before
 * everything else by the compiler's command line.
 */
#ifndef AHOY_KCONFIG_H
#define AHOY_KCONFIG_H

#include <generated/autoconf.h>

/*
 * 1 if the bool option is on, 0 if it is off; a constant in C and in #if.
 * An option that is on is defined as 1, which pastes to a comma and so moves
 * the 1 to second place; anything else leaves the 0 there.
 */
#define AHOY_PLACEHOLDER_1		 0,
#define ahoy_second(ignored, value, ...) value
#define ahoy_on_(arg1_or_junk)		 ahoy_second(arg1_or_junk 1, 0, 0)
#define ahoy_on(value)			 ahoy_on__(value)
#define ahoy_on__(value)		 ahoy_on_(AHOY_PLACEHOLDER_##value)
#define IS_ENABLED(option)		 ahoy_on(option)

#endif
