# SPDX-License-Identifier: MIT
"""Where the bytes of a kernel are: sections, folders, objects, symbols.

Every byte of every loaded section gets exactly one owner, so that rows always
sum up to what `size` prints: a sized symbol where there is one, else the input
section that the linker's map names there, else the linker script's own space
between two of its symbols, else "other" (alignment).
"""
from __future__ import annotations

import bisect
import os
import re
import struct
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple, Optional

KINDS = ("text", "rodata", "data", "bss")
OTHER = "other"
LTO = "(link-time optimisation)"
LINKER = "(linker script)"

SHF_WRITE, SHF_ALLOC, SHF_EXECINSTR = 1, 2, 4
SHT_SYMTAB, SHT_NOBITS = 2, 8
STT_NOTYPE, STT_OBJECT, STT_FUNC = 0, 1, 2
PT_LOAD = 1
EM_RISCV = 243
# Less than this between two things is alignment, not somebody's space.
LEAST_SPACE = 64


class BadFile(Exception):
    """The file is not what it should be."""


class Section(NamedTuple):
    """A section of an ELF file."""

    name: str
    type: int
    flags: int
    address: int
    offset: int
    size: int
    link: int


class Symbol(NamedTuple):
    """A symbol of an ELF file."""

    name: str
    type: int
    is_global: bool
    section: int
    address: int
    size: int


class Span(NamedTuple):
    """Some bytes of memory and who owns them."""

    start: int
    end: int
    name: str
    object: Optional[str]


class Elf:
    """What is needed of a 64-bit little-endian ELF file."""

    def __init__(self, path: Path) -> None:
        try:
            self.data = path.read_bytes()
        except OSError as err:
            raise BadFile(f'"{path}": {err.strerror}') from err
        try:
            self.read()
        except (struct.error, IndexError, ValueError) as err:
            raise BadFile(f'"{path}" is not a whole 64-bit ELF file') from err
        if self.machine != EM_RISCV:
            raise BadFile(f'"{path}" is an ELF file for another machine')

    def read(self) -> None:
        """Read the headers."""
        if self.data[:6] != b"\x7fELF\x02\x01":
            raise ValueError("no such header")
        header = struct.unpack_from("<HHIQQQIHHHHHH", self.data, 16)
        self.machine, self.entry = header[1], header[3]
        segment_at, section_at = header[4], header[5]
        segment_size, segments, section_size, sections, names = header[8:13]
        raw = [struct.unpack_from("<IIQQQQIIQQ", self.data, section_at + n * section_size)
               for n in range(sections)]
        strings = raw[names][4] if raw else 0
        self.sections = [Section(self.string(strings + row[0]), row[1], row[2], row[3], row[4],
                                 row[5], row[6]) for row in raw]
        #: (type, offset, virtual address, physical address, bytes in the file)
        self.segments = []
        for n in range(segments):
            row = struct.unpack_from("<IIQQQQQQ", self.data, segment_at + n * segment_size)
            self.segments.append((row[0], row[2], row[3], row[4], row[5]))

    def string(self, at: int) -> str:
        """Return the string at an offset."""
        return self.data[at:self.data.index(b"\0", at)].decode("utf-8", "replace")

    def symbols(self) -> list[Symbol]:
        """Return the symbol table, without the assembler's own marks."""
        found = []
        for section in self.sections:
            if section.type != SHT_SYMTAB:
                continue
            strings = self.sections[section.link].offset
            table = self.data[section.offset:section.offset + section.size]
            for name, info, _, index, address, size in struct.iter_unpack("<IBBHQQ", table):
                text = self.string(strings + name)
                if text and not text.startswith(("$", ".L")):
                    found.append(Symbol(text, info & 15, info >> 4 == 1, index, address, size))
        return found

    def flat(self) -> bytes:
        """Return the bytes that a loader puts into memory, as objcopy -O binary does."""
        pieces = []
        for section in self.sections:
            if not section.flags & SHF_ALLOC or section.type == SHT_NOBITS or not section.size:
                continue
            for kind, offset, _, physical, size in self.segments:
                if kind == PT_LOAD and offset <= section.offset < offset + size:
                    pieces.append((physical + section.offset - offset, section))
                    break
        if not pieces:
            raise BadFile("the ELF file has nothing to load")
        low = min(at for at, _ in pieces)
        image = bytearray(max(at + section.size for at, section in pieces) - low)
        for at, section in pieces:
            image[at - low:at - low + section.size] = self.data[
                section.offset:section.offset + section.size]
        return bytes(image)


def kind_of(section: Section) -> str:
    """Return which of the figures a section counts for, as `size` sees it.

    `size` puts text and rodata together.
    """
    if section.flags & SHF_EXECINSTR:
        return "text"
    if not section.flags & SHF_WRITE:
        return "rodata"
    return "bss" if section.type == SHT_NOBITS else "data"


# ---- The linker's map ----------------------------------------------------------

GNU_INPUT = re.compile(r"^ (\.\S+|COMMON)\s+0x([0-9a-f]+)\s+0x([0-9a-f]+) (\S.*)$", re.MULTILINE)
LLD_INPUT = re.compile(r"^ *([0-9a-f]+) +[0-9a-f]+ +([0-9a-f]+) +\d+ {9}(\S.*):\((.+)\)$",
                       re.MULTILINE)


def object_name(text: str) -> Optional[str]:
    """Return an object's path in the tree; None where the linker made the bytes."""
    member = re.fullmatch(r"(.*\.a)\((.*)\)", text)
    if member:
        # Of the build's own thin archive the members are what counts.
        if os.path.basename(member[1]) == "built-in.a":
            return member[2]
        # The tree's other archive is a folder of its own.
        if not member[1].startswith(("/", "../")):
            return f"{os.path.dirname(os.path.normpath(member[1]))}/{member[2]}"
        return f"{os.path.basename(member[1])}({member[2]})"
    if re.search(r"\.ltrans\d*\.|\.lto\.o|^lto\.", text):
        return LTO
    if text.startswith("<"):
        return None
    return os.path.basename(text) if text.startswith("/") else os.path.normpath(text)


def folder_of(name: Optional[str]) -> Optional[str]:
    """Return the folder that an object belongs to."""
    if name is None or name.startswith("("):
        return name
    archive = re.match(r"([^/()]+\.a)\(", name)
    if archive:
        return archive[1]
    return os.path.dirname(name) or "(generated)"


def read_map(path: Optional[Path]) -> list[Span]:
    """Return the input sections of a linker's map, GNU ld's or lld's."""
    if path is None:
        return []
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as err:
        raise BadFile(f'"{path}": {err.strerror}') from err
    gnu = text.find("\nLinker script and memory map")
    if gnu >= 0:
        rows = [(m[2], m[3], m[1], m[4]) for m in GNU_INPUT.finditer(text, gnu)]
    else:
        rows = [(m[1], m[2], m[4], m[3]) for m in LLD_INPUT.finditer(text)]
    return [Span(int(start, 16), int(start, 16) + int(size, 16), name, object_name(owner))
            for start, size, name, owner in rows if int(size, 16)]


# ---- Who owns which byte ---------------------------------------------------------

def gaps(start: int, end: int, taken: list[Span]) -> list[tuple[int, int]]:
    """Return what no span of a sorted list without overlaps covers."""
    free = []
    for span in taken:
        if start < span.start:
            free.append((start, span.start))
        start = max(start, span.end)
    if start < end:
        free.append((start, end))
    return free


def lay(spans: list[Span], start: int, end: int) -> list[Span]:
    """Return the spans cut to a range, each byte with its first owner only."""
    laid: list[Span] = []
    for span in sorted(spans, key=lambda s: (s.start, -s.end)):
        low, high = max(start, span.start), min(end, span.end)
        if low < high:
            laid.append(span._replace(start=low, end=high))
            start = high
    return laid


class Owners:
    """The owners of all bytes of one ELF file."""

    def __init__(self, elf: Elf, inputs: list[Span]) -> None:
        self.inputs = sorted(inputs)
        self.starts = [span.start for span in self.inputs]
        symbols = elf.symbols()
        # Where several symbols name the same bytes, the global one does.
        symbols.sort(key=lambda s: (s.address, -s.size, not s.is_global, s.name))
        self.sized = [symbol for symbol in symbols
                      if symbol.size and symbol.type in (STT_NOTYPE, STT_OBJECT, STT_FUNC)]
        # The longest name tells most: boot_stack_top rather than _end.
        self.marks = {(symbol.section, symbol.address): symbol.name
                      for symbol in sorted(symbols, key=lambda s: (len(s.name), s.name))
                      if not symbol.size and symbol.type == STT_NOTYPE}

    def input_at(self, address: int) -> Optional[str]:
        """Return the object whose input section holds an address."""
        # Merged strings overlap: look at a few before it.
        last = bisect.bisect_right(self.starts, address)
        for span in reversed(self.inputs[max(0, last - 8):last]):
            if span.start <= address < span.end:
                return span.object
        return None

    def space(self, index: int, start: int, end: int) -> list[Span]:
        """Return the owners of what neither a symbol nor an input section covers."""
        cuts = sorted({start, end} | {at for section, at in self.marks
                                      if section == index and start < at < end})
        spans = []
        for low, high in zip(cuts, cuts[1:]):
            first, last = self.marks.get((index, low)), self.marks.get((index, high))
            if high - low >= LEAST_SPACE and (first or last):
                spans.append(Span(low, high, f"{first or ''}..{last or ''}", LINKER))
            else:
                spans.append(Span(low, high, OTHER, None))
        return spans

    def of(self, index: int, section: Section) -> list[Span]:
        """Return the owners of a section's bytes: each byte has one."""
        start, end = section.address, section.address + section.size
        named = lay([Span(s.address, s.address + s.size, s.name, self.input_at(s.address))
                     for s in self.sized if s.section == index], start, end)
        inside = [span for span in self.inputs if span.start < end and span.end > start]
        spans = list(named)
        for low, high in gaps(start, end, named):
            spans += lay(inside, low, high)
        spans.sort()
        for low, high in gaps(start, end, list(spans)):
            spans += self.space(index, low, high)
        return spans


def measure(elf_path: Path, map_path: Optional[Path]) -> dict[str, Any]:
    """Return the sizes of a kernel.

    "sizes" has the totals by kind, "sections" those by section, "symbols" rows
    (name, object, folder, section, size) that sum up to the same totals;
    "knows_symbols" and "knows_objects" say whether names and objects are known.
    Raises BadFile.
    """
    elf = Elf(elf_path)
    owners = Owners(elf, read_map(map_path))
    knows_objects = bool(owners.inputs)
    sizes = dict.fromkeys(KINDS, 0)
    sections = []
    rows: dict[tuple[str, Optional[str], str], int] = defaultdict(int)
    for index, section in enumerate(elf.sections):
        if not section.flags & SHF_ALLOC or not section.size:
            continue
        kind = kind_of(section)
        sizes[kind] += section.size
        sections.append({"name": section.name, "kind": kind, "size": section.size})
        for span in owners.of(index, section):
            rows[(span.name, span.object, kind)] += span.end - span.start
    symbols = [{"name": name, "object": owner, "folder": folder_of(owner), "section": kind,
                "size": size} for (name, owner, kind), size in rows.items()]
    symbols.sort(key=lambda row: (-row["size"], row["name"], row["object"] or ""))
    return {"sizes": sizes, "sections": sections, "symbols": symbols,
            "knows_symbols": bool(owners.sized), "knows_objects": knows_objects}
