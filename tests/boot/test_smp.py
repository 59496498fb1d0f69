# SPDX-License-Identifier: MIT
"""Several harts: which take part, that the line waits for none, and reports of all of them."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from bootlib import ROOT, Kernel, boot, build, check_clean, check_panic, qemu_command
from placed import boot_with_tree, compile_tree

METER = ROOT / "scripts" / "meter"


def tree_for(kernel: Kernel, harts: int, path: Path) -> bytes:
    """Return the device tree of a machine with so many harts."""
    command = qemu_command(kernel, "--smp", str(harts))
    command[command.index("-M") + 1] += f",dumpdtb={path}"
    subprocess.run(command, check=True, timeout=30, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    text = subprocess.run(["dtc", "-q", "-O", "dts", path], check=True, stdout=subprocess.PIPE,
                          text=True, timeout=30).stdout
    # The firmware's memory, which firmware adds to its own tree.
    return compile_tree(text.replace("/dts-v1/;",
                                     "/dts-v1/;\n/memreserve/ 0x80000000 0x200000;"))


@pytest.mark.parametrize("harts", [1, 2, 8, 12])
def test_line(harts: int) -> None:
    """The line comes out however many there are, more than the kernel takes included."""
    kernel = build("smp")
    check_clean(kernel, boot(kernel, "--smp", str(harts)))


def test_many() -> None:
    """As many as QEMU's firmware starts, and as the kernel can take."""
    kernel = build("smp", "NR_HARTS=64", "CRASH_TEST=y", "SPINLOCK_TEST_AND_SET=y")
    report = check_panic(boot(kernel, "--smp", "64", "--append", "crash=everywhere", timeout=120))
    assert re.match(r"Kernel panic - not syncing: hart \d+ of 64$", report, re.MULTILINE), report


def test_missing(tmp_path: Path) -> None:
    """One that does not start is reported and left out."""
    kernel = build("smp", "CRASH_TEST=y", 'CMDLINE="crash=everywhere"')
    tree = tree_for(kernel, 4, tmp_path / "qemu.dtb")
    result = boot_with_tree(kernel, tree, tmp_path, "--smp", "2")
    report = check_panic(result)
    assert re.findall(r"hart (\d) does not start", result.text) == ["2", "3"], result
    assert re.search(r"not syncing: hart \d of 2$", report, re.MULTILINE), report


@pytest.mark.parametrize("number", range(3))
def test_panic_everywhere(number: int) -> None:
    """One report, whole and alone, though all harts panic at once."""
    kernel = build("smp", "CRASH_TEST=y")
    result = boot(kernel, "--smp", "8", "--append", "crash=everywhere")
    report = check_panic(result)
    assert re.match(r"Kernel panic - not syncing: hart \d of 8$", report, re.MULTILINE), report
    assert result.text.count("Kernel panic - not syncing") == 1, number


def test_benchmarks_end() -> None:
    """No thread of a benchmark waits for ever, however the harts' steps interleave."""
    kernel = build("smp", "BENCH=y", "SPINLOCK_TEST_AND_SET=y")
    for _ in range(8):
        result = boot(kernel, "--smp", "4", timeout=30)
        check_clean(kernel, result)
        assert "bench: wait.wake_wait" in result.text


def test_line_waits_for_none() -> None:
    """Other harts cost the way of the line what reading their nodes costs."""
    kernel = build("smp")

    def instructions(harts: int) -> int:
        done = subprocess.run([str(METER), "--kernel", str(kernel.image), "--json", "--smp",
                               str(harts)], stdout=subprocess.PIPE, check=True, timeout=120)
        found = json.loads(done.stdout)
        return next(hart["kernel"] for hart in found["harts"]
                    if hart["hart"] == found["boot_hart"])

    assert instructions(8) - instructions(1) < 7 * 1000
