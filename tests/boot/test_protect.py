# SPDX-License-Identifier: MIT
"""What the page tables allow when the kernel has done its work, found by walking them."""

import re
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Sequence, Set, Tuple

import pytest

from bootlib import Kernel, build
from machine import Machine
from placed import KERNEL_AT, TREE_AT, cells, compile_tree, place, reserved, source

PAGE = 1 << 12
BLOCK = 1 << 21
GIGABYTE = 1 << 30
MIB = 1 << 20
LINK_AT = 0xffffffc080200000
UPPER_HALF = 0xffffffc000000000
FIXMAP_PAGES = 2
DEVICES = {0x10000000, 0x100000}
LINE_SEEN = rb"Hello world\."

Region = Tuple[int, int]  # first byte, first byte behind


class Mapping(NamedTuple):
    """A range with the same rights."""

    va: int
    end: int  # the first address behind
    pa: int
    rights: str
    other: str  # user, global, accessed, dirty

    @property
    def pa_end(self) -> int:
        """The first physical address behind."""
        return self.pa + self.end - self.va


def read_maps(kernel: Kernel, *args: object) -> List[Mapping]:
    """Boot a kernel that idles, return its mappings."""
    with Machine(kernel, *args) as machine:
        machine.wait_for(LINE_SEEN)
        text, = machine.gdb("ahoy-maps")
    found = re.findall(r"^(0x[0-9a-f]{16})-(0x[0-9a-f]{16})  (0x[0-9a-f]+) .* in .*"
                       r"  ([RWX-]{3})([UGAD-]{4})", text, re.MULTILINE)
    assert len(found) > 3 and len(found) == len(text.splitlines()) - 1, text
    return [Mapping(int(va, 16), int(last, 16) + 1, int(pa, 16), rights, other)
            for va, last, pa, rights, other in found]


def check_rights(maps: Sequence[Mapping]) -> None:
    """Check what holds for every mapping."""
    for item in maps:
        assert item.rights in ("R--", "RW-", "R-X"), item
        assert "U" not in item.other and "A" in item.other, item
        assert ("W" in item.rights) == ("D" in item.other), item
        assert item.va >= PAGE, "page zero is mapped"
    ordered = sorted(maps, key=lambda item: item.pa)
    for one, two in zip(ordered, ordered[1:]):
        assert one.pa_end <= two.pa, f"two addresses for the same memory: {one} {two}"


def pages(maps: Sequence[Mapping], start: int) -> Dict[int, Mapping]:
    """Return the mappings of the pages of a block of 2 MiB."""
    return {va: item for item in maps
            for va in range(max(item.va, start), min(item.end, start + BLOCK), PAGE)}


def check_image(kernel: Kernel, maps: Sequence[Mapping]) -> None:
    """Check each page of the block that holds the image."""
    symbols = kernel.symbols
    start, offset = symbols["_start"], symbols["_start"] - KERNEL_AT
    fixmap = range(symbols["fixmap_pages"], symbols["fixmap_pages"] + FIXMAP_PAGES * PAGE)
    end = start + BLOCK if kernel.has("LINEAR_MAP") else symbols["_end"]
    found = pages(maps, start)
    for va in range(start, start + BLOCK, PAGE):
        item = found.get(va)
        if va in fixmap:
            if item:
                assert item.rights == "RW-" and item.pa + va - item.va in DEVICES, item
            continue
        if va == symbols["boot_stack_guard"] or va >= end:
            assert item is None, f"{va:#x} is mapped: {item}"
            continue
        wanted = ("R-X" if va < symbols["_rodata_start"] else
                  "R--" if va < symbols["_data_start"] else "RW-")
        assert item and item.rights == wanted, f"{va:#x} should be {wanted}: {item}"
        assert va - (item.pa + va - item.va) == offset, item
    assert not symbols["_etext"] > symbols["_rodata_start"] >= symbols["_data_start"]
    assert symbols["boot_stack_guard"] + PAGE < symbols["boot_stack_top"]


def blocks(region: Region) -> Iterator[int]:
    """Return the numbers of the whole blocks of 2 MiB in a region."""
    return iter(range(-(-region[0] // BLOCK), region[1] // BLOCK))


def touched(region: Region) -> Iterator[int]:
    """Return the numbers of all blocks of 2 MiB of which a region has a part."""
    return iter(range(region[0] // BLOCK, -(-region[1] // BLOCK)))


def check_linear(maps: Sequence[Mapping], offset: int, ram: Sequence[Region],
                 no_map: Sequence[Region]) -> None:
    """Check that whole blocks of RAM are mapped, those with forbidden parts not, and nothing else.

    The tree's block stays readable where it is no whole block of RAM.
    """
    image = KERNEL_AT // BLOCK
    forbidden = {number for region in no_map for number in touched(region)}
    wanted = {number for region in ram for number in blocks(region)} - forbidden - {image}
    seen: Set[int] = set()
    for item in maps:
        if KERNEL_AT <= item.va - offset < KERNEL_AT + BLOCK:
            continue
        assert item.va - item.pa == offset, item
        assert item.va % BLOCK == 0 and item.end % BLOCK == 0, item
        here = set(touched((item.pa, item.pa_end)))
        if item.rights == "RW-":
            seen |= here
        else:
            assert item.rights == "R--" and TREE_AT // BLOCK in here and not here & forbidden, item
    assert seen == wanted, (f"not mapped: {[hex(n * BLOCK) for n in sorted(wanted - seen)][:9]}, "
                            f"too much: {[hex(n * BLOCK) for n in sorted(seen - wanted)][:9]}")


def at(start: int, size: int) -> Region:
    """Return a region by its size."""
    return start, start + size


class Layout(NamedTuple):
    """A machine's memory."""

    size: str
    ram: Sequence[Region]
    no_map: Sequence[Region] = ()
    reserved: Sequence[Region] = ()


LAYOUTS = {
    "plain": Layout("128M", [at(0x80000000, 128 * MIB)]),
    "odd": Layout("128M", [at(0x80000000, 127 * MIB + 0x3000)]),
    "hole": Layout("128M", [at(0x80000000, 48 * MIB), at(0x85100000, 32 * MIB + 0x1000)]),
    "banks that touch": Layout("128M", [at(0x84000000, 64 * MIB), at(0x80000000, 64 * MIB)]),
    "firmware": Layout("128M", [at(0x80000000, 128 * MIB)], [at(0x80000000, 0x80000)]),
    "no-map": Layout("128M", [at(0x80000000, 128 * MIB)],
                     [at(0x82100000, 0x1000), at(0x80000000, 2 * MIB), at(0x87fff000, 0x1000),
                      at(0x84000000, 4 * MIB), at(0x84300000, 2 * MIB)],
                     [at(0x82000000, 0x1000), at(0x84200000, 8 * MIB)]),
    "64 GiB": Layout("64G", [at(0x80000000, 64 * GIGABYTE)]),
    "gibibytes": Layout("8G", [at(0x80000000, 2 * GIGABYTE), at(0x140000000, 2 * GIGABYTE + MIB)],
                        [at(0x180000000, 0x1000)]),
}


def boot_layout(kernel: Kernel, layout: Layout, folder: Path) -> List[Mapping]:
    """Return the mappings of a kernel on a machine with this memory."""
    memory = ", ".join(cells(start, end - start) for start, end in layout.ram)
    regions = [f"reg = {cells(start, end - start)}; no-map;" for start, end in layout.no_map]
    regions += [f"reg = {cells(start, end - start)};" for start, end in layout.reserved]
    blob = folder / "tree.dtb"
    blob.write_bytes(compile_tree(source(memory=memory, extra=reserved(*regions))))
    return read_maps(kernel, *place(kernel, {TREE_AT: blob}, tree_at=TREE_AT),
                     "--mem", layout.size)


@pytest.mark.parametrize("name", sorted(LAYOUTS))
def test_memory(name: str, tmp_path: Path) -> None:
    """The standard kernel maps all it may and nothing else."""
    kernel, layout = build("base", "FINISH_IDLE=y"), LAYOUTS[name]
    maps = boot_layout(kernel, layout, tmp_path)
    check_rights(maps)
    check_image(kernel, maps)
    assert min(item.va for item in maps) >= UPPER_HALF
    check_linear(maps, LINK_AT - KERNEL_AT, layout.ram, layout.no_map)


@pytest.mark.xfail(strict=True, reason="the tree's whole block of 2 MiB stays readable")
def test_no_map_near_tree(tmp_path: Path) -> None:
    """What must not be mapped is not, even beside the device tree."""
    kernel = build("base", "FINISH_IDLE=y")
    region = at(TREE_AT + MIB, 0x1000)
    maps = boot_layout(kernel, Layout("128M", [at(0x80000000, 128 * MIB)], [region]), tmp_path)
    for item in maps:
        assert item.pa >= region[1] or item.pa_end <= region[0], item


@pytest.mark.parametrize("options", [("PAGING_SV39=y", "PAGING_FALLBACK=n"), ("PAGING_SV57=y",),
                                     ("UBSAN=y", "TRAPS=y", "BOOT_STACK_SIZE=16384")])
def test_format(options: Tuple[str, ...], tmp_path: Path) -> None:
    """The same holds for each page-table format and size of the kernel."""
    kernel, layout = build("base", "FINISH_IDLE=y", *options), LAYOUTS["no-map"]
    maps = boot_layout(kernel, layout, tmp_path)
    check_rights(maps)
    check_image(kernel, maps)
    assert min(item.va for item in maps) >= UPPER_HALF
    check_linear(maps, LINK_AT - KERNEL_AT, layout.ram, layout.no_map)


def test_identity(tmp_path: Path) -> None:
    """A kernel that stays where it is protects itself in the same way."""
    kernel, layout = build("base", "FINISH_IDLE=y", "KERNEL_IDENTITY=y"), LAYOUTS["no-map"]
    maps = boot_layout(kernel, layout, tmp_path)
    check_rights(maps)
    check_image(kernel, maps)
    check_linear(maps, 0, layout.ram, layout.no_map)


@pytest.mark.parametrize("name", ["sv39", "sv48", "sv57"])
@pytest.mark.parametrize("linear", [False, True])
def test_no_tree(name: str, linear: bool) -> None:
    """Without a device tree: the image, the UART, and the memory that was configured."""
    kernel = build(name, "FINISH_IDLE=y", f"LINEAR_MAP={'y' if linear else 'n'}")
    maps = read_maps(kernel)
    check_rights(maps)
    check_image(kernel, maps)
    assert min(item.va for item in maps) >= UPPER_HALF
    if linear:
        # What is below the kernel is firmware's, as far as anybody knows.
        check_linear(maps, LINK_AT - KERNEL_AT, [at(KERNEL_AT, 126 * MIB)], [])
    else:
        start = kernel.symbols["_start"]
        assert all(start <= item.va and item.end <= start + BLOCK for item in maps)
