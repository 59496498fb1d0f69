# SPDX-License-Identifier: MIT
"""The meter on another kernel: Debian's own Linux, with a program that writes the line."""

import re
from collections import Counter
from pathlib import Path
from typing import Any, Dict

import pytest
from asmkernel import LINE
from foreign import debian_linux, initrd
from metering import fixture_build_dir, measure  # noqa: F401

# Three system calls between marks of the meter, then the line: 1 + 3 * 6 + 6
# instructions. Then it rests. All is on one page: no instruction faults, which
# would be executed again.
PROGRAM = ("li s0, 3\n 1: slti x0, x0, 5\n li a7, 173\n ecall\n slti x0, x0, 6\n"
           "addi s0, s0, -1\n bnez s0, 1b\n"
           f"li a7, 64\n li a0, 1\n lla a1, 1f\n li a2, {len(LINE) + 1}\n ecall\n"
           "2: li a7, 73\n li a0, 0\n li a1, 0\n li a2, 0\n li a3, 0\n li a4, 8\n ecall\n j 2b\n"
           f"1: .ascii \"{LINE}\\n\"\n")
MARKS = ("--from", "marker:5", "--to", "marker:6")


def linux(build_dir: Path, *args: Any) -> Dict[str, Any]:
    """Return Linux's figures."""
    return measure(build_dir, "--kernel", debian_linux(), "--timeout", 550, "--append",
                   "console=ttyS0", *args, timeout=600)


def logged_traps(log: Path) -> Dict[str, int]:
    """Return the kernel's and the user's traps of QEMU's own log, by cause."""
    causes: "Counter[str]" = Counter()
    for epc, cause in re.findall(r"epc:0x([0-9a-f]+), .*desc=(\w+)", log.read_text()):
        # OpenSBI lies below the kernel.
        if not 0x80000000 <= int(epc, 16) < 0x80200000:
            causes[cause] += 1
    return causes


@pytest.mark.slow
def test_debian(tmp_path: Path, build_dir: Path) -> None:
    """Kernel, firmware and user instructions up to a program's line."""
    archive, log = initrd(tmp_path, PROGRAM), tmp_path / "traps"
    result = linux(build_dir, "--initrd", archive, *MARKS, "--qemu-args", f"-d int -D {log}")
    causes = logged_traps(log)
    assert result["crossings"] == {
        "firmware_calls": causes.pop("supervisor_ecall"), "firmware_traps": 0,
        "system_calls": causes.pop("user_ecall"), "traps": sum(causes.values())}
    # Unpacking, page descriptors, self-tests: hundreds of millions.
    assert 500_000_000 < result["kernel"] < 2_000_000_000
    assert 10_000 < result["firmware"] < result["kernel"] / 1000
    assert result["crossings"]["system_calls"] == 3 + 1
    # A call that does next to nothing.
    assert [interval["user"] for interval in result["intervals"]] == [2] * 3
    assert all(100 < interval["kernel"] < 3000 for interval in result["intervals"])
    pages = result["pages"]
    assert result["user"] == 1 + 3 * 6 + 6
    assert pages["user"] == 1
    assert 31_000_000 / 4096 < pages["total"] <= 128 << 8
    assert pages["firmware"] < 100 < pages["code"] < pages["written"]
    # The same again.
    assert linux(build_dir, "--initrd", archive, *MARKS) == result


@pytest.mark.slow
def test_debian_first_line(build_dir: Path) -> None:
    """Any line can be asked for."""
    result = linux(build_dir, "--want", "Linux version", "--mem", "256M")
    assert result["user"] == result["crossings"]["system_calls"] == 0
    assert 1_000_000 < result["kernel"]
    # Nor does it matter when QEMU forgets its translations.
    assert linux(build_dir, "--want", "Linux version", "--mem", "256M", "--qemu-args",
                 "-accel tcg,tb-size=1") == result
