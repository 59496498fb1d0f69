/* SPDX-License-Identifier: MIT */
/* The kernel's layout: in memory from KERNEL_LINK_ADDR, in the file from 2 MiB above RAM. */
#include <asm/page.h>
#include <asm/layout.h>

#ifdef CONFIG_MMU
/* Parts with different rights must not share a page. */
#define PART_ALIGN PAGE_SIZE
#else
#define PART_ALIGN 8
#endif

#define TABLE(name) \
	. = ALIGN(8); \
	name##_start = .; \
	KEEP(*(SORT_BY_NAME(.table.name.*))) \
	name##_end = .;

OUTPUT_ARCH(riscv)
ENTRY(_start)

PHDRS
{
	text PT_LOAD FLAGS(5);
	rodata PT_LOAD FLAGS(4);
	data PT_LOAD FLAGS(6);
}

SECTIONS
{
	. = KERNEL_LINK_ADDR;
	_start = .;

	.text : AT(ADDR(.text) - PAGE_OFFSET) {
		KEEP(*(.head.header))
		. = ALIGN(4);
		_entry = .;
		KEEP(*(.head.text))
		*(.text .text.*)
#ifndef CONFIG_BOOT_STACK
		/* One function and its text: nothing between them. */
		KEEP(*(.rodata.ikconfig))
		*(.rodata .rodata.* .srodata .srodata.*)
#endif
		_etext = .;
	} :text

#ifdef CONFIG_BOOT_STACK
#ifdef CONFIG_INITRAMFS_EMBED
	/*
	 * Programs have the pages of files in it mapped, too. Its first header, of the
	 * program /init, fills the text's last page: 116 bytes.
	 */
	. = ALIGN(. + 116, PAGE_SIZE) - 116;
	.initramfs : AT(ADDR(.initramfs) - PAGE_OFFSET) {
		KEEP(*(.initramfs))
	} :rodata
	_rodata_start = ADDR(.initramfs) + 116;
#else
	. = ALIGN(PART_ALIGN);
	_rodata_start = .;
#endif
	.rodata : AT(ADDR(.rodata) - PAGE_OFFSET) {
		TABLE(init)
		TABLE(console)
		TABLE(of_driver)
		TABLE(param)
		TABLE(bench)
		TABLE(crash_way)
		TABLE(ktest)
		TABLE(extable)
		TABLE(syscall)
		TABLE(device)
		TABLE(musl_call)
		KEEP(*(.rodata.ikconfig))
		KEEP(*(.rodata.kallsyms))
		*(.rodata .rodata.* .srodata .srodata.*)
		_rodata_end = .;
	} :rodata

	. = ALIGN(PART_ALIGN);
	.data : AT(ADDR(.data) - PAGE_OFFSET) {
		_data_start = .;
		*(.data .data.*)
		. = ALIGN(8);
#ifndef CONFIG_USERSPACE
		__global_pointer$ = . + 0x800;
#endif
		*(.sdata .sdata.*)
		. = ALIGN(8);
	} :data

	/*
	 * As start-up clears it, and no less than .debug_aranges: GNU ld looks at the largest alignment of all
	 * sections before it replaces an address by an offset from gp, and debug
	 * information must not change the code.
	 */
	.bss (NOLOAD) : AT(ADDR(.bss) - PAGE_OFFSET) ALIGN(32) {
		__bss_start = .;
		*(.sbss .sbss.*)
		*(.bss .bss.* COMMON)
		. = ALIGN(32);
		__bss_stop = .;

		/* From here on, memory that start-up does not clear. */
		*(.noinit .noinit.*)
#ifdef CONFIG_TRAPS
		. = ALIGN(16);
		. += TRAP_STACK_SIZE;
		trap_stack_top = .;
#endif
#ifdef CONFIG_MMU
		. = ALIGN(PAGE_SIZE);
		fixmap_pages = .;
		. += FIXMAP_PAGES * PAGE_SIZE;
		*(.noinit_pages)
		/* Not mapped: an overflow of the boot stack faults. */
		boot_stack_guard = .;
		. += PAGE_SIZE;
		. += CONFIG_BOOT_STACK_SIZE;
		. = ALIGN(PAGE_SIZE);
#else
		. = ALIGN(16);
		. += CONFIG_BOOT_STACK_SIZE;
		. = ALIGN(16);
#endif
		boot_stack_top = .;
	} :data
#endif

	_end = .;
#ifdef CONFIG_LINEAR_MAP
	/* The kernel maps all of its block, and so wants all of it. */
	_image_size = KERNEL_ALIGN;
#else
	_image_size = ALIGN(_end - _start, 0x1000);
#endif

	.orphan_tables : { KEEP(*(.table.*)) }
	.riscv.attributes 0 : { *(.riscv.attributes) }
	.ahoy.phases 0 : { KEEP(*(.ahoy.phases)) }

	/DISCARD/ : {
		*(.note .note.* .comment .eh_frame .eh_frame_hdr)
#ifndef CONFIG_BOOT_STACK
		*(.discard)
#endif
	}
}

#ifndef CONFIG_BOOT_STACK
ASSERT(SIZEOF(.text) == _end - _start, "a kernel without a stack has no data either")
#endif
ASSERT(SIZEOF(.orphan_tables) == 0, "a linker table is not listed in ahoy.lds.S")
ASSERT(_end - _start <= KERNEL_ALIGN, "the image and its memory must fit into 2 MiB")
