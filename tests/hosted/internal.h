/* SPDX-License-Identifier: MIT */
/* Between the files of the hosted core */
#ifndef TESTS_HOSTED_INTERNAL_H
#define TESTS_HOSTED_INTERNAL_H

#include "hosted.h"

/* Does this allocation fail? */
bool hosted_fails(void);

/* The space that the current thread is in. */
struct address_space **hosted_space(void);

/* Another hold on @space, for a thread that is to be in it. */
void hosted_space_hold(struct address_space *space);

void hosted_set_archive(const void *start, size_t size);

/* How many threads run programs. */
long hosted_threads(void);

#endif
