/* SPDX-License-Identifier: MIT */
/*
 * What tests and fuzzers see: the host's C library under its own names, and
 * lib/'s functions of the same names with ahoy_ before them.
 */
#ifndef TESTS_HOST_LIB_H
#define TESTS_HOST_LIB_H

/* The host's come first: some of their names are macros in lib/'s headers. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The compiler reports these as errors of the program rather than of the host's library. */
#undef memchr
#undef memcmp
#undef memcpy
#undef memmove
#undef memset
#undef strchr
#undef strcmp
#undef strlen
#undef strncmp
#undef strnlen
#undef strrchr
#undef snprintf
#undef vsnprintf

#include "rename.h"

#include <ahoy/compiler.h>
#include <ahoy/cpio.h>
#include <ahoy/elf.h>
#include <ahoy/errname.h>
#include <ahoy/errno.h>
#include <ahoy/fdt.h>
#include <ahoy/kallsyms.h>
#include <ahoy/kstrtox.h>
#include <ahoy/params.h>
#include <ahoy/printf.h>
#include <ahoy/string.h>
#include <ahoy/types.h>

#undef memchr
#undef memcmp
#undef memcpy
#undef memmove
#undef memset
#undef strchr
#undef strcmp
#undef strlen
#undef strncmp
#undef strnlen
#undef strrchr
#undef strscpy
#undef scnprintf
#undef snprintf
#undef vscnprintf
#undef vsnprintf

#endif
