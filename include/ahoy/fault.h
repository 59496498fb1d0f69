/* SPDX-License-Identifier: MIT */
/* What arch calls when an access to user memory faults, and for its reports. */
#ifndef AHOY_FAULT_H
#define AHOY_FAULT_H

#include <ahoy/personality.h>
#include <ahoy/types.h>

/*
 * An access to user address @addr has faulted; make it possible, if it is
 * permitted. @access: one of VM_READ, VM_WRITE, VM_EXEC. Return: 0 if it can be
 * repeated; else a negative errno as of address_space_fault(), or -EFAULT in a
 * thread without address space. Context: any thread; sleeps.
 */
int user_fault(unsigned long addr, unsigned int access);

/*
 * Whether the byte before @address is on the stack of the thread that runs,
 * which is not the boot thread. Context: any.
 */
bool thread_on_stack(unsigned long address);

#endif
