/* SPDX-License-Identifier: MIT */
/* The shared object that programs find by AT_SYSINFO_EHDR. The data page lies before it. */
#include <asm/page.h>

OUTPUT_ARCH(riscv)

PHDRS
{
	text PT_LOAD FLAGS(5) FILEHDR PHDRS;
	dynamic PT_DYNAMIC FLAGS(4);
}

SECTIONS
{
	PROVIDE_HIDDEN(vdso_data = . - PAGE_SIZE);
	. = SIZEOF_HEADERS;

	.hash : { *(.hash) } :text
	.gnu.hash : { *(.gnu.hash) }
	.dynsym : { *(.dynsym) }
	.dynstr : { *(.dynstr) }
	.gnu.version : { *(.gnu.version) }
	.gnu.version_d : { *(.gnu.version_d) }
	.dynamic : { *(.dynamic) } :text :dynamic
	.rodata : { *(.rodata .rodata.* .srodata .srodata.* .got .got.plt) } :text
	.text : { *(.text .text.*) } :text

	/DISCARD/ : { *(.data .data.* .sdata .sdata.* .bss .sbss .comment .note .note.* .eh_frame .eh_frame_hdr .plt .riscv.attributes) }
}

/* The name that Linux gives its functions' version on this architecture */
VERSION
{
	LINUX_4.15 {
	global:
		__vdso_clock_gettime;
		__vdso_gettimeofday;
		__vdso_clock_getres;
	local: *;
	};
}
