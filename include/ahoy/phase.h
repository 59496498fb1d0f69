/* SPDX-License-Identifier: MIT */
/*
 * Phases of start-up, for the meter: it tells what each of them costs.
 *
 * A phase begins where its label is, and lasts until the next one's. The label
 * is a row (address, name) in a section of the ELF file that is not loaded: the
 * image is the same, byte for byte, as without it.
 */
#ifndef AHOY_PHASE_H
#define AHOY_PHASE_H

#ifdef __ASSEMBLER__
/* clang-format off */

.macro PHASE name
#ifndef NO_PHASES
771:
	.pushsection .ahoy.phases, "", @progbits
	.8byte	771b
	.asciz	"\name"
	.popsection
#endif
.endm

/* clang-format on */
#else

/*
 * Here begins the phase @name, a string of letters, digits, spaces and "-".
 * Only between statements that the compiler cannot exchange, such as calls.
 * Inline, so that it weighs nothing when the compiler decides what to inline.
 */
#ifdef NO_PHASES /* a test's: the image must be the same without */
#define PHASE(name) ((void)0)
#else
#define PHASE(name)                                                                                \
	__asm__ __inline__ __volatile__("771:\n"                                                   \
					"\t.pushsection .ahoy.phases, \"\", @progbits\n"           \
					"\t.8byte 771b\n"                                          \
					"\t.asciz \"" name "\"\n"                                  \
					"\t.popsection")
#endif

#endif

#endif
