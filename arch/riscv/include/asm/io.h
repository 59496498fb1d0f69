/* SPDX-License-Identifier: MIT */
/* Device registers: accesses of fixed width, in program order with each other. */
#ifndef ASM_IO_H
#define ASM_IO_H

#include <ahoy/compiler.h>
#include <ahoy/types.h>

#ifdef __CHECKER__
#define __iomem __attribute__((noderef, address_space(2)))
#define __force __attribute__((force))
#else
#define __iomem
#define __force
#endif

/*
 * Reads and writes of I/O memory are kept in order by the memory type of the
 * region (Privileged Architecture 3.6.5: strongly ordered channel); the
 * compiler keeps them in order because they are volatile.
 */
static __always_inline u8 io_read8(const void __iomem *addr)
{
	return *(const volatile u8 __force *)addr;
}

static __always_inline u16 io_read16(const void __iomem *addr)
{
	return *(const volatile u16 __force *)addr;
}

static __always_inline u32 io_read32(const void __iomem *addr)
{
	return *(const volatile u32 __force *)addr;
}

static __always_inline void io_write8(u8 value, void __iomem *addr)
{
	*(volatile u8 __force *)addr = value;
}

static __always_inline void io_write16(u16 value, void __iomem *addr)
{
	*(volatile u16 __force *)addr = value;
}

static __always_inline void io_write32(u32 value, void __iomem *addr)
{
	*(volatile u32 __force *)addr = value;
}

/*
 * Read a byte or a 32-bit word that may not be there. @addr: aligned to the
 * access. Return: 0 and the value in *@value, or -EFAULT if the access traps.
 * Context: interrupts off; takes stvec for the time of the access.
 */
int io_probe_read8(const void __iomem *addr, u32 *value);
int io_probe_read32(const void __iomem *addr, u32 *value);

#endif
