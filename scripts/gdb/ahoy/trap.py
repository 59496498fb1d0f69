# SPDX-License-Identifier: MIT
"""Backtraces that go on where a trap interrupted the kernel.

The trap entry (arch/riscv/entry.S) saves the registers at the top of the trap
stack and jumps to trap_report(), which never returns: to gdb's own unwinder
that is the end. The unwinder here knows the saved registers, so that plain
"bt", "up" and "info locals" cross the trap too.
"""

import struct
from typing import Dict, Optional

import gdb
from gdb.unwinder import Unwinder, register_unwinder as gdb_register_unwinder

from .command import Command, register
from .memory import Elf, kernel, need_target
from .paging import read_kernel

# struct pt_regs (arch/riscv/include/asm/ptrace.h): xN at 8 * N, the pc in x0's place.
PT_TVAL = 264
PT_CAUSE = 272
PT_SIZE = 288

NAMES = ("zero ra sp gp tp t0 t1 t2 fp s1 a0 a1 a2 a3 a4 a5 a6 a7 s2 s3 s4 s5 s6 s7 s8 s9 s10 "
         "s11 t3 t4 t5 t6").split()

INTERRUPT = 1 << 63
CAUSES = {
    0: "instruction address misaligned", 1: "instruction access fault",
    2: "illegal instruction", 3: "breakpoint", 4: "load address misaligned",
    5: "load access fault", 6: "store address misaligned", 7: "store access fault",
    8: "environment call from U-mode", 9: "environment call from S-mode",
    12: "instruction page fault", 13: "load page fault", 15: "store page fault",
    INTERRUPT | 1: "software interrupt", INTERRUPT | 5: "timer interrupt",
    INTERRUPT | 9: "external interrupt",
}


def in_function(elf: Elf, pc: int, name: str) -> bool:
    """Tell whether a pc lies in a function."""
    start, size = elf.symbols.get(name, (0, 0))
    return start <= pc < start + size


def saved_registers(elf: Elf) -> Dict[str, int]:
    """Return the registers that the trap entry saved, by name, and pc, tval, cause."""
    top = elf.symbols["trap_stack_top"][0]
    frame = read_kernel(top - PT_SIZE, PT_SIZE)
    words = struct.unpack(f"<{PT_SIZE // 8}Q", frame)
    saved = dict(zip(NAMES[1:], words[1:32]))
    saved.update(pc=words[0], tval=words[PT_TVAL // 8], cause=words[PT_CAUSE // 8])
    return saved


def entry_registers(elf: Elf, pc: int) -> Dict[str, int]:
    """Return the trapped code's registers while the trap entry is at work."""
    scratch = register("sscratch")
    if scratch and pc != elf.symbols["trap_entry"][0]:
        # sp is exchanged, all others are as they were.
        saved = {name: register(name) for name in NAMES[1:]}
        saved["sp"] = scratch
    elif scratch:
        saved = {name: register(name) for name in NAMES[1:]}
    else:
        # All is saved but sp, which is on its way there in t0.
        saved = saved_registers(elf)
        saved["sp"] = register("t0")
    saved.update(pc=register("sepc"), tval=register("stval"), cause=register("scause"))
    return saved


def trapped(pc: int) -> Optional[Dict[str, int]]:
    """Return the interrupted code's registers if a frame's pc is where it was left."""
    elf = kernel()
    if in_function(elf, pc, "trap_report"):
        return saved_registers(elf)
    if in_function(elf, pc, "trap_entry"):
        return entry_registers(elf, pc)
    return None


class FrameId:
    """What tells a frame from others."""

    def __init__(self, sp: gdb.Value, pc: gdb.Value) -> None:
        self.sp = sp
        self.pc = pc


class TrapUnwinder(Unwinder):
    """Leads from the trap's handler to the code that trapped."""

    def __init__(self) -> None:
        super().__init__("ahoy-trap")

    def __call__(self, pending_frame: gdb.PendingFrame) -> Optional[gdb.UnwindInfo]:
        pc = pending_frame.read_register("pc")
        try:
            saved = trapped(int(pc) % (1 << 64))
        except (gdb.GdbError, gdb.error, KeyError):
            return None
        if saved is None:
            return None
        info = pending_frame.create_unwind_info(FrameId(pending_frame.read_register("sp"), pc))
        for name in ["pc"] + NAMES[1:]:
            kind = pending_frame.read_register(name).type
            info.add_saved_register(name, gdb.Value(saved[name]).cast(kind))
        return info


def register_unwinder() -> None:
    """Let gdb use the unwinder."""
    gdb_register_unwinder(None, TrapUnwinder(), replace=True)


def trap_text(saved: Dict[str, int]) -> str:
    """Return a line that says what the trap was."""
    name = CAUSES.get(saved["cause"], f"unknown cause {saved['cause']:#x}")
    return f"--- trap: {name}, stval {saved['tval']:#x}, at pc {saved['pc']:#x} ---"


class Backtrace(Command):
    """Print the calls that led here, across a trap: ahoy-bt

Like bt, but says what the trap was; works before paging is on too, and says
when the hart is in firmware."""

    name = "ahoy-bt"

    def invoke(self, argument: str, from_tty: bool) -> None:
        """Run the command."""
        self.words(argument)
        need_target()
        elf = kernel()
        pc = register("pc")
        if elf.where(pc) is None:
            self.outside(elf, pc)
            return
        if elf.physical(pc) is None:
            load_early_symbols()
        frame: Optional[gdb.Frame] = gdb.newest_frame()
        while frame is not None and frame.is_valid():
            self.show(elf, frame)
            saved = trapped(frame.pc())
            if saved:
                print(trap_text(saved))
            frame = self.caller(elf, frame)

    @staticmethod
    def caller(elf: Elf, frame: gdb.Frame) -> Optional[gdb.Frame]:
        """Return the frame that called one of the kernel, None for the first."""
        try:
            older = frame.older()
            if older is None:
                return None
            pc = older.pc()
        except gdb.error:
            # gdb does not find the way back, of which the first function has none.
            return None
        if elf.where(pc) is None:
            print(f"     {pc:#018x} is not in the kernel: the backtrace ends")
            return None
        return older

    @staticmethod
    def outside(elf: Elf, pc: int) -> None:
        """Say where a hart is that does not run the kernel."""
        if register("priv") != 3:
            print(f"The hart is at {pc:#x}, which is not in the kernel")
            return
        mepc = register("mepc")
        where = elf.where(mepc)
        print(f"The hart is in firmware (M-mode) at {pc:#x}"
              + (f", last entered from {mepc:#x} in {where}" if where else
                 "; the kernel has not called it yet"))

    @staticmethod
    def show(elf: Elf, frame: gdb.Frame) -> None:
        """Print one frame."""
        pc = frame.pc()
        # A return address may lie behind its function's end.
        lookup = pc if frame.level() == 0 else pc - 1
        place = elf.where(lookup) or "?"
        if lookup != pc:
            name, _, offset = place.partition("+")
            place = f"{name}+{int(offset, 16) + 1:#x}"
        if frame.type() == gdb.INLINE_FRAME:
            place = f"{frame.name()}, inlined in {place}"
        sal = frame.find_sal()
        line = f" at {sal.symtab.filename}:{sal.line}" if sal.symtab else ""
        print(f"#{frame.level():<3} {pc:#018x} {place}{line}")


def load_early_symbols() -> bool:
    """Give gdb the kernel's symbols at physical addresses too; tell whether it needed them."""
    elf = kernel()
    vaddr, paddr, _ = min(elf.segments)
    if vaddr == paddr:
        return False
    if getattr(gdb.current_progspace(), "ahoy_early", None) != elf.path:
        gdb.execute(f"add-symbol-file {elf.path} -o {paddr - vaddr:#x}", to_string=True)
        gdb.current_progspace().ahoy_early = elf.path
    return True


class Early(Command):
    """Load the kernel's symbols at physical addresses too: ahoy-early

For the code that runs before paging is on in a kernel of the upper half.
Afterwards a breakpoint on a function has two places, of which only the one
that runs is hit."""

    name = "ahoy-early"

    def invoke(self, argument: str, from_tty: bool) -> None:
        """Run the command."""
        self.words(argument)
        if load_early_symbols():
            print("The kernel's symbols are known at physical addresses too")
        else:
            print("The kernel runs at physical addresses: its symbols are known there")
