/* SPDX-License-Identifier: MIT */
/*
 * The names of what lib/ builds on a C library's functions, which are the host's here.
 * Included before such a source, instead of rename.h.
 */
#define parse_digits libc_parse_digits
#define scnprintf    libc_scnprintf
#define vscnprintf   libc_vscnprintf
#define strscpy	     ahoy_strscpy
