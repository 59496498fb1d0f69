/* SPDX-License-Identifier: MIT */
/* In place of the kernel's: the only memory that is there is the fuzzer's tree. */
#ifndef ASM_IO_H
#define ASM_IO_H

#include <ahoy/types.h>

#define __iomem
#define __force

int io_probe_read32(const void *addr, u32 *value);

#endif
