/* SPDX-License-Identifier: MIT */
/* What the tables in use allow, for tests. */
#ifndef ASM_PAGING_CHECK_H
#define ASM_PAGING_CHECK_H

#include <ahoy/types.h>

struct paging_findings {
	unsigned long leaves;
	unsigned long executable;
	unsigned long both;    /* that can be written and executed */
	unsigned long aliases; /* that can be written, and map kernel text or constants */
	unsigned long wanted;  /* that map the address asked for, readable and writable */
};

/* Walk the tables that this hart uses; look for @wanted. Context: a test, CONFIG_MMU. */
struct paging_findings paging_check(const void *wanted);

#endif
