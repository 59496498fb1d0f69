# SPDX-License-Identifier: MIT
"""The page allocator hands out what is RAM and is not reserved, all of it and nothing else."""

import re
from pathlib import Path
from typing import Iterable, List, NamedTuple, Sequence, Tuple

import pytest

from bootlib import Kernel, Result, build
from placed import KERNEL_AT, TREE_AT, boot_with_tree, cells, compile_tree, reserved, source

PAGE = 4096
DESCRIPTOR = 32
MIB = 1 << 20
Region = Tuple[int, int]


def at(start: int, size: int) -> Region:
    """Return a region by its size."""
    return start, start + size


class Layout(NamedTuple):
    """A machine's memory. Banks end, and no_map is, where blocks of 2 MiB do: others are lost."""

    size: str
    ram: Sequence[Region]
    no_map: Sequence[Region] = ()
    reserved: Sequence[Region] = ()


FIRMWARE = at(0x80000000, 2 * MIB)
LAYOUTS = {
    "one bank": Layout("128M", [at(0x80000000, 128 * MIB)], [FIRMWARE]),
    "holes": Layout("128M", [at(0x80000000, 16 * MIB), at(0x81400000, 2 * MIB),
                             at(0x82000000, 34 * MIB), at(0x85000000, 48 * MIB)], [FIRMWARE]),
    "reservations": Layout("128M", [at(0x80000000, 128 * MIB)],
                           [FIRMWARE, at(0x82400000, 4 * MIB), at(0x87e00000, 2 * MIB)],
                           # A byte, pages that overlap, one between two that are free
                           [at(0x81000123, 1), at(0x84000000, 0x3000), at(0x84002000, 0x2001),
                            at(0x84006000, 0x1000), at(0x823ff000, 0x2000)]),
    "tree in a hole": Layout("128M", [at(0x80000000, 64 * MIB), at(0x86200000, 4 * MIB)],
                             [FIRMWARE]),
    "banks backwards": Layout("6G", [at(0x180000000, 64 * MIB), at(0x84000000, 64 * MIB),
                                     at(0x80000000, 32 * MIB)], [FIRMWARE]),
}


def without(regions: Iterable[Region], taken: Iterable[Region]) -> List[Region]:
    """Return the parts of regions that nobody has taken, in order."""
    found = sorted(regions)
    for start, end in taken:
        found = [part for first, last in found
                 for part in ((first, min(last, start)), (max(first, end), last))
                 if part[0] < part[1]]
    return found


def whole_pages(regions: Iterable[Region]) -> List[Region]:
    """Return what the allocator is to manage: whole pages behind a region's descriptors."""
    pages = []
    for start, end in regions:
        first, last = -(-start // PAGE), end // PAGE
        first += -(-max(last - first, 0) * DESCRIPTOR // PAGE)
        if first < last:
            pages.append((first * PAGE, last * PAGE))
    return pages


def check_pages(result: Result, wanted: List[Region]) -> None:
    """Check that the kernel took these pages, but for the few that were in use."""
    assert re.search(r"^ok \d+ page_alloc\.exhaustion$", result.text, re.MULTILINE), result
    used = re.search(r"^# (\d+) pages in use$", result.text, re.MULTILINE)
    free = [(int(first, 16), int(last, 16) + 1) for first, last in
            re.findall(r"^# free: 0x(\w+)-0x(\w+)$", result.text, re.MULTILINE)]
    assert used and free, result
    in_use = without(wanted, free)
    assert not without(free, wanted), "handed out, and not RAM or not free"
    size = sum(end - start for start, end in free)
    assert size + sum(end - start for start, end in in_use) == \
        sum(end - start for start, end in wanted), "handed out twice"
    assert sum(end - start for start, end in in_use) == int(used[1]) * PAGE, in_use
    assert int(used[1]) < 400


def boot_layout(kernel: Kernel, layout: Layout, folder: Path) -> Tuple[Result, int]:
    """Boot a kernel on a machine with this memory; return also the tree's size."""
    memory = ", ".join(cells(start, end - start) for start, end in layout.ram)
    regions = [f"reg = {cells(start, end - start)}; no-map;" for start, end in layout.no_map]
    regions += [f"reg = {cells(start, end - start)};" for start, end in layout.reserved]
    blob = compile_tree(source(memory=memory, extra=reserved(*regions)))
    return boot_with_tree(kernel, blob, folder, "--mem", layout.size), len(blob)


@pytest.mark.parametrize("name", sorted(LAYOUTS))
def test_layout(name: str, tmp_path: Path) -> None:
    """Several banks, holes and reservations."""
    kernel, layout = build("ktest"), LAYOUTS[name]
    result, tree_size = boot_layout(kernel, layout, tmp_path)
    image = kernel.symbols["_end"] - kernel.symbols["_start"]
    check_pages(result, whole_pages(without(layout.ram, [
        *layout.no_map, *layout.reserved, at(KERNEL_AT, image), at(TREE_AT, tree_size)])))
