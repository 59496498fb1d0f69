# SPDX-License-Identifier: MIT
"""Page tables: the walk of an address, and the list of all mappings."""

import struct
from typing import Iterator, List, NamedTuple, Optional, Tuple

import gdb

from .command import Command, register
from .memory import Physical, Reader, kernel

PAGE_SHIFT = 12
INDEX_BITS = 9
ENTRIES = 1 << INDEX_BITS

# satp.MODE: name and levels (Privileged Architecture, 10.1.11)
FORMATS = {8: ("Sv39", 3), 9: ("Sv48", 4), 10: ("Sv57", 5)}

V, R, W, X, U, G, A, D = (1 << bit for bit in range(8))
FLAG_NAMES = "VRWXUGAD"
MEMORY_TYPES = ("", "non-cacheable", "I/O", "reserved type")


class Satp(NamedTuple):
    """What satp says: root is None where paging is off."""

    value: int
    name: str
    levels: int
    asid: int
    root: Optional[int]


def read_satp() -> Satp:
    """Return the selected hart's satp, taken apart."""
    value = register("satp")
    mode = value >> 60
    if mode == 0:
        return Satp(value, "Bare", 0, 0, None)
    if mode not in FORMATS:
        raise gdb.GdbError(f"satp is {value:#x}: mode {mode} is reserved")
    name, levels = FORMATS[mode]
    return Satp(value, name, levels, value >> 44 & 0xffff, (value & (1 << 44) - 1) << PAGE_SHIFT)


class Pte(NamedTuple):
    """One page-table entry."""

    level: int
    index: int
    where: int
    value: int

    @property
    def address(self) -> int:
        """The physical address it holds."""
        return (self.value >> 10 & (1 << 44) - 1) << PAGE_SHIFT

    @property
    def leaf(self) -> bool:
        """Whether it maps memory instead of leading to a table."""
        return bool(self.value & (R | W | X))

    @property
    def size(self) -> int:
        """The bytes that it covers."""
        return 1 << PAGE_SHIFT + INDEX_BITS * self.level

    def flags(self) -> str:
        """Return the flags by letter, a dash for each that is clear."""
        return "".join(name if self.value >> bit & 1 else "-"
                       for bit, name in enumerate(FLAG_NAMES))

    def problem(self) -> Optional[str]:
        """Return why the walk ends here in a page fault, if it does."""
        if not self.value & V:
            return "not valid"
        if self.value & (R | W) == W:
            return "writable but not readable, which is reserved"
        if self.value >> 54 & 0x7f:
            return "reserved bits are set"
        if not self.leaf and (self.level == 0 or self.value & (U | A | D)):
            return "a table below the last level" if self.level == 0 else \
                "a table with U, A or D set, which is reserved"
        # Svnapot: 64 KiB, marked in the address's low bits.
        if self.value >> 63 and not (self.leaf and self.level == 0):
            return "N is set where no page is mapped"
        if self.leaf and self.address % self.size:
            return f"its address {self.address:#x} is no multiple of its size"
        return None


def size_name(size: int) -> str:
    """Return a size in the largest unit that divides it."""
    for shift, unit in ((40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")):
        if size >> shift and not size & (1 << shift) - 1:
            return f"{size >> shift} {unit}"
    return f"{size} bytes"


def sign_extend(address: int, bits: int) -> int:
    """Return a virtual address with its upper bits like its highest one."""
    address &= (1 << bits) - 1
    return address | (1 << 64) - (1 << bits) if address >> bits - 1 else address


def walk(satp: Satp, address: int, read: Reader) -> Iterator[Pte]:
    """Return the entries of the way to an address, down to a leaf or a problem."""
    table = satp.root or 0
    for level in range(satp.levels - 1, -1, -1):
        index = address >> PAGE_SHIFT + INDEX_BITS * level & ENTRIES - 1
        where = table + 8 * index
        pte = Pte(level, index, where, struct.unpack("<Q", read(where, 8))[0])
        yield pte
        if pte.problem() or pte.leaf:
            return
        table = pte.address


def target_of(pte: Pte, address: int) -> int:
    """Return the physical address to which a leaf maps an address."""
    base = pte.address
    if pte.value >> 63:
        base &= ~0xffff
        return base | address & 0xffff
    return base | address & pte.size - 1


def translate(satp: Satp, address: int, read: Reader) -> Optional[int]:
    """Return the physical address of a virtual one, None where it is not mapped."""
    if satp.root is None:
        # The kernel's own addresses are known before its tables are in use.
        physical = kernel().physical(address)
        return address if physical is None else physical
    pte = None
    for pte in walk(satp, address, read):
        pass
    if pte is None or pte.problem() or not pte.leaf:
        return None
    return target_of(pte, address)


def read_kernel(address: int, size: int) -> bytes:
    """Return memory at the kernel's virtual addresses, whatever mode the hart is in."""
    satp = read_satp()
    parts: List[bytes] = []
    with Physical() as read:
        while size:
            physical = translate(satp, address, read)
            if physical is None:
                raise gdb.GdbError(f"The kernel's address {address:#x} is not mapped")
            length = min(size, (1 << PAGE_SHIFT) - (address & (1 << PAGE_SHIFT) - 1))
            parts.append(read(physical, length))
            address += length
            size -= length
    return b"".join(parts)


class Walk(Command):
    """Walk the page tables for an address: ahoy-pt ADDRESS

Prints the entry of each level with its flags, and the physical address to
which they lead, or where and why the walk stops. The address may be any
expression, for example ahoy-pt &log_buf or ahoy-pt $sp."""

    name = "ahoy-pt"
    arguments = ("ADDRESS",)

    def invoke(self, argument: str, from_tty: bool) -> None:
        """Run the command."""
        text, = self.words(argument)
        try:
            address = int(gdb.parse_and_eval(f"(unsigned long)({text})"))
        except gdb.error as err:
            raise gdb.GdbError(f"{text} is not an address: {err}") from err
        with Physical() as read:
            self.show(read_satp(), address, read)

    @staticmethod
    def show(satp: Satp, address: int, read: Reader) -> None:
        """Print the walk of an address."""
        if satp.root is None:
            print(f"satp {satp.value:#x}: paging is off, addresses are physical")
            physical = kernel().physical(address)
            if physical is not None and physical != address:
                print(f"{address:#x} is of the upper half to come: it is loaded at {physical:#x}")
            return
        print(f"satp {satp.value:#x}: {satp.name}, ASID {satp.asid}, root table at "
              f"{satp.root:#x}")
        bits = PAGE_SHIFT + INDEX_BITS * satp.levels
        if sign_extend(address, bits) != address:
            print(f"{address:#x} is not an address of {satp.name}: bits 63 to {bits} must equal "
                  f"bit {bits - 1}")
            return
        for pte in walk(satp, address, read):
            problem = pte.problem()
            if problem:
                kind = problem
            elif pte.leaf:
                kind = f"maps {size_name(pte.size)} at {pte.address:#x}"
            else:
                kind = f"table at {pte.address:#x}"
            print(f"level {pte.level}  [{pte.index:3}] at {pte.where:#x}: {pte.value:#018x}  "
                  f"{pte.flags()}  {kind}")
            memory_type = MEMORY_TYPES[pte.value >> 61 & 3]
            if memory_type and not problem:
                print(f"         memory type: {memory_type}")
            if problem:
                print(f"{address:#x} is not mapped: the walk stops at level {pte.level}")
            elif pte.leaf:
                print(f"{address:#x} -> {target_of(pte, address):#x}")


class Mapping(NamedTuple):
    """A run of mappings with the same rights."""

    start: int
    size: int
    physical: int
    flags: str
    leaf: int


def leaves(satp: Satp, read: Reader) -> Iterator[Tuple[int, Pte]]:
    """Return virtual address and entry of all that is mapped."""
    bits = PAGE_SHIFT + INDEX_BITS * satp.levels

    def visit(table: int, level: int, base: int) -> Iterator[Tuple[int, Pte]]:
        entries = struct.unpack(f"<{ENTRIES}Q", read(table, 8 * ENTRIES))
        for index, value in enumerate(entries):
            pte = Pte(level, index, table + 8 * index, value)
            address = base + pte.size * index
            if pte.problem():
                continue
            if pte.leaf:
                yield sign_extend(address, bits), pte
            else:
                yield from visit(pte.address, level - 1, address)

    assert satp.root is not None
    yield from visit(satp.root, satp.levels - 1, 0)


def mappings(satp: Satp, read: Reader) -> List[Mapping]:
    """Return what is mapped, neighbours with the same rights and page size as one."""
    result: List[Mapping] = []
    for address, pte in leaves(satp, read):
        new = Mapping(address, pte.size, target_of(pte, address), pte.flags()[1:], pte.size)
        last = result[-1] if result else None
        if last and (last.start + last.size, last.physical + last.size, last.flags,
                     last.leaf) == (new.start, new.physical, new.flags, new.leaf):
            result[-1] = last._replace(size=last.size + new.size)
        else:
            result.append(new)
    return result


class Maps(Command):
    """List all mappings of the page tables in use: ahoy-maps

One line for each range: virtual and physical addresses, size, page size, and
the flags read, write, execute, user, global, accessed, dirty. Ranges that are
writable and executable are marked."""

    name = "ahoy-maps"

    def invoke(self, argument: str, from_tty: bool) -> None:
        """Run the command."""
        self.words(argument)
        with Physical() as read:
            satp = read_satp()
            if satp.root is None:
                print("Paging is off: all addresses are physical")
                return
            found = mappings(satp, read)
        print(f"{satp.name}, root table at {satp.root:#x}")
        for item in found:
            danger = "  writable and executable" if {"W", "X"} <= set(item.flags) else ""
            print(f"{item.start:#018x}-{item.start + item.size - 1:#018x}  {item.physical:#012x}  "
                  f"{size_name(item.size):>9} in {size_name(item.leaf):>7}  {item.flags}{danger}")
        if not found:
            print("nothing is mapped")
