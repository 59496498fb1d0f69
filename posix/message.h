/* SPDX-License-Identifier: MIT */
/* What the personality itself has to say on the console. */
#ifndef POSIX_MESSAGE_H
#define POSIX_MESSAGE_H

#include <ahoy/compiler.h>

/* As printf() of lib; what is longer than 200 characters is cut. */
void message(const char *fmt, ...) __printf(1, 2);

#endif
