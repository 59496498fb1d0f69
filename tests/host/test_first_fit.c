// SPDX-License-Identifier: MIT
/* The same with the other heap. */
#define FIRST_FIT
#include "test_mm.c"
