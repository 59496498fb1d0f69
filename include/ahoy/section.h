/* SPDX-License-Identifier: MIT */
/*
 * Tables that the linker collects: a row stands in the file that it belongs
 * to, and leaving the file out of the build leaves the row out.
 */
#ifndef AHOY_SECTION_H
#define AHOY_SECTION_H

#include <ahoy/compiler.h>

/*
 * Put a row of type @type into table @table. Rows are sorted by the text of
 * @order (use digits of equal number), and within it by name, whatever the
 * order of linking.
 */
#define LINKER_TABLE_ROW(type, table, order, name)                                                 \
	static const type __table_##table##_##name __used __aligned(__alignof__(type))             \
		__section(".table." #table "." #order "." #name)

/* Declare the bounds of a table: an array @table##_start up to @table##_end. */
#define LINKER_TABLE(type, table) extern const type table##_start[], table##_end[]

#define for_each_row(row, table) for ((row) = table##_start; (row) < table##_end; (row)++)

/* Data that start-up does not clear: buffers that are written before they are read. */
#define __noinit __section(".noinit")

#endif
