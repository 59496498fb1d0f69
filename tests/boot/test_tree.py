# SPDX-License-Identifier: MIT
"""Device trees that are bad: each start ends, with the line or with the reason why not."""

import random
import re
import struct
from pathlib import Path
from typing import List

import pytest

from bootlib import LINE, PANIC, Kernel, Result, boot, build, check_clean, check_panic
from placed import (TREE_AT, UART, boot_with_tree, cells, compile_tree, place, reserved, source)

MEMORY_END = 0x88000000
FLIPS = 40
# One that uses paging and the upper half, one without paging, one that checks itself.
KERNELS = ["base", "fdt", "debug"]

# Offsets in the header
MAGIC, SIZE, STRUCTS, STRINGS, RESERVED, VERSION, LAST_COMPATIBLE = range(0, 28, 4)
STRINGS_SIZE, STRUCTS_SIZE = 32, 36
HEADER = 40


def get(blob: bytes, at: int) -> int:
    """Return a word of a tree."""
    return int(struct.unpack_from(">I", blob, at)[0])


def put(blob: bytes, at: int, value: int) -> bytes:
    """Return the tree with another word."""
    return blob[:at] + struct.pack(">I", value) + blob[at + 4:]


def good() -> bytes:
    """Return a tree that has what the kernel reads."""
    return compile_tree(source(
        chosen='stdout-path = "serial0:115200n8"; bootargs = "loglevel=4"; rng-seed = <1 2 3 4>;',
        extra='aliases { serial0 = "/soc/serial@10000000"; };'
              + reserved(f"reg = {cells(0x80000000, 0x80000)}; no-map;"),
        reserve="/memreserve/ 0x87000000 0x1000;"))


def check_tree_panic(result: Result, reason: str, at: int = TREE_AT) -> None:
    """Check that the kernel says that the tree is bad, and why."""
    report = check_panic(result)
    assert report.startswith(f"{PANIC}device tree at {at:#x}: {reason}\n"), result


def check_ends(result: Result) -> None:
    """Check that the kernel printed the line, or a reason that is not a fault of its own."""
    if result.status == 0:
        assert result.lines[-1] == LINE and result.output.count(LINE.encode()) == 1, result
        return
    report = check_panic(result)
    assert re.match(rf"{PANIC}(device tree at 0x|memory: )", report), result


# ---- The pointer ------------------------------------------------------------------

@pytest.mark.parametrize("name", KERNELS)
def test_good(name: str, tmp_path: Path) -> None:
    """What is varied below works."""
    kernel = build(name)
    check_clean(kernel, boot_with_tree(kernel, good(), tmp_path))


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("at, reason", [
    (0, "firmware passed none"),
    (TREE_AT + 4, "not aligned to 8 bytes"),
    (TREE_AT + 1, "not aligned to 8 bytes"),
    (0x50000, "no memory there"),
    (MEMORY_END, "no memory there"),
    (0x4000000000, None),
    (0x100000000000000, None),
    (0xfffffffffffffff8, None),
    (0x7fffffffffffff8, None),
    (0x83800000, "no magic number"),
])
def test_pointer(name: str, at: int, reason: str) -> None:
    """A pointer that leads to no tree."""
    result = boot(build(name), *place(build(name), tree_at=at))
    if reason:
        check_tree_panic(result, reason, at)
    else:
        # What is out of reach depends on the page-table format, if there is one.
        report = check_panic(result)
        assert re.match(rf"{PANIC}device tree at {at:#x}: (beyond the memory that the kernel can "
                        r"address|no memory there)\n", report), result


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("room", [8, 32, 40, 48, 1000])
def test_end_of_memory(name: str, room: int, tmp_path: Path) -> None:
    """A tree that reaches beyond the end of memory."""
    at = MEMORY_END - room
    # QEMU's own tree is not that far up.
    result = boot_with_tree(build(name), good()[:room], tmp_path, at=at)
    check_tree_panic(result, "reaches beyond the end of memory", at)


# ---- The header -------------------------------------------------------------------

@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("at, value, reason", [
    (MAGIC, 0xd00dfeee, "no magic number"),
    (SIZE, 0, "impossible size"),
    (SIZE, HEADER - 1, "impossible size"),
    (SIZE, 0x7fffffff, "impossible size"),
    (SIZE, 0xffffffff, "impossible size"),
    (SIZE, HEADER, "header describes blocks outside of it"),
    (STRUCTS, 0xfffffffc, "header describes blocks outside of it"),
    (STRUCTS, HEADER + 2, "header describes blocks outside of it"),
    (STRINGS, 0xffffffff, "header describes blocks outside of it"),
    (STRINGS_SIZE, 0xffffffff, "header describes blocks outside of it"),
    (STRUCTS_SIZE, 0xffffffff, "header describes blocks outside of it"),
    (STRUCTS_SIZE, 0, "broken structure"),
    (STRUCTS_SIZE, 8, "broken structure"),
    (STRUCTS, 0, "broken structure"),
    (VERSION, 16, "not version 17"),
    (LAST_COMPATIBLE, 18, "not version 17"),
])
def test_header(name: str, at: int, value: int, reason: str, tmp_path: Path) -> None:
    """A header that cannot be."""
    check_tree_panic(boot_with_tree(build(name), put(good(), at, value), tmp_path), reason)


@pytest.mark.parametrize("value", [0, HEADER - 4, 0x10000, 0xfffffff0, 0xffffffff])
def test_reservation_block(value: int, tmp_path: Path) -> None:
    """The reservation block is wherever the header says, or nowhere."""
    check_ends(boot_with_tree(build("debug"), put(good(), RESERVED, value), tmp_path))


def test_newer_version(tmp_path: Path) -> None:
    """A later version that is compatible with this one is read."""
    kernel = build("base")
    check_clean(kernel, boot_with_tree(kernel, put(good(), VERSION, 18), tmp_path))


# ---- Damage -----------------------------------------------------------------------

def lengths() -> List[int]:
    """Return lengths to which a tree is cut: all kinds of places in its header and structure."""
    blob = good()
    first, size = get(blob, STRUCTS), get(blob, STRUCTS_SIZE)
    return sorted({0, 1, 4, 7, 8, HEADER - 1, HEADER, first, first + 1, first + 8,
                   *range(first + 4, first + size - 4, size // 12)})


@pytest.mark.parametrize("name", ["base", "fdt"])
@pytest.mark.parametrize("length", lengths())
def test_cut(name: str, length: int, tmp_path: Path) -> None:
    """A tree of which only the beginning came; zeros follow."""
    blob = good()
    result = boot_with_tree(build(name), blob[:length] + bytes(len(blob) - length), tmp_path)
    report = check_panic(result)
    assert report.startswith(f"{PANIC}device tree at {TREE_AT:#x}: "), result


@pytest.mark.parametrize("part", [4, 2, 1])
def test_cut_strings(part: int, tmp_path: Path) -> None:
    """The names of properties come last: without some of them, the tree is still one."""
    blob = good()
    strings, size = get(blob, STRINGS), get(blob, STRINGS_SIZE)
    cut = strings + size - size // part
    check_ends(boot_with_tree(build("base"), blob[:cut] + bytes(len(blob) - cut), tmp_path))


@pytest.mark.parametrize("length", lengths()[6:])
def test_cut_honestly(length: int, tmp_path: Path) -> None:
    """A tree that is cut, with a header that knows the size."""
    result = boot_with_tree(build("base"), put(good()[:length], SIZE, length), tmp_path)
    check_tree_panic(result, "header describes blocks outside of it")


@pytest.mark.parametrize("seed", range(FLIPS))
def test_flipped(seed: int, tmp_path: Path) -> None:
    """Some random bytes changed."""
    rng = random.Random(seed)
    blob = bytearray(good())
    # The header has tests of its own.
    for _ in range(rng.choice([1, 1, 2, 4, 16])):
        blob[rng.randrange(HEADER, len(blob))] = rng.choice([0, 1, 0x7f, 0xff, rng.randrange(256)])
    kernel = build(KERNELS[seed % len(KERNELS)])
    check_ends(boot_with_tree(kernel, bytes(blob), tmp_path))


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("token", [0, 3, 5, 0x01000000, 0xffffffff])
def test_token(name: str, token: int, tmp_path: Path) -> None:
    """A token that does not exist, or not there."""
    blob = good()
    check_tree_panic(boot_with_tree(build(name), put(blob, get(blob, STRUCTS), token), tmp_path),
                     "broken structure")


def nested(depth: int) -> str:
    """Return nodes in nodes."""
    return "".join(f"n{i} {{ compatible = \"x\"; " for i in range(depth)) + "};" * depth


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("depth", [11, 12, 200])
def test_deep(name: str, depth: int, tmp_path: Path) -> None:
    """Nodes deeper than any real tree's are skipped."""
    kernel = build(name)
    check_clean(kernel, boot_with_tree(kernel, compile_tree(source(extra=nested(depth))), tmp_path))


def test_end_missing(tmp_path: Path) -> None:
    """Nodes that are never closed, up to the end of the structure."""
    blob = good()
    first, size = get(blob, STRUCTS), get(blob, STRUCTS_SIZE)
    begin = struct.pack(">I4s", 1, b"n\0\0\0")
    endless = (begin * (size // len(begin) + 1))[:size]
    check_tree_panic(boot_with_tree(build("debug"), blob[:first] + endless + blob[first + size:],
                                    tmp_path), "broken structure")


# ---- Memory -----------------------------------------------------------------------

def test_no_memory_node(tmp_path: Path) -> None:
    """Without memory there is nothing to run in."""
    blob = compile_tree(source(memory=""))
    for name in KERNELS:
        check_tree_panic(boot_with_tree(build(name), blob, tmp_path), "no memory node")


@pytest.mark.parametrize("memory", [
    "<>", "<0x0>", "<0x0 0x80000000 0x0>", "<0x0 0x80000000 0x0 0x0>", '"text"'])
def test_no_memory(memory: str, tmp_path: Path) -> None:
    """A memory node that describes none."""
    result = boot_with_tree(build("base"), compile_tree(source(memory=memory)), tmp_path)
    check_tree_panic(result, "no memory node")


@pytest.mark.parametrize("memory", [
    cells(0, 0xffffffffffffffff),
    cells(0xffffffff00000000, 0xffffffff),
    cells(0x80000000, 0xfffffffffffffff),
    cells(0x80000001, 0x7ffffff),
    cells(0x80000000, 0x8000000) + ", " + cells(0x80000000, 0x8000000),
    cells(0x80000000, 0x4000001, 0x83ffffff, 0x4000001),
    cells(0xffffffffffffffff, 1, 0x80000000, 0x8000000),
    cells(0x80000000, 0x8000000) + ", <0x1>",
])
@pytest.mark.parametrize("name", ["base", "debug"])
def test_odd_memory(name: str, memory: str, tmp_path: Path) -> None:
    """Memory that wraps around, overlaps itself, or ends in between."""
    check_ends(boot_with_tree(build(name), compile_tree(source(memory=memory)), tmp_path))


def test_many_banks(tmp_path: Path) -> None:
    """More banks than there is room for: the first ones are used."""
    memory = ", ".join(cells(0x80000000 + i * 0x400000, 0x200000) for i in range(20))
    kernel = build("base")
    result = boot_with_tree(kernel, compile_tree(source(memory=memory)), tmp_path)
    assert result.status == 0 and result.lines[-1] == LINE, result
    assert result.text.count("memory: no room for 0x") == 4, result
    assert "only 16 banks are used" in result.text


@pytest.mark.parametrize("region", [
    f"reg = {cells(0x81000000, 0x200000)};",
    f"reg = {cells(0x81000000, 0x200000)}; no-map;",
    f"reg = {cells(0x81000000, 0x200000, 0x81100000, 0x200000)}; no-map;",
    f"reg = {cells(0x81234567, 0x3)}; no-map;",
    f"reg = {cells(0x81000000, 0)}; no-map;",
    f"reg = {cells(0, 0x1000)}; no-map;",
    f"reg = {cells(0x87ffffff, 0x100000000)}; no-map;",
    f"reg = {cells(0xfffffffffffff000, 0x2000)}; no-map;",
    f"reg = {cells(0x82000000, 0xffffffffffffffff)}; no-map;",
    "reg = <0x0 0x81000000>;",
    "size = <0x0 0x100000>; alignment = <0x0 0x1000>;",
    "status = \"disabled\"; reg = <0x0 0x81000000 0x0 0x100000>;",
])
@pytest.mark.parametrize("name", ["base", "debug"])
def test_odd_reservation(name: str, region: str, tmp_path: Path) -> None:
    """Reservations that overlap, are empty, or lie anywhere."""
    twice = reserved(region, region, f"reg = {cells(0x81100000, 0x1000)}; no-map;")
    kernel = build(name)
    blob = compile_tree(source(extra=twice, reserve="/memreserve/ 0x81000000 0x300000;"))
    check_clean(kernel, boot_with_tree(kernel, blob, tmp_path))


def test_many_reservations(tmp_path: Path) -> None:
    """More reservations than can be kept must not be ignored."""
    regions = [f"reg = {cells(0x81000000 + i * 0x2000, 0x1000)};" for i in range(40)]
    result = boot_with_tree(build("base"), compile_tree(source(extra=reserved(*regions))), tmp_path)
    check_panic(result, "memory: more than 32 reserved regions, and 0x")


def test_no_map_everywhere(tmp_path: Path) -> None:
    """All memory may be forbidden, but the kernel is in it."""
    region = f"reg = {cells(0x80000000, 0x8000000)}; no-map;"
    kernel = build("base")
    check_clean(kernel, boot_with_tree(kernel, compile_tree(source(extra=reserved(region))),
                                       tmp_path))


# ---- Cells ------------------------------------------------------------------------

def values_of(blob: bytes, name: str) -> List[int]:
    """Return where the values of all properties of this name are, if they are one cell."""
    offset = blob.index(f"{name}\0".encode(), get(blob, STRINGS)) - get(blob, STRINGS)
    return [match.end() for match in re.finditer(re.escape(struct.pack(">III", 3, 4, offset)),
                                                 blob)]


@pytest.mark.parametrize("count", [0, 3, 4, 0x40000000, 0x7fffffff, 0x80000000, 0xffffffff])
@pytest.mark.parametrize("which", ["#address-cells", "#size-cells"])
@pytest.mark.parametrize("name", ["base", "debug"])
def test_cells(name: str, which: str, count: int, tmp_path: Path) -> None:
    """Numbers of cells that overflow whatever is computed from them."""
    blob = good()
    places = values_of(blob, which)
    assert len(places) == 4  # the root, cpus, soc, reserved-memory
    for place_of in places:
        check_ends(boot_with_tree(build(name), put(blob, place_of, count), tmp_path))


def test_translation(tmp_path: Path) -> None:
    """The console's address is translated by each bus on the way."""
    inner = """
        bus@0 {
            #address-cells = <1>;
            #size-cells = <1>;
            compatible = "simple-bus";
            ranges = <0x500 0x0 0xffff000 0x100>, <0x1000 0x0 0x10000000 0x1000>;
            serial@1000 { compatible = "ns16550a"; reg = <0x1000 0x100>; };
        };"""
    kernel: Kernel = build("base", "SERIAL_CRLF=n")
    tree = compile_tree(source('stdout-path = "/soc/bus@0/serial@1000";', inner))
    # Without CR: the UART was found, firmware would send it.
    check_clean(kernel, boot_with_tree(kernel, tree, tmp_path), end=b"\n")


@pytest.mark.parametrize("ranges", [
    "", "ranges = <0x0>;", "ranges = <0x2000 0x0 0x10000000 0x100>;",
    "ranges = <0x1000 0x0 0x0 0xffffffff>;", "ranges = <0x0 0xffffffff 0xffffffff 0xffffffff>;"])
def test_bad_translation(ranges: str, tmp_path: Path) -> None:
    """A bus that passes nothing on, or to nowhere: firmware's console takes over."""
    inner = f"""
        bus@0 {{
            #address-cells = <1>;
            #size-cells = <1>;
            compatible = "simple-bus";
            {ranges}
            serial@1000 {{ compatible = "ns16550a"; reg = <0x1000 0x100>; }};
        }};"""
    kernel = build("base", "SERIAL_CRLF=n")
    result = boot_with_tree(kernel, compile_tree(source('stdout-path = "/soc/bus@0/serial@1000";',
                                                        inner)), tmp_path)
    assert result.kernel.endswith(LINE.encode() + b"\r\n") and result.status == 0, result
    assert "ttyS" in result.lines[0], result


def test_two_consoles(tmp_path: Path) -> None:
    """The one that stdout-path names is taken, not the first; here the other is not there."""
    other = UART.replace("10000000", "50000000")
    kernel = build("base", "SERIAL_CRLF=n")
    for uarts in (other + UART, UART + other):
        check_clean(kernel, boot_with_tree(kernel, compile_tree(source(uart=uarts)), tmp_path),
                    end=b"\n")
