// SPDX-License-Identifier: MIT
/*
 * The kernel's own C library beside another one, under names that begin with own_: for the
 * tests that compare the two.
 */
#define memchr	     own_memchr
#define memcmp	     own_memcmp
#define memcpy	     own_memcpy
#define memmove	     own_memmove
#define memset	     own_memset
#define parse_digits own_parse_digits
#define scnprintf    own_scnprintf
#define snprintf     own_snprintf
#define strchr	     own_strchr
#define strcmp	     own_strcmp
#define strlen	     own_strlen
#define strncmp	     own_strncmp
#define strnlen	     own_strnlen
#define strrchr	     own_strrchr
#define vscnprintf   own_vscnprintf
#define vsnprintf    own_vsnprintf

#include "digits.c"
#include "string.c"
#include "vsprintf.c"
