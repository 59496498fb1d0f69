# SPDX-License-Identifier: MIT
"""Tests of scripts/gdb: sessions with a kernel that is stopped at many places."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Dict, List

import pytest
from asmkernel import ROOT, find_tool, qemu, qemu_version

RUN = ROOT / "scripts" / "run"
COMMANDS = ROOT / "scripts" / "gdb" / "ahoy-gdb.py"
LOAD = 0x80200000
LINK = 0xffffffc080200000


def environment(**variables: str) -> Dict[str, str]:
    """Return an environment without what an outer make or caller has set."""
    keep = ("PATH", "HOME", "TMPDIR", "CROSS_COMPILE", "QEMU", "LANG")
    return {**{name: os.environ[name] for name in keep if name in os.environ}, **variables}


def build_kernel(folder: Path, defconfig: str, *symbols: str) -> Path:
    """Build a kernel of this tree with more options; return its object tree."""
    find_tool("gcc")
    make = ["make", "-s", "-C", str(ROOT), f"O={folder}"]
    for goals, extra in (([defconfig], symbols), (["olddefconfig"], ()), (["all"], ())):
        done = subprocess.run(make + goals, env=environment(), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stdout
        with open(folder / ".config", "a", encoding="ascii") as config:
            config.writelines(f"CONFIG_{symbol}\n" for symbol in extra)
    return folder


@pytest.fixture(scope="session", name="standard")
def fixture_standard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the standard kernel with debug information."""
    return build_kernel(tmp_path_factory.mktemp("standard"), "base_defconfig", "DEBUG_INFO=y",
                        "IKCONFIG=y", "PRINTK=y", "TRAPS=y")


@pytest.fixture(scope="session", name="small")
def fixture_small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a kernel with next to nothing in it."""
    return build_kernel(tmp_path_factory.mktemp("small"), "uart_defconfig")


def find_gdb() -> str:
    """Return a gdb for RISC-V, or skip the test."""
    for name in ("gdb-multiarch", "riscv64-unknown-elf-gdb", "riscv64-linux-gnu-gdb"):
        if shutil.which(name):
            return name
    pytest.skip("no gdb for RISC-V")


def gdb(tree: Path, *lines: str, options: str = "") -> List[str]:
    """Start the kernel halted, give gdb commands; return the output of each."""
    qemu()
    program = find_gdb()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    script = ["set pagination off"]
    for line in lines:
        script += [f"echo \\n@@{len(script)}\\n", line]
    script += ["echo \\n@@end\\n", "kill"]
    commands = [word for line in script for word in ("-ex", line)]
    with subprocess.Popen([str(RUN), "--debug", "--timeout", "60", *options.split()], cwd=tree,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT,
                          env=environment(GDB_PORT=str(port))) as machine:
        try:
            wait_for_port(port)
            done = subprocess.run([program, "-nx", "-q", "-batch", "ahoy", "-x", str(COMMANDS)]
                                  + commands, cwd=tree, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                  timeout=50, check=False, env=environment(GDB_PORT=str(port)))
        finally:
            machine.terminate()
            machine.communicate(timeout=20)
    assert "Traceback (most recent" not in done.stdout, done.stdout
    parts = re.split(r"^@@\w+\n", done.stdout, flags=re.MULTILINE)
    assert len(parts) == len(lines) + 2, done.stdout
    return [part.strip() for part in parts[1:-1]]


def wait_for_port(port: int) -> None:
    """Wait until the gdb stub listens, without connecting to it."""
    wanted = f":{port:04X} "
    for _ in range(200):
        text = Path("/proc/net/tcp").read_text(encoding="ascii")
        if any(wanted in line and " 0A " in line for line in text.splitlines()):
            return
        time.sleep(0.05)
    raise AssertionError("no gdb stub")


def mapped(text: str) -> Dict[int, str]:
    """Return the start and the flags of each range that ahoy-maps lists."""
    return {int(start, 16): flags for start, flags in
            re.findall(r"^(0x[0-9a-f]{16})-0x.* ([RWXUGAD-]{7})", text, re.MULTILINE)}


# ---- Before the kernel, in it, and without one ------------------------------

def test_halted(standard: Path) -> None:
    """Before the first instruction commands say what there is."""
    bt, walk, maps, dmesg, config = gdb(standard, "ahoy-bt", "ahoy-pt start_kernel", "ahoy-maps",
                                        "ahoy-dmesg", "ahoy-config")
    assert "in firmware" in bt and "not called it yet" in bt
    assert "paging is off" in walk and re.search(r"it is loaded at 0x802\w{5}$", walk)
    assert "Paging is off" in maps
    assert "The log is empty" in dmesg
    assert "CONFIG_IKCONFIG=y" in config.splitlines()


def test_before_paging(standard: Path) -> None:
    """At the entry, where symbols are at physical addresses."""
    *_, bt, dmesg, early, place = gdb(standard, f"hbreak *{LOAD:#x}", "continue", "ahoy-bt",
                                      "ahoy-dmesg", "ahoy-early", "info symbol $pc")
    assert f"#0   {LOAD:#018x} _start+0x0 at arch/riscv/" in bt
    assert "The log is empty" in dmesg
    assert "physical addresses too" in early
    assert place.startswith("_start in section")


def test_walk(standard: Path) -> None:
    """The walk of kernel text, of data, and of what is not mapped."""
    *_, text, data, null, odd, maps = gdb(
        standard, "break start_kernel", "continue", "ahoy-pt start_kernel", "ahoy-pt &log_buf",
        "ahoy-pt 16", "ahoy-pt 0x8000000000000000", "ahoy-maps")
    match = re.search(r"^(0xf\w+) -> (0x\w+)$", text, re.MULTILINE)
    assert match and int(match.group(1), 16) - LINK == int(match.group(2), 16) - LOAD
    assert re.search(r"level 0 .* VR-X-GA- +maps 4 KiB", text)
    assert re.search(r"level 0 .* VRW--GAD +maps 4 KiB", data)
    levels = [int(level) for level in re.findall(r"^level (\d)", text, re.MULTILINE)]
    assert "Sv48, ASID 0" in text and levels == [3, 2, 1, 0]
    assert "not valid" in null and "0x10 is not mapped: the walk stops at level 3" in null
    assert "is not an address of Sv48: bits 63 to 48 must equal bit 47" in odd
    flags = mapped(maps)
    assert flags[LINK] == "R-X-GA-"
    assert "writable and executable" not in maps and not any("U" in word for word in
                                                             flags.values())


def test_smaller_format(standard: Path) -> None:
    """Sv39, where the hart has no more."""
    if qemu_version() < (8, 1):
        pytest.skip("this QEMU cannot leave out Sv48")
    *_, walk, null = gdb(standard, "break start_kernel", "continue", "ahoy-pt $pc", "ahoy-pt 0",
                         options="--cpu rv64,sv48=off")
    assert "Sv39" in walk and len(re.findall("^level", walk, re.MULTILINE)) == 3
    assert "stops at level 2" in null


def test_firmware(standard: Path) -> None:
    """In firmware that the kernel has called, its memory is still found."""
    *_, bt, dmesg, walk = gdb(standard, "break start_kernel", "continue", "hbreak *$mtvec",
                              "continue", "ahoy-bt", "ahoy-dmesg", "ahoy-pt start_kernel",
                              options="--append nosuch=parameter")
    assert re.search(r"in firmware \(M-mode\) at 0x800\w+, last entered from 0xf\w+ in \w+\+0x",
                     bt), bt
    assert "level 0" in walk
    assert re.search(r"^(info|notice) .*nosuch", dmesg, re.MULTILINE), dmesg


# ---- Traps ------------------------------------------------------------------

FAULT = ("break start_kernel", "continue", "break console_write", "continue", "set $a0 = 16",
         "set $a1 = 4")


def check_trap(text: str) -> None:
    """Check a backtrace that crosses a page fault inside console_write()."""
    before, found, after = text.partition("--- trap: load page fault, stval 0x10, at pc 0xf")
    assert found, text
    assert re.search(r"^#0 ", before, re.MULTILINE)
    assert " console_write+0x" in after and " start_kernel+0x" in after
    assert " start_kernel+0x" not in before
    numbers = [int(number) for number in re.findall(r"^#(\d+)", text, re.MULTILINE)]
    assert numbers == list(range(len(numbers)))


def test_trap_entry(standard: Path) -> None:
    """The backtrace crosses the trap at each instruction of the trap entry."""
    steps = 60  # more than the entry has, into trap_report()
    lines = [word for _ in range(steps) for word in ("ahoy-bt", "stepi")]
    output = gdb(standard, *FAULT, "break trap_entry", "continue", *lines)
    backtraces = output[len(FAULT) + 2::2]
    assert len(backtraces) == steps
    for text in backtraces:
        check_trap(text)
    assert "#0   " in backtraces[0] and "trap_entry+0x0" in backtraces[0]
    places = [text.split()[2].partition("+")[0] for text in backtraces]
    assert 30 < places.count("trap_entry") < steps
    assert places[places.count("trap_entry")] == "trap_report"


def test_trap_report(standard: Path) -> None:
    """Deep in the report too; gdb's own commands cross the trap as well."""
    *_, ours, own, _, registers, _, walk = gdb(
        standard, *FAULT, "delete", "break panic_end", "continue", "ahoy-bt", "bt",
        "frame function console_write", "info registers sp pc", "frame function start_kernel",
        "ahoy-pt 8")
    check_trap(ours)
    assert re.search(r"trap_report.*\n(#.*\n)*#\d+ .*console_write", own), own
    assert re.search(r"^pc .*<console_write\+", registers, re.MULTILINE), registers
    assert "0x8 is not mapped" in walk


def test_saved_registers() -> None:
    """The layout that the commands know is the kernel's."""
    header = (ROOT / "arch" / "riscv" / "include" / "asm" / "ptrace.h").read_text(encoding="utf-8")
    source = (COMMANDS.parent / "ahoy" / "trap.py").read_text(encoding="utf-8")
    known = dict(re.findall(r"^(PT_\w+) = (\d+)$", source, re.MULTILINE))
    assert set(known) == {"PT_TVAL", "PT_CAUSE", "PT_SIZE"}
    for name, value in known.items():
        assert re.search(rf"#define\s+{name}\s+{value}\n", header), name
    assert re.search(r"#define\s+PT_EPC\s+0\n", header)
    assert re.search(r"#define\s+PT_X\(n\)\s+\(8 \* \(n\)\)\n", header)


# ---- Texts, errors ----------------------------------------------------------

def test_config(standard: Path) -> None:
    """The configuration is the one of the build, but for what is the compiler's."""
    config, = gdb(standard, "ahoy-config")
    compiler = ("CONFIG_CC_INCLUDE_DIR=", "CONFIG_CC_UBSAN_FLAGS=")
    options = [line for line in (standard / ".config").read_text(encoding="ascii").splitlines()
               if line.startswith("CONFIG_") and not line.startswith(compiler)]
    assert config.splitlines() == options


def test_small_kernel(small: Path) -> None:
    """Without the options a clear word, and no symbols but the kernel's own."""
    dmesg, config, _, _, bt, maps, walk, early = gdb(
        small, "ahoy-dmesg", "ahoy-config", "break start_kernel", "continue", "ahoy-bt",
        "ahoy-maps", "ahoy-pt $pc", "ahoy-early")
    assert "built without a log (CONFIG_PRINTK)" in dmesg
    assert "built without its configuration (CONFIG_IKCONFIG)" in config
    assert re.match(r"#0 +0x00000000802\w+ start_kernel\+0x", bt)
    assert "Paging is off" in maps and "paging is off" in walk
    assert "runs at physical addresses" in early


def test_usage(small: Path) -> None:
    """Wrong uses are said, and each command has help."""
    names = ("ahoy-bt", "ahoy-pt", "ahoy-maps", "ahoy-dmesg", "ahoy-config", "ahoy-early")
    missing, unknown, extra, *helps = gdb(small, "ahoy-pt", "ahoy-pt nosuch", "ahoy-maps now",
                                          *(f"help {name}" for name in names))
    assert missing == "Usage: ahoy-pt ADDRESS"
    assert "nosuch is not an address" in unknown
    assert extra == "Usage: ahoy-maps"
    for name, text in zip(names, helps):
        assert f": {name}" in text.splitlines()[0] and len(text.splitlines()) > 2


def test_not_connected(small: Path) -> None:
    """Without a machine the commands say how to get one."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    done = subprocess.run([find_gdb(), "-nx", "-q", "-batch", "ahoy", "-x", str(COMMANDS),
                           "-ex", "ahoy-bt"], cwd=small, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=50, check=False,
                          env=environment(GDB_PORT=str(port)))
    assert f"No gdb stub on port {port}" in done.stdout
    assert 'Not connected: run "make debug"' in done.stdout
    assert "Traceback" not in done.stdout
    assert sys.dont_write_bytecode or not list(COMMANDS.parent.rglob("*.pyc"))
