/* SPDX-License-Identifier: MIT */
/* Names of error numbers. */
#ifndef AHOY_ERRNAME_H
#define AHOY_ERRNAME_H

#include <ahoy/types.h>

/**
 * errname() - name of an error number
 * @err: the number, negative as functions return it, or positive
 *
 * Return: "-ENOMEM" for -12, "ENOMEM" for 12; NULL for one without a name, and
 * for all without CONFIG_SYMBOLIC_ERRNAME. Context: any.
 */
#ifdef CONFIG_SYMBOLIC_ERRNAME
const char *errname(int err);
#else
static inline const char *errname(int err)
{
	(void)err;
	return NULL;
}
#endif

#endif
