# SPDX-License-Identifier: MIT
"""Which function is at an address of a kernel, and which object it came from.

Functions come from the ELF file, objects from the linker's map beside it. After
link-time optimisation the map names no objects; then the symbol tables of the
objects in the build's archive do, as far as a name is in one of them alone.
"""
from __future__ import annotations

import bisect
import os
import re
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple, Optional

import sizes

#: Where QEMU's machines load a kernel.
ENTRY = 0x80200000
ARCHIVE = "built-in.a"
PHASES = ".ahoy.phases"


class Function(NamedTuple):
    """A function of the kernel."""

    name: str
    start: int
    size: int
    object: Optional[str]
    folder: Optional[str]


class Symbols:
    """The functions of an ELF file. Raises sizes.BadFile where it is none.

    The map is the ELF file's with the ending .map unless one is given. Before
    paging is on, a kernel runs where it was loaded: entry is where that is.
    """

    def __init__(self, elf_path: os.PathLike[str] | str,
                 map_path: os.PathLike[str] | str | None = None, entry: int = ENTRY) -> None:
        self.path = Path(elf_path)
        self.elf = sizes.Elf(self.path)
        beside = self.path.with_name(self.path.name + ".map")
        if map_path is None and beside.is_file():
            map_path = beside
        inputs = sizes.read_map(Path(map_path) if map_path is not None else None)
        self.inputs = sorted(span for span in inputs if span.object)
        self.input_starts = [span.start for span in self.inputs]
        self.ranges = sorted((section.address, section.address + section.size)
                             for section in self.elf.sections
                             if section.flags & sizes.SHF_ALLOC and section.size)
        low = min((start for start, _ in self.ranges), default=entry)
        self.offset = low - entry
        self._members: Optional[dict[str, Optional[str]]] = None
        self._functions: dict[int, Function] = {}
        self._read()

    def _read(self) -> None:
        """Collect where functions start; where several do, keep the best name."""
        best: dict[int, tuple[bool, bool, str, int]] = {}
        self.addresses: dict[str, int] = {}
        for symbol in self.elf.symbols():
            if not 0 < symbol.section < len(self.elf.sections):
                continue
            section = self.elf.sections[symbol.section]
            if (symbol.type not in (sizes.STT_FUNC, sizes.STT_NOTYPE)
                    or not section.flags & sizes.SHF_EXECINSTR):
                continue
            self.addresses.setdefault(symbol.name, symbol.address)
            rank = (symbol.type == sizes.STT_FUNC, symbol.is_global, symbol.name, symbol.size)
            best[symbol.address] = max(best.get(symbol.address, rank), rank)
        if not best:
            raise sizes.BadFile(f'"{self.path}" has no symbol table with functions')
        self.starts = sorted(best)
        self.names = [best[start][2] for start in self.starts]
        self.sizes = [best[start][3] for start in self.starts]

    def linked(self, address: int) -> Optional[int]:
        """Return where an address is in the ELF file; None if it is not."""
        for candidate in (address, address + self.offset):
            index = bisect.bisect_right(self.ranges, (candidate, 1 << 64)) - 1
            if index >= 0 and candidate < self.ranges[index][1]:
                return candidate
        return None

    def find(self, address: int) -> Optional[Function]:
        """Return the function at an address, also at one from before paging."""
        linked = self.linked(address)
        if linked is None:
            return None
        index = bisect.bisect_right(self.starts, linked) - 1
        if index < 0:
            return None
        start = self.starts[index]
        if start not in self._functions:
            owner = self._object(start, self.names[index])
            self._functions[start] = Function(self.names[index], start, self.sizes[index], owner,
                                              sizes.folder_of(owner))
        return self._functions[start]

    def name(self, address: int) -> str:
        """Return the name of the function at an address, else the address."""
        function = self.find(address)
        return function.name if function else f"{address:#x}"

    def address(self, text: str) -> Optional[int]:
        """Return the linked address of "function" or "function+offset"."""
        match = re.fullmatch(r"(.+?)(?:\+(0x[0-9a-fA-F]+|\d+))?", text)
        if not match or match[1] not in self.addresses:
            return None
        return self.addresses[match[1]] + int(match[2] or "0", 0)

    def places(self, address: int) -> list[int]:
        """Return where a linked address is executed: there, and before paging."""
        return sorted({address, address - self.offset})

    def phases(self) -> list[tuple[int, str]]:
        """Return the kernel's phase labels: address as linked, and name, in order."""
        found = []
        for section in self.elf.sections:
            if section.name != PHASES:
                continue
            at, end = section.offset, section.offset + section.size
            while at + 9 <= end:
                address = int.from_bytes(self.elf.data[at:at + 8], "little")
                name = self.elf.string(at + 8)
                at += 8 + len(name.encode()) + 1
                # What the linker dropped is at zero.
                if address:
                    found.append((address, name))
        return found

    def _object(self, address: int, name: str) -> Optional[str]:
        """Return the object that a function came from."""
        last = bisect.bisect_right(self.input_starts, address)
        for span in reversed(self.inputs[max(0, last - 8):last]):
            if span.start <= address < span.end:
                if span.object != sizes.LTO:
                    return span.object
                break
        if self._members is None:
            self._members = read_members(self.path.with_name(ARCHIVE))
        # What the compiler appends to names of copies and of static functions.
        plain = re.sub(r"\.(lto_priv|constprop|isra|part|cold|llvm|__uniq)\b.*", "", name)
        return self._members.get(plain)


def member_paths(archive: Path) -> list[Path]:
    """Return the members of a thin archive, from its table of names."""
    head = archive.read_bytes()
    if head[:8] != b"!<thin>\n" or head[8:10] != b"//":
        return []
    size = int(head[56:66])
    names = head[68:68 + size].decode("utf-8", "replace").split("/\n")
    return [archive.parent / name for name in names if name]


def elf_names(path: Path) -> set[str]:
    """Return the functions that an object has, as code or for GCC's later optimisation."""
    elf = sizes.Elf(path)
    names = {symbol.name for symbol in elf.symbols() if symbol.type == sizes.STT_FUNC}
    for section in elf.sections:
        # A section for each function, static ones too, which no symbol table has.
        match = re.fullmatch(r"\.gnu\.lto_(.+?)\.\d+\.[0-9a-f]+", section.name)
        if match:
            names.add(match[1])
    return names


def bitcode_names(path: Path) -> set[str]:
    """Return the functions that an object of LLVM's bitcode has."""
    newest = sorted(Path("/usr/lib").glob("llvm-*/bin/llvm-nm"),
                    key=lambda found: [int(n) for n in re.findall(r"\d+", str(found))])
    for command in [*map(str, reversed(newest)), "llvm-nm"]:
        if not shutil.which(command):
            continue
        done = subprocess.run([command, "--defined-only", str(path)], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True, check=False)
        if done.returncode == 0:
            return set(re.findall(r" [tTwW] (\S+)$", done.stdout, re.MULTILINE))
    return set()


def read_members(archive: Path) -> dict[str, Optional[str]]:
    """Return the member of an archive that alone defines a name; None if several do."""
    if not archive.is_file():
        return {}
    owners: dict[str, list[str]] = defaultdict(list)
    for path in member_paths(archive):
        try:
            with open(path, "rb") as file:
                is_elf = file.read(4) == b"\x7fELF"
            names = elf_names(path) if is_elf else bitcode_names(path)
        except (OSError, sizes.BadFile):
            continue
        for name in names:
            owners[name].append(str(path.relative_to(archive.parent)))
    return {name: files[0] if len(files) == 1 else None for name, files in owners.items()}
