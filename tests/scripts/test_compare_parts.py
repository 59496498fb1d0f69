# SPDX-License-Identifier: MIT
"""Tests of parts of scripts/compare: least RAM, treemaps, sizes of odd files."""
from __future__ import annotations

import random
import shutil
import subprocess
from pathlib import Path
from typing import Optional

import pytest
from asmkernel import POWER_OFF, build, find_tool
from sourcecopy import ROOT  # also puts scripts/measure onto the module path

import comparison
import leastram
import sizes
from treemap import Node, layout

KIB = 1024
PAGE = 4 * KIB


# ---- Least RAM ------------------------------------------------------------------

@pytest.mark.parametrize("need", [2052, 2100, 2104, 4096, 131072])
@pytest.mark.parametrize("start", [2052, 2100, 2148, 100000])
def test_search(need: int, start: int) -> None:
    """Whatever the kernel used with plenty, the least is found."""
    told = []

    def boot(size: int) -> Optional[int]:
        told.append(size)
        return need * KIB if size >= need * KIB else None

    found = leastram.search(boot, start * KIB, 2048 * KIB, 131072 * KIB)
    assert found == need * KIB
    assert len(told) <= 36
    if start == need:
        assert len(told) <= 2


def test_search_top() -> None:
    """A kernel that takes memory from the top uses all it is told of, until it is too little."""
    def boot(size: int) -> Optional[int]:
        return size if size >= 3000 * KIB else None

    assert leastram.search(boot, 131072 * KIB, 2048 * KIB, 131072 * KIB) == 3000 * KIB


def test_search_beyond() -> None:
    """A kernel that touches more than it was told of has not enough."""
    def boot(size: int) -> Optional[int]:
        return 2100 * KIB  # whatever it is told

    assert leastram.search(boot, 2100 * KIB, 2048 * KIB, 131072 * KIB) == 2100 * KIB


def tree(folder: Path, text: str) -> bytes:
    """Compile a device tree."""
    if not shutil.which("dtc"):
        pytest.skip("no dtc")
    source, made = folder / "tree.dts", folder / "tree.dtb"
    source.write_text(f"/dts-v1/;\n/ {{ {text} }};\n", encoding="ascii")
    subprocess.run(["dtc", "-q", "-O", "dtb", "-o", str(made), str(source)], check=True)
    return made.read_bytes()


@pytest.mark.parametrize("cells,reg", [("2", "<0 0x80000000 0 0x8000000>"),
                                       ("1", "<0x80000000 0x8000000>")])
def test_told(tmp_path: Path, cells: str, reg: str) -> None:
    """The memory node says what it is told to, and nothing else changes."""
    whole = tree(tmp_path, f"#address-cells = <{cells}>; #size-cells = <{cells}>; "
                 f'memory@80000000 {{ device_type = "memory"; reg = {reg}; }}; '
                 "chosen { reg = <1>; };")
    changed, base = leastram.told(whole, 0x201000)
    assert base == 0x80000000 and len(changed) == len(whole)
    assert sum(a != b for a, b in zip(whole, changed)) <= 4
    assert leastram.told(changed, 0x8000000)[0] == whole
    if shutil.which("fdtget"):
        file = tmp_path / "told.dtb"
        file.write_bytes(changed)
        words = subprocess.run(["fdtget", "-t", "x", str(file), "/memory@80000000", "reg"],
                               stdout=subprocess.PIPE, text=True, check=True).stdout.split()
        assert words[-1] == "201000"


@pytest.mark.parametrize("text", [
    "#address-cells = <1>; #size-cells = <1>;",
    '#address-cells = <1>; #size-cells = <1>; m { device_type = "memory"; reg = <1 2 3 4>; };',
])
def test_told_other(tmp_path: Path, text: str) -> None:
    """A tree without one bank of memory is refused."""
    with pytest.raises(leastram.BadTree):
        leastram.told(tree(tmp_path, text), PAGE)


def test_told_broken() -> None:
    """Bytes that are no tree are refused, wherever they end."""
    for data in (b"", b"\0" * 64, b"\xd0\x0d\xfe\xed" + b"\0" * 8):
        with pytest.raises(leastram.BadTree):
            leastram.told(data, PAGE)


# ---- Treemaps --------------------------------------------------------------------

@pytest.mark.parametrize("seed", range(8))
def test_treemap(seed: int) -> None:
    """Boxes lie inside, do not overlap, and have the areas of their weights."""
    dice = random.Random(seed)
    nodes = [Node(str(n), dice.choice([1, 3, 10, 500]) * dice.random() + 0.01)
             for n in range(dice.randint(1, 60))]
    boxes = layout(nodes, dice.choice([0.2, 1.0, 1.4, 9.0]))
    whole = sum(node.total() for node in nodes)
    assert len(boxes) == len(nodes)
    for box in boxes:
        assert box.width * box.height / 1e4 == pytest.approx(box.node.total() / whole)
        assert -1e-6 <= box.left and box.left + box.width <= 100 + 1e-6
        assert -1e-6 <= box.top and box.top + box.height <= 100 + 1e-6
    for n, one in enumerate(boxes):
        for other in boxes[:n]:
            assert (one.left + one.width <= other.left + 1e-6
                    or other.left + other.width <= one.left + 1e-6
                    or one.top + one.height <= other.top + 1e-6
                    or other.top + other.height <= one.top + 1e-6)


def test_treemap_square() -> None:
    """Equal weights become nearly square boxes."""
    boxes = layout([Node(str(n), 1) for n in range(16)], 1.0)
    assert all(0.5 < box.width / box.height < 2 for box in boxes)
    assert not layout([], 1.0) and not layout([Node("none", 0)], 1.0)


# ---- Sizes ----------------------------------------------------------------------

def test_every_byte(tmp_path: Path) -> None:
    """Symbols that overlap, gaps and unnamed bytes: every byte once."""
    source = """
 nop
 .globl one, inner
 .type one, @function
one: nop
inner: nop
 nop
 .size one, . - one
 .type inner, @function
 .size inner, 4
 .skip 100, 1
tail:
 .data
 .type value, @object
value: .quad 1
 .size value, 8
 .byte 1
 .bss
 .skip 4096
end:
 .text
""" + POWER_OFF
    image = build(tmp_path, source)
    elf = image.with_suffix(".elf")
    found = sizes.measure(elf, None)
    words = subprocess.run([find_tool("size"), str(elf)], stdout=subprocess.PIPE, text=True,
                           check=True).stdout.splitlines()[1].split()
    made = found["sizes"]
    assert [made["text"] + made["rodata"], made["data"], made["bss"]] == [
        int(word) for word in words[:3]]
    by_name = {row["name"]: row for row in found["symbols"]}
    assert by_name["one"]["size"] == 12 and "inner" not in by_name
    assert by_name["value"]["section"] == "data"
    assert by_name["..tail"]["size"] == 100
    assert next(row for name, row in by_name.items() if name.endswith("..end"))["size"] == 4096
    assert all(row["object"] is None or row["object"] == sizes.LINKER for row in found["symbols"])
    for kind in sizes.KINDS:
        assert made[kind] == sum(row["size"] for row in found["symbols"]
                                 if row["section"] == kind)
    assert sizes.Elf(elf).flat() == image.read_bytes()


@pytest.mark.parametrize("length", [0, 4, 16, 63, 64, 200])
def test_cut_off(tmp_path: Path, length: int) -> None:
    """A file that is not whole is refused, not half read."""
    elf = build(tmp_path, POWER_OFF).with_suffix(".elf")
    part = tmp_path / "part"
    part.write_bytes(elf.read_bytes()[:length])
    with pytest.raises(sizes.BadFile):
        sizes.Elf(part).symbols()


@pytest.mark.parametrize("text,name,folder", [
    ("kernel/main.o", "kernel/main.o", "kernel"),
    ("built-in.a(lib/string.o)", "lib/string.o", "lib"),
    ("/usr/lib/gcc/libgcc.a(div.o)", "libgcc.a(div.o)", "libgcc.a"),
    ("/tmp/ccAbCd.ltrans0.ltrans.o", sizes.LTO, sizes.LTO),
    (".tmp_syms.o", ".tmp_syms.o", "(generated)"),
    ("<internal>", None, None),
])
def test_objects(text: str, name: Optional[str], folder: Optional[str]) -> None:
    """Objects go by their path in the tree."""
    assert sizes.object_name(text) == name
    assert sizes.folder_of(name) == folder


# ---- Comparison -----------------------------------------------------------------

def test_plain_names() -> None:
    """Copies of a function that the compiler made go by its name."""
    for name in ("read", "read.part.0", "read.constprop.0.isra.0", "read.0", "read.cold"):
        assert comparison.plain_name(name) == "read"
    assert comparison.plain_name(".rodata.read.str1.8").startswith(".rodata.read")


def test_phase_order() -> None:
    """Phases that only one kernel has stand where they happen."""
    assert comparison.phase_order([["entry", "line"], ["entry", "paging", "line"], ["fdt", "line"]
                                   ]) == ["entry", "paging", "fdt", "line"]


def test_no_option_names() -> None:
    """Nothing that measures knows an option by name."""
    names = {"compare.py", "comparison.py", "options.py", "record.py", "reports.py", "sizes.py",
             "page.py", "treemap.py", "leastram.py", "builds.py"}
    for name in names:
        text = (ROOT / "scripts" / "measure" / name).read_text("utf-8")
        assert "CONFIG_" not in text.replace("CONFIG_ ", "").replace("CONFIG_(", "").replace(
            "CONFIG_\\w", "").replace("KCONFIG_", ""), name
