# SPDX-License-Identifier: MIT
"""The meter on real kernels: against QEMU's own trace, with each kind of optimisation."""
from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Optional

import pytest
from asmkernel import LINE, POWER_OFF, ROOT, build, put_string, qemu, qemu_version
from comparing import cache
from metering import METER, fixture_build_dir, measure  # noqa: F401

sys.path.insert(0, str(ROOT / "scripts" / "measure"))
import builds  # noqa: E402
import symbols  # noqa: E402

TEXT = LINE + "\\n"  # as written in assembly
LENGTH = len(LINE) + 1
LOW = 0x80200000
PHASES = ["entry", "paging", "start", "device tree", "mm", "console", "late", "line"]


def built(config: str, *assignments: str) -> builds.Build:
    """Return a kernel of a configuration in configs/, with some lines of its own."""
    text = (ROOT / "configs" / config).read_text(encoding="utf-8")
    kept = [line for line in text.splitlines()
            if not any(line.startswith(new.split("=")[0] + "=") for new in assignments)]
    return builds.Cache(cache()).build("\n".join([*kept, *assignments]) + "\n", config)


# ---- QEMU's own trace -------------------------------------------------------------

def trace(tmp_path: Path, image: Path, filters: Optional[str]) -> list[int]:
    """Return the addresses of all instructions from the kernel's entry on.

    Filters name the ranges to log: without firmware's it is a lot faster. Not
    with -icount, under which QEMU logs accesses of devices twice.
    """
    log = tmp_path / "trace"
    single = (["-accel", "tcg,one-insn-per-tb=on"] if qemu_version() >= (8, 1)
              else ["-singlestep"])
    subprocess.run(qemu() + ["-M", "virt", "-m", "128M", "-kernel", str(image), "-display", "none",
                             "-monitor", "none", "-serial", f"file:{tmp_path}/console",
                             "-seed", "1", "-no-reboot",
                             "-d", "exec,nochain", "-D", str(log)] + single
                   + (["-dfilter", filters] if filters else []),
                   timeout=200, check=True)
    addresses = []
    with open(log, encoding="ascii", errors="replace") as lines:
        for line in lines:
            match = re.match(r"Trace .*\[[0-9a-f]+/([0-9a-f]+)/", line)
            if match:
                address = int(match.group(1), 16)
                if addresses or address == LOW:
                    addresses.append(address)
    return addresses


@pytest.mark.parametrize("how", ["store", "poll"])
def test_trace_agrees(tmp_path: Path, build_dir: Path, how: str) -> None:
    """QEMU's trace of single steps has the same instructions.

    The last one counted must be the store that sends, run once for each character.
    """
    image = build(tmp_path, put_string(TEXT, how) + POWER_OFF)
    result = measure(build_dir, "--kernel", image)
    counted = trace(tmp_path, image, f"{LOW:#x}+0x10000")[:result["total"]]
    assert len(counted) == result["total"] == result["kernel"]
    assert counted.count(counted[-1]) == LENGTH
    assert result["pages"]["code"] == len({address >> 12 for address in counted})


@pytest.mark.parametrize("config", [
    "base_defconfig", "sv48_defconfig", pytest.param("tiny_defconfig", marks=pytest.mark.slow)])
def test_kernel_trace_agrees(tmp_path: Path, build_dir: Path, config: str) -> None:
    """QEMU's trace of a whole start-up has what the meter counts: in all, by
    function, by phase, and the pages of code."""
    kernel = built(config)
    result = measure(build_dir, "--kernel", kernel.image, "--symbols", kernel.elf)
    known = symbols.Symbols(kernel.elf)
    with_firmware = result["firmware"] > 0
    steps = trace(tmp_path, kernel.image, None if with_firmware else
                  f"{LOW:#x}+0x200000,{LOW + known.offset:#x}+0x200000")[:result["total"]]
    assert len(steps) == result["total"]
    # The last one counted is the store that sends, run for each character.
    assert steps.count(steps[-1]) >= LENGTH
    firmware = [address for address in steps if address < LOW]
    assert len(firmware) == result["firmware"]
    by_name = Counter("(firmware)" if address < LOW else known.name(address)
                      for address in steps)
    assert by_name == {row["name"]: row["instructions"] for row in result["functions"]}
    assert len({known.places(address)[0] >> 12 if address >= LOW else address >> 12
                for address in map(low, steps)}) == result["pages"]["code"]
    assert phases_of(steps, known) == {phase["name"]: sum(phase[mode] for mode in (
        "kernel", "firmware", "user")) for phase in result["phases"]}


def low(address: int) -> int:
    """Return an address of the upper half as the physical one."""
    return address & 0xffffffff


def phases_of(steps: list[int], known: symbols.Symbols) -> dict[str, int]:
    """Return the instructions of each phase of a trace."""
    waiting = {low(address): [name for at, name in known.phases() if at == address]
               for address, _ in known.phases()}
    counts = {"entry": 0}
    now = "entry"
    for address in map(low, steps):
        for name in waiting.pop(address, []):
            counts[name] = 0
            now = name
        counts[now] += 1
    return counts


# ---- Up to the end of the machine --------------------------------------------------

@pytest.mark.parametrize("name", ["tiny_defconfig", "uart_defconfig", "defconfig"])
def test_power_off(build_dir: Path, name: str) -> None:
    """What comes behind the line is told as well, and changes nothing of what is before it."""
    kernel = built(name)
    short = measure(build_dir, "--kernel", kernel.image)
    long = measure(build_dir, "--kernel", kernel.image, "--power-off")
    ends = long.pop("power_off")
    assert long == short
    behind = sum(ends.values()) - long["total"]
    # The call of firmware; a program's exit, and all that is its.
    assert 0 < behind < 100000 if name == "tiny_defconfig" else 0 <= behind < 5000
    assert (ends["user"] > long["user"]) == (name == "defconfig")


def test_no_power_off(build_dir: Path) -> None:
    """A kernel that idles has no such figure, and that is said."""
    kernel = built("uart_defconfig", "CONFIG_FINISH_IDLE=y")
    done = subprocess.run([METER, "--kernel", str(kernel.image), "--build-dir", str(build_dir),
                           "--power-off", "--timeout", "3"], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "and the end of the machine were not seen within 3 seconds" in done.stderr


# ---- Determinism, and what the figures must be to each other ------------------------

def test_repeatable(build_dir: Path) -> None:
    """The same kernel gives the same figures, all of them."""
    kernel = built("base_defconfig")
    args = ("--kernel", kernel.image, "--symbols", kernel.elf)
    assert measure(build_dir, *args) == measure(build_dir, *args)


def adds_up(result: dict[str, Any]) -> None:
    """Check that the parts are the whole."""
    assert sum(row["instructions"] for row in result["folders"]) == result["total"]
    for mode in ("kernel", "firmware", "user"):
        assert sum(phase[mode] for phase in result["phases"]) == result[mode]
        assert sum(row["instructions"] for row in result["functions"]
                   if row["mode"] == mode) == result[mode]


@pytest.mark.parametrize("assignments", [(), ("CONFIG_LTO=y",)])
def test_objects(build_dir: Path, assignments: tuple[str, ...]) -> None:
    """Functions' objects are known, also after link-time optimisation."""
    kernel = built("base_defconfig", *assignments)
    result = measure(build_dir, "--kernel", kernel.image, "--symbols", kernel.elf)
    adds_up(result)
    assert [phase["name"] for phase in result["phases"]] == PHASES
    rows = {row["name"]: row for row in result["functions"]}
    assert rows["paging_build"]["object"] == "arch/riscv/paging.o"
    assert rows["paging_build"]["folder"] == "arch/riscv"
    unknown = sum(row["instructions"] for row in result["functions"] if not row["object"])
    assert unknown < result["total"] / 20, [row for row in result["functions"]
                                            if not row["object"]]
    # The way into the upper half is a page fault.
    assert result["crossings"] == {"firmware_calls": 0, "firmware_traps": 0, "system_calls": 0,
                                   "traps": 1}


@pytest.mark.slow
def test_objects_of_clang(tmp_path: Path) -> None:
    """So they are where LLVM optimises while it links."""
    if not shutil.which("clang") or not shutil.which("ld.lld"):
        pytest.skip("no clang and lld")
    subprocess.run(["make", "-s", f"O={tmp_path}", "LLVM=1", "base_defconfig"], cwd=ROOT,
                   check=True, env=builds.environment(), stdout=subprocess.DEVNULL, timeout=300)
    subprocess.run([ROOT / "scripts/config", "--file", tmp_path / ".config", "--enable", "LTO"],
                   check=True, timeout=60)
    for goal in ("olddefconfig", "all"):
        subprocess.run(["make", "-s", f"O={tmp_path}", "LLVM=1", goal], cwd=ROOT, check=True,
                       env=builds.environment(), stdout=subprocess.DEVNULL, timeout=300)
    known = symbols.Symbols(tmp_path / "ahoy")
    # At the end of the text there is a symbol, but nothing more.
    functions = [found for found in map(known.find, known.starts) if found]
    assert len(functions) > 20
    assert [function for function in functions if not function.object] == []
    assert [name for _, name in known.phases()] == PHASES[1:]


# ---- Phases weigh nothing --------------------------------------------------------------

def without_phases(folder: Path, config: Path) -> bytes:
    """Return the image of a configuration without phase labels."""
    flags = [f"{name}=-DNO_PHASES" for name in ("KCFLAGS", "KAFLAGS")]
    folder.mkdir()
    (folder / ".config").write_bytes(config.read_bytes())
    for goals in (["olddefconfig"], ["Image"]):
        subprocess.run(["make", "-s", f"O={folder}", *flags, *goals], cwd=ROOT, check=True,
                       env=builds.environment(), stdout=subprocess.DEVNULL, timeout=300)
    return (folder / "arch/riscv/boot/Image").read_bytes()


@pytest.mark.parametrize("config", ["tiny_defconfig", "fdt_defconfig", "sv48_defconfig"])
def test_phases_weigh_nothing(tmp_path: Path, config: str) -> None:
    """Without the labels the image is the same, byte for byte."""
    kernel = built(config)
    assert symbols.Symbols(kernel.elf).phases()
    assert without_phases(tmp_path / "without", kernel.tree / ".config") == (
        kernel.image.read_bytes())


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(40))
def test_phases_weigh_nothing_at_random(tmp_path: Path, seed: int) -> None:
    """Nor do they in whatever else may be configured."""
    folder = tmp_path / "with"
    for goal in ("randconfig", "Image"):
        subprocess.run(["make", "-s", f"O={folder}", f"KCONFIG_SEED={seed}", goal], cwd=ROOT,
                       check=True, env=builds.environment(), stdout=subprocess.DEVNULL,
                       timeout=300)
    assert without_phases(tmp_path / "without", folder / ".config") == (
        folder / "arch/riscv/boot/Image").read_bytes()
