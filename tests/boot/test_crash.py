# SPDX-License-Identifier: MIT
"""Faults of the kernel itself: each is reported, with names, and ends in a failure."""

import re
import subprocess
from typing import Dict, Optional

import pytest

from bootlib import (BOOT_TIMEOUT, Kernel, Result, boot, build, check_panic, environment,
                     qemu_command)

PAGE = 4096
MAX_FRAMES = 32
# Way to crash: the reason, and functions that the call trace names, innermost first.
WAYS = {
    "null": (r"store page fault at 0x8 \(null pointer\)", ["crash_null"]),
    "text": (r"store page fault at (0x\w+) \(write to read-only kernel memory\)", ["crash_text"]),
    "rodata": (r"store page fault at (0x\w+) \(write to read-only kernel memory\)",
               ["crash_rodata"]),
    "exec": (r"instruction page fault at (0x\w+) \(execution of data\)", []),
    "stack": (r"store page fault at (0x\w+) \(stack overflow\)",
              ["recurse", "recurse", "recurse", "crash_stack"]),
    "panic": (r"requested by crash=panic", ["panic", "crash_panic"]),
    "illegal": (r"illegal instruction", ["crash_illegal"]),
    # Clang traps by the same illegal instruction as crash=illegal.
    "ubsan": (r"(?:breakpoint \(undefined behaviour\)|illegal instruction)(?: .*)?",
              ["increment", "crash_ubsan"]),
    "smash": (r"stack protector: damaged stack frame in smash(?:\.[\w.]+)?\+0x\w+/0x\w+", []),
    "nested": (r"illegal instruction", []),
}
# What called them all, innermost first. Damage of the stack takes it away.
CALLERS = ["crash_init", "init_run", "start_kernel"]
FUNCTION = re.compile(r"^  ([a-z_]\w*)(?:\.[\w.]+)?\+0x[0-9a-f]+/0x[0-9a-f]+$", re.MULTILINE)


def check_report(kernel: Kernel, result: Result, way: str) -> None:
    """Check what a report must have for this way to crash."""
    reason, trace = WAYS[way]
    report = check_panic(result)
    match = re.match(rf"Kernel panic - not syncing: {reason}\n", report)
    assert match, result
    symbols = kernel.symbols
    where = int(match.group(1), 16) if match.groups() else 0
    inside = {"text": ("_start", "_etext"), "rodata": ("_rodata_start", "_rodata_end"),
              "exec": ("_data_start", "_end")}.get(way)
    if inside:
        assert symbols[inside[0]] <= where < symbols[inside[1]], result
    if way == "stack":
        assert 0 <= where - symbols["boot_stack_guard"] < PAGE, result
    if way == "nested":
        assert re.search(r"^another fault during the report: illegal instruction, .*"
                         r"epc trap_report\+0x", report, re.MULTILINE), result
        return
    if way == "ubsan":
        assert kernel.has("CC_IS_CLANG") or "(undefined behaviour)" in report, result
    names = FUNCTION.findall(report[report.index("\nCall trace:\n"):])
    named = iter(names)
    if way == "stack" and len(names) >= MAX_FRAMES and CALLERS[-1] not in names:
        # With small frames the trace ends before its beginning is reached.
        assert set(names) == {"recurse"}, result
        return
    for function in trace + (CALLERS if way != "smash" else []):
        assert function in named, f"{function} is not in the call trace, or not there\n{result}"
    if way not in ("panic", "smash"):
        check_registers(symbols, report, where)


def check_registers(symbols: Dict[str, int], report: str, tval: int) -> None:
    """Check that the registers are all there and hold what they must."""
    values = dict(re.findall(r"\b(\w+) +([0-9a-f]{16})\b", report))
    # A number where it is no function's.
    epc = values.pop("epc", None)
    assert epc is None or int(epc, 16) == tval, report
    names = ["ra", "sp", "gp", "tp", *(f"t{i}" for i in range(7)), *(f"s{i}" for i in range(12)),
             *(f"a{i}" for i in range(8)), "status", "cause", "tval"]
    assert sorted(values) == sorted(names), report
    assert int(values["gp"], 16) == symbols["__global_pointer$"]
    assert 0 <= symbols["boot_stack_top"] - int(values["sp"], 16) <= 16 * PAGE
    if tval:
        assert int(values["tval"], 16) == tval


@pytest.mark.parametrize("machine", ["virt", "spike", "sifive_u"])
@pytest.mark.parametrize("way", sorted(WAYS))
def test_crash(machine: str, way: str) -> None:
    """Every way to crash, on every machine."""
    kernel = build("debug")
    check_report(kernel, boot(kernel, "--machine", machine, "--append", f"crash={way}"), way)


@pytest.mark.parametrize("way", ["null", "text", "rodata", "exec", "stack"])
@pytest.mark.parametrize("options", [("KERNEL_IDENTITY=y",),
                                     ("PAGING_SV39=y", "PAGING_FALLBACK=n"),
                                     ("PAGING_SV57=y", "LINEAR_MAP=n")])
def test_protection(way: str, options: tuple) -> None:
    """The protections hold with other paging as well."""
    kernel = build("debug", *options)
    check_report(kernel, boot(kernel, "--append", f"crash={way}"), way)


def test_no_names() -> None:
    """Without symbols in the image, addresses stand for names."""
    kernel = build("debug", "KALLSYMS=n")
    result = boot(kernel, "--append", "crash=null")
    report = check_panic(result, "store page fault at 0x8")
    symbols = kernel.symbols
    trace = report[report.index("\nCall trace:\n"):]
    found = re.findall(r"^  (?:0x)?([0-9a-f]{16})$", trace, re.MULTILINE)
    assert len(found) >= 2, report
    for text in found:
        assert symbols["_start"] <= int(text, 16) < symbols["_etext"], report


def test_no_trace() -> None:
    """Without call traces, the report is still one."""
    report = check_panic(boot(build("debug", "STACKTRACE=n"), "--append", "crash=null"),
                         "store page fault at 0x8", "epc crash_null+0x")
    assert "Call trace" not in report


def test_bare() -> None:
    """Without paging nothing protects text, but an access to nothing is seen."""
    kernel = build("debug", "PAGING_BARE=y", "PAGING_FALLBACK=n", "LINEAR_MAP=n",
                   "KERNEL_UPPER_HALF=n")
    check_panic(boot(kernel, "--append", "crash=null"), "store access fault at 0x8")
    check_panic(boot(kernel, "--append", "crash=nested"), "another fault during the report")


def test_unknown_way() -> None:
    """A way that does not exist is said, and the line comes."""
    kernel = build("debug")
    result = boot(kernel, "--append", "crash=gently")
    assert result.status == 0 and "crash=gently: there is no such way\n" in result.text, result


def qemu_status(kernel: Kernel, append: Optional[str], *args: object) -> int:
    """Return the status with which QEMU itself ends."""
    extra = ["--append", append] if append else []
    done = subprocess.run(qemu_command(kernel, *extra, *args), stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, timeout=BOOT_TIMEOUT, check=False,
                          env=environment())
    return done.returncode


def test_status() -> None:
    """QEMU's own status tells a panic from a clean end, where there is a device to tell it."""
    kernel = build("debug")
    assert qemu_status(kernel, None) == 0
    assert qemu_status(kernel, "crash=panic") == 1
    assert qemu_status(kernel, "crash=null") == 1
    assert qemu_status(kernel, "crash=nested") == 1


def test_status_no_device() -> None:
    """Without it QEMU knows nothing, but scripts/run has read the report."""
    kernel = build("debug", "POWER_SIFIVE_TEST=n")
    assert qemu_status(kernel, "crash=panic") == 0
    check_panic(boot(kernel, "--append", "crash=panic"), "requested by crash=panic")
