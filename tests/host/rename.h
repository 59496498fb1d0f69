/* SPDX-License-Identifier: MIT */
/*
 * Gives what lib/ defines names of its own, so that it can be linked with the
 * host's C library and compared with it. Included before each of lib's sources;
 * tests include lib.h.
 */
#ifndef PREFIX
#define PREFIX ahoy_
#endif
#define RENAME__(a, b) a##b
#define RENAME_(a, b)  RENAME__(a, b)
#define RENAME(name)   RENAME_(PREFIX, name)

#define memchr	   RENAME(memchr)
#define memcmp	   RENAME(memcmp)
#define memcpy	   RENAME(memcpy)
#define memmove	   RENAME(memmove)
#define memset	   RENAME(memset)
#define strchr	   RENAME(strchr)
#define strcmp	   RENAME(strcmp)
#define strlen	   RENAME(strlen)
#define strncmp	   RENAME(strncmp)
#define strnlen	   RENAME(strnlen)
#define strrchr	   RENAME(strrchr)
#define strscpy	   RENAME(strscpy)
#define scnprintf  RENAME(scnprintf)
#define snprintf   RENAME(snprintf)
#define vscnprintf RENAME(vscnprintf)
#define vsnprintf  RENAME(vsnprintf)
