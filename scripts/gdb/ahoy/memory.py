# SPDX-License-Identifier: MIT
"""The kernel's file and the machine's memory, by physical address.

Commands must work wherever a hart is stopped: before paging is on, or in
firmware, where the kernel's virtual addresses mean nothing. So they read
physical memory and translate addresses themselves.
"""

import bisect
import struct
from typing import Callable, Dict, List, Optional, Tuple

import gdb

Reader = Callable[[int, int], bytes]


class Elf:
    """Symbols and segments of a 64-bit little-endian ELF file."""

    def __init__(self, path: str) -> None:
        with open(path, "rb") as file:
            data = file.read()
        if data[:6] != b"\x7fELF\x02\x01":
            raise gdb.GdbError(f"{path} is not a 64-bit little-endian ELF file")
        phoff, shoff = struct.unpack_from("<QQ", data, 32)
        phsize, phnum, shsize, shnum = struct.unpack_from("<HHHH", data, 54)
        self.path = path
        # (virtual address, physical address, size)
        self.segments: List[Tuple[int, int, int]] = []
        for i in range(phnum):
            kind, _, _, vaddr, paddr, _, memsz = struct.unpack_from("<IIQQQQQ", data,
                                                                    phoff + i * phsize)
            if kind == 1:
                self.segments.append((vaddr, paddr, memsz))
        self.symbols: Dict[str, Tuple[int, int]] = {}
        code: Dict[int, str] = {}
        sections = [struct.unpack_from("<IIQQQQIIQQ", data, shoff + i * shsize)
                    for i in range(shnum)]
        for section in sections:
            if section[1] == 2:
                self.read_symbols(data, section, sections, code)
        self.starts = sorted(code)
        self.names = [code[start] for start in self.starts]

    def read_symbols(self, data: bytes, table: Tuple[int, ...],
                     sections: List[Tuple[int, ...]], code: Dict[int, str]) -> None:
        """Read a symbol table."""
        strings = sections[table[6]][4]
        for offset in range(table[4], table[4] + table[5], 24):
            name_at, info, _, index, value, size = struct.unpack_from("<IBBHQQ", data, offset)
            begin = strings + name_at
            name = data[begin:data.index(b"\0", begin)].decode(errors="replace")
            if not name or name[0] == "$" or not 0 < index < 0xff00:
                continue
            self.symbols[name] = (value, size)
            # Functions win over plain labels at the same address.
            if sections[index][2] & 4 and (info & 15 == 2 or value not in code):
                code[value] = name

    def physical(self, address: int) -> Optional[int]:
        """Return where the kernel's address is loaded."""
        for vaddr, paddr, size in self.segments:
            if vaddr <= address < vaddr + size:
                return paddr + address - vaddr
        return None

    def virtual(self, address: int) -> Optional[int]:
        """Return the kernel's address of what is loaded at a physical one."""
        for vaddr, paddr, size in self.segments:
            if paddr <= address < paddr + size:
                return vaddr + address - paddr
        return None

    def where(self, address: int) -> Optional[str]:
        """Return function+offset of a virtual or, before paging, a physical address."""
        if self.physical(address) is None:
            virtual = self.virtual(address)
            if virtual is None:
                return None
            address = virtual
        i = bisect.bisect_right(self.starts, address) - 1
        return f"{self.names[i]}+{address - self.starts[i]:#x}" if i >= 0 else None


_elf: Optional[Elf] = None


def kernel() -> Elf:
    """Return the kernel's ELF file, which gdb has loaded."""
    global _elf
    path = gdb.current_progspace().filename
    if not path:
        raise gdb.GdbError("No kernel is loaded: start gdb with the file ahoy, or use make gdb")
    if _elf is None or _elf.path != path:
        _elf = Elf(path)
    return _elf


def symbol(name: str, option: str) -> Tuple[int, int]:
    """Return a symbol's address and size; option is what the kernel lacks without it."""
    try:
        return kernel().symbols[name]
    except KeyError:
        raise gdb.GdbError(f"The kernel has no {name}: it was built without {option}") from None


def need_target() -> None:
    """Refuse to go on without a stopped machine."""
    thread = gdb.selected_thread()
    if thread is None:
        raise gdb.GdbError('Not connected: run "make debug" in another terminal, then '
                           '"target remote :1234"')
    if thread.is_running():
        raise gdb.GdbError("The machine is running: stop it with Ctrl-C first")


class Physical:
    """Reading physical memory, within a with statement."""

    def __enter__(self) -> Reader:
        need_target()
        self.switch(1)
        return self.read

    def __exit__(self, *_: object) -> None:
        self.switch(0)

    @staticmethod
    def switch(on: int) -> None:
        """Tell QEMU whether addresses are physical."""
        answer = gdb.execute(f"maintenance packet Qqemu.PhyMemMode:{on}", to_string=True)
        if '"OK"' not in (answer or ""):
            raise gdb.GdbError("This target cannot read physical memory: it is not QEMU, "
                               "or one older than 4.1")

    @staticmethod
    def read(address: int, size: int) -> bytes:
        """Return size bytes of physical memory."""
        try:
            return bytes(gdb.selected_inferior().read_memory(address, size))
        except gdb.MemoryError as err:
            raise gdb.GdbError(f"Cannot read physical memory at {address:#x}") from err
